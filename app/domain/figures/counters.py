"""Every counter of a stream. One field is one counter: its name, meaning and unit are defined here and nowhere else.

The worker's ledger, samples, history, rates, API and metrics follow from these fields (docs/development/recipes.md). A
counter only grows. A counter that fell belongs to a new worker or connection and starts from zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

SUFFIX: Final = "_total"


def _counts(text: str, unit: str) -> Meta:
    return Meta(description=text, extra={"unit": unit})


class ConnectionCounters(msgspec.Struct, frozen=True):
    """The counters of one SRT connection, or their sums over all connections of a stream.

    Bytes on the wire include 44 bytes of IPv4, UDP and SRT headers per packet, as in libsrt. Control packets are not
    included.
    """

    payload_bytes_total: Annotated[int, _counts("Transport stream, without headers and retransmissions", "bytes")] = 0
    wire_bytes_total: Annotated[int, _counts("Bytes sent with headers and retransmissions", "bytes")] = 0
    packets_sent_unique_total: Annotated[int, _counts("SRT data packets sent, each counted once", "packets")] = 0
    packets_retransmitted_total: Annotated[
        int, _counts("SRT data packets sent again. A resent packet may still arrive too late", "packets")
    ] = 0
    packets_dropped_total: Annotated[
        int, _counts("SRT data packets that the sender dropped as too late; some may have arrived", "packets")
    ] = 0
    acks_total: Annotated[int, _counts("Acknowledgements received; their rise is the proof of delivery", "packets")] = 0
    naks_total: Annotated[int, _counts("Loss reports received; a loss may be reported many times", "packets")] = 0
    packets_reported_lost_total: Annotated[
        int,
        _counts("SRT data packets that loss reports named; one counts again for each resend that is lost", "packets"),
    ] = 0


class Counters(ConnectionCounters, frozen=True):
    """The counters of a whole stream: all its connections together, and its source."""

    input_bytes_total: Annotated[int, _counts("Transport stream received from the source", "bytes")] = 0
    continuity_errors_total: Annotated[int, _counts("Continuity counter errors found in the source", "errors")] = 0


C = TypeVar("C", bound=ConnectionCounters)


def names(kind: type[ConnectionCounters]) -> tuple[str, ...]:
    """Return the names of the counters that `kind` or its nearest counter class defines."""
    return _NAMES[Counters if issubclass(kind, Counters) else ConnectionCounters]


def described(kind: type[ConnectionCounters]) -> Mapping[str, Meta]:
    """Return the definition of each counter by its name."""
    found = {}
    for field in msgspec.structs.fields(kind):
        if field.name in names(kind):
            found[field.name] = next(meta for meta in field.type.__metadata__ if isinstance(meta, Meta))
    return found


def short_name(counter: str) -> str:
    """Return a counter's name without `_total`, for answers and metrics that give the unit separately."""
    return counter.removesuffix(SUFFIX)


def values(counters: ConnectionCounters) -> dict[str, int]:
    """Return the counters by name."""
    return {name: getattr(counters, name) for name in names(type(counters))}


def grown(before: ConnectionCounters | None, after: ConnectionCounters) -> dict[str, int]:
    """Return how much each counter of `after` grew since `before`; without `before`, since zero."""
    return {
        name: growth(getattr(before, name, 0), value) if before is not None else value
        for name, value in values(after).items()
    }


def plus(counters: C, added: Mapping[str, int]) -> C:
    """Return the counters with `added` added to each."""
    changed: dict[str, Any] = {name: getattr(counters, name) + value for name, value in added.items()}
    return msgspec.structs.replace(counters, **changed)


def growth(before: int, after: int) -> int:
    """Return how much one counter grew. A counter that fell was reset, so its whole value is new."""
    return after - before if after >= before else after


_NAMES: Final = {kind: kind.__struct_fields__ for kind in (ConnectionCounters, Counters)}
