"""The figures of a relay, by direction. Counters run from the worker's start."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

# A relay that sent more than this share over 3 ms late did not simulate the requested path.
LATE_SHARE_MAX: Final = 0.05


def _is(text: str) -> Meta:
    return Meta(description=text)


class DirectionCounters(msgspec.Struct):
    """What happened to the datagrams of one direction. `lost` is the sum of the four causes after it."""

    datagrams: Annotated[int, _is("Datagrams received")] = 0
    bytes: Annotated[int, _is("Their bytes, without UDP and IP headers")] = 0
    lost: Annotated[int, _is("Datagrams lost, for any cause")] = 0
    by_chance: Annotated[int, _is("Lost at random or in bursts")] = 0
    in_outage: Annotated[int, _is("Lost in an outage")] = 0
    queue_full: Annotated[int, _is("Lost because the queue before the rate limit was full")] = 0
    too_large: Annotated[int, _is("Lost because they exceeded the MTU")] = 0
    delayed: Annotated[int, _is("Datagrams that were delayed")] = 0
    reordered: Annotated[int, _is("Datagrams that left after one that came later (RFC 4737)")] = 0
    duplicated: Annotated[int, _is("Datagrams sent twice")] = 0


class DirectionFigures(DirectionCounters, frozen=True):  # type: ignore[misc] # msgspec allows frozen here
    """The counters of one direction, and how long a datagram waits before the rate limit at present."""

    queue_ms: float = 0.0


class RelayFigures(msgspec.Struct, frozen=True):
    """The figures of both directions, and of datagrams that were not relayed.

    `refused` datagrams came from callers beyond the allowed number, `strangers` are not SRT. `late` datagrams left more
    than 3 ms after they were due, because the machine was busy.
    """

    to_target: DirectionFigures
    to_caller: DirectionFigures
    callers: int = 0
    refused: int = 0
    strangers: int = 0
    late: int = 0

    def relayed(self) -> int:
        """Return the number of datagrams of both directions."""
        return self.to_target.datagrams + self.to_caller.datagrams
