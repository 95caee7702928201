"""The limits of a line-up test. One field is one limit: its default, title, unit and meaning are defined here."""

from __future__ import annotations

from typing import Annotated, Final, get_args

import msgspec
from msgspec import Meta

from app.domain.errors import InvalidInput
from app.domain.wrong_values import invalid_input


def _limit(title: str, unit: str, text: str, high: float, low: float = 0) -> Meta:
    return Meta(title=title, description=text, ge=low, le=high, extra={"unit": unit})


def _content(title: str, unit: str, text: str, high: float, low: float = 0) -> Meta:
    """Describe a limit that exists on request only, because it does not suit every programme."""
    return _limit(title, unit, f"{text}. Empty: no limit", high, low)


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limits of a passing run, after the performance objectives of ITU-T Y.1564, clause 8.

    A limit of None does not apply: its figure is information, if the receive stream measures it.
    """

    lost_packets_max: Annotated[
        int, _limit("Packets lost", "packets", "Lost for good at the receiver, or not decrypted there", 10**9)
    ] = 0
    output_gap_max_ms: Annotated[
        int, _limit("Longest output gap", "ms", "The longest pause of the receiver's output", 60_000)
    ] = 40
    continuity_errors_max: Annotated[
        int, _limit("Continuity errors", "errors", "Found in the received transport stream", 10**9)
    ] = 0
    priority_1_error_seconds_max: Annotated[
        int, _limit("TR 101 290 priority 1", "s", "Seconds with a first-priority error", 86_400)
    ] = 0
    priority_2_error_seconds_max: Annotated[
        int, _limit("TR 101 290 priority 2", "s", "Seconds with a second-priority error", 86_400)
    ] = 0
    headroom_min_percent: Annotated[
        int, _limit("Lowest headroom", "%", "The lowest fill level of the receive buffer, relative to the latency", 100)
    ] = 10
    latency_rtt_ratio_min: Annotated[
        float, _limit("Latency / RTT", "×", "Negotiated latency / 95th percentile of the RTT", 100)
    ] = 3.0
    rtt_spread_max_ms: Annotated[
        int, _limit("RTT spread", "ms", "95th percentile of the RTT minus its median", 60_000)
    ] = 30
    interruptions_max: Annotated[
        int, _limit("Interruptions", "times", "How often the connection was lost during the run", 10_000)
    ] = 0
    black_max_s: (
        Annotated[int, _content("Black picture", "s", "Seconds of black pictures that last 10 s or longer", 86_400)]
        | None
    ) = None
    frozen_max_s: (
        Annotated[
            int, _content("Frozen picture", "s", "Seconds of pictures that do not move for 10 s or longer", 86_400)
        ]
        | None
    ) = None
    silent_max_s: (
        Annotated[int, _content("Silence", "s", "Seconds of silence that lasts 10 s or longer", 86_400)] | None
    ) = None
    loudness_deviation_max_lu: (
        Annotated[
            float,
            _content(
                "Loudness deviation",
                "LU",
                "Deviation of the integrated loudness from -23 LUFS (EBU R 128), in either direction",
                50,
            ),
        ]
        | None
    ) = None
    true_peak_max_dbtp: (
        Annotated[float, _content("True peak", "dBTP", "Highest true peak of all channels; EBU R 128 has -1", 20, -100)]
        | None
    ) = None


def describe(name: str) -> Meta:
    """Return the title, text, range and unit of a limit."""
    kind = next(field.type for field in msgspec.structs.fields(Limits) if field.name == name)
    annotated = next(each for each in (kind, *get_args(kind)) if hasattr(each, "__metadata__"))
    return next(meta for meta in annotated.__metadata__ if isinstance(meta, Meta))


def unit_of(meta: Meta) -> str:
    """Return the unit of a limit."""
    return str((meta.extra or {}).get("unit", ""))


SAVED_MAX: Final = 100
_NAME_LENGTH_MAX: Final = 40


class SavedLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits under a name, which a plan may name instead of listing the limits."""

    name: str
    limits: Limits = Limits()


def parse_saved_limits(document: object) -> list[SavedLimits]:
    """Make named limits of `{"limits": [...]}`, or raise InvalidInput that names the field and the remedy."""
    try:
        entries = msgspec.convert(document, _Document).limits
    except msgspec.ValidationError as error:
        raise invalid_input(error, "limits") from None
    for position, entry in enumerate(entries):
        if not _is_a_name(entry.name):
            text = f"a name has 1 to {_NAME_LENGTH_MAX} printable characters, no slash, and no space at either end"
            raise InvalidInput.of({f"limits[{position}].name": text})
    return entries


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limits: Annotated[list[SavedLimits], Meta(min_length=1, max_length=SAVED_MAX)]


def _is_a_name(name: str) -> bool:
    return 1 <= len(name) <= _NAME_LENGTH_MAX and name.isprintable() and "/" not in name and name == name.strip()
