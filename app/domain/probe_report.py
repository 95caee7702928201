"""The result of a probe that is posted to another installation: bounded, and checked as untrusted input."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from app.domain.errors import InvalidInput
from app.domain.lineup.measured import ReceiverSecond
from app.domain.wrong_values import invalid_input

_FIGURE_MAX: Final = 2**53
Count = Annotated[int, Meta(ge=0, le=_FIGURE_MAX)]
Milliseconds = Annotated[float, Meta(ge=0, le=1e12)]
_MOMENT_MAX: Final = 2**33
Moment = Annotated[float, Meta(ge=0, le=_MOMENT_MAX)]
Word = Annotated[str, Meta(max_length=300)]
Sentence = Annotated[str, Meta(max_length=500)]
Kind = Annotated[str, Meta(max_length=40, pattern="^[a-z_]+$")]


Severity = Literal["good", "attention", "fault", "none"]
Indicator = Annotated[str, Meta(max_length=40, pattern="^[a-z0-9_]+$")]
SECONDS_MAX: Final = 7200


class ProbeIndicator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The seconds in which one indicator of TR 101 290 was in error during the probe."""

    priority: Annotated[int, Meta(ge=1, le=3)]
    error_seconds: Count


class ProbeReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a probe found.

    Times are Unix seconds by the prober's clock; `severity` `none` means that there was no connection.

    `host` and `version` are the prober's, `target` is what it received from; `error_seconds` are by kind. `history` has
    the newest seconds, oldest first: a line-up test reads them. `indicators` is None without an analysis.
    """

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    target: Word
    started_at: Moment
    ended_at: Moment
    severity: Severity
    text: Sentence
    findings: Annotated[list[Sentence], Meta(max_length=30)] = []
    version: Annotated[str, Meta(max_length=40)] = ""
    seconds: Count = 0
    packets_unique: Count = 0
    packets_recovered: Count = 0
    packets_dropped: Count = 0
    packets_undecryptable: Count = 0
    continuity_errors: Count = 0
    latency_ms: Count | None = None
    lateness_p99_ms: Milliseconds | None = None
    lateness_max_ms: Milliseconds | None = None
    longest_gap_ms: Milliseconds = 0
    longest_freeze_ms: Milliseconds = 0
    rtt_ms: Milliseconds | None = None
    delivered_mbps: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    error_seconds: Annotated[dict[Kind, Count], Meta(max_length=20)] = {}
    indicators: Annotated[dict[Indicator, ProbeIndicator], Meta(max_length=40)] | None = None
    history: Annotated[list[ReceiverSecond], Meta(max_length=SECONDS_MAX)] = []


class KeptReport(msgspec.Struct, frozen=True):
    """A report with its identifier, its time of arrival by this host's clock, and the client that posted it.

    In memory its report has no history; `history_seconds` counts what its file has.
    """

    id: str
    received_at: float
    actor: str
    report: ProbeReport
    history_seconds: int = 0


def parse_probe_report(document: object) -> ProbeReport:
    """Make a report from a decoded JSON object. Raises InvalidInput, which names the field."""
    try:
        report = msgspec.convert(document, ProbeReport)
    except msgspec.ValidationError as error:
        raise invalid_input(error, "report") from None
    if problems := dict(_problems(report)):
        raise InvalidInput.of(problems)
    return report


def _problems(report: ProbeReport) -> Iterator[tuple[str, str]]:
    if report.ended_at < report.started_at:
        yield "ended_at", "it is before started_at"
    if not all(_is_within_bounds(second) for second in report.history):
        yield "history", "a figure is negative or too large"
    if any(second.at >= following.at for second, following in pairwise(report.history)):
        yield "history", "the seconds are not in order; send the oldest first, each once"
    texts = {"host": report.host, "target": report.target, "text": report.text, "version": report.version}
    texts["findings"] = "".join(report.findings)
    for name, value in texts.items():
        if not value.isprintable():
            yield name, "this text has control characters; remove them"


def _is_within_bounds(second: ReceiverSecond) -> bool:
    figures = [value for value in msgspec.structs.astuple(second) if value is not None]
    return second.at <= _MOMENT_MAX and all(0 <= value <= _FIGURE_MAX for value in figures)
