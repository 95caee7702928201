"""What a relay did so far, by direction. Counters run from the worker's start."""

from __future__ import annotations

from typing import Final

import msgspec

# A relay that sent more than this share over 3 ms late was not the path that was asked for.
LATE_SHARE_MAX: Final = 0.05


class DirectionFigures(msgspec.Struct, frozen=True):
    """One direction, in datagrams. `datagrams` came in; `lost` is the sum of the four causes after it.

    `reordered` left after one that arrived later (RFC 4737), `delayed` left later than they came. `queue_ms` is the
    present wait before a rate limit.
    """

    datagrams: int = 0
    bytes: int = 0
    lost: int = 0
    by_chance: int = 0
    in_outage: int = 0
    queue_full: int = 0
    too_large: int = 0
    delayed: int = 0
    reordered: int = 0
    duplicated: int = 0
    queue_ms: float = 0.0


class RelayFigures(msgspec.Struct, frozen=True):
    """Both directions, and what was not relayed.

    `refused` datagrams came from callers beyond the most allowed, `strangers` are no SRT. `late` datagrams left more
    than 3 ms after they were due, because the machine was busy.
    """

    to_target: DirectionFigures
    to_caller: DirectionFigures
    callers: int = 0
    refused: int = 0
    strangers: int = 0
    late: int = 0

    def relayed(self) -> int:
        """Datagrams of both directions."""
        return self.to_target.datagrams + self.to_caller.datagrams
