"""Computes rates from counters over an interval. Rates are computed nowhere else, so no two figures disagree."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.constants import SRT_HEADER_BYTES
from app.domain.figures.counters import ConnectionCounters, Counters, grown, growth
from app.domain.figures.sample import Point

SHORTEST_INTERVAL_S: Final = 0.2


class Rates(msgspec.Struct, frozen=True):
    """The rates of a flow over an interval. Mb/s are 10^6 bits; `grown` is how much each counter grew.

    `retransmitted_percent` is retransmitted / unique packets, None when nothing was sent in the interval. `input_mbps`
    is None for a single connection.
    """

    interval_s: float
    payload_mbps: float
    wire_mbps: float
    retransmitted_percent: float | None
    grown: Counters
    input_mbps: float | None = None


def rates(before: ConnectionCounters, after: ConnectionCounters, interval_s: float) -> Rates | None:
    """Return the rates between two readings of one flow, or None when they are too close together to divide by."""
    if interval_s < SHORTEST_INTERVAL_S:
        return None
    new = Counters(**grown(before, after))
    return Rates(
        interval_s=interval_s,
        payload_mbps=mbps(new.payload_bytes_total, interval_s),
        wire_mbps=mbps(new.wire_bytes_total, interval_s),
        retransmitted_percent=percent(new.packets_retransmitted_total, new.packets_sent_unique_total),
        grown=new,
        input_mbps=_input_mbps(before, after, interval_s)
        if isinstance(before, Point) and isinstance(after, Point)
        else None,
    )


def mbps(count_bytes: int, interval_s: float) -> float:
    """Return bytes in an interval as megabits (10^6) per second."""
    return count_bytes * 8 / interval_s / 1e6


def percent(part: int, whole: int) -> float | None:
    """Return `part` in percent of `whole`, None if `whole` is 0."""
    return 100 * part / whole if whole else None


def payload_bytes(bytes_with_headers: int, packets: int) -> int:
    """Return a byte counter of libsrt without its headers (srt.h, bytesWithHdr)."""
    return max(0, bytes_with_headers - SRT_HEADER_BYTES * packets)


def _input_mbps(before: Point, after: Point, interval_s: float) -> float:
    """Return the source's rate. A file is read in pieces, so its bytes belong to the time between two pieces."""
    counted_s = after.input_at - before.input_at if before.input_at and after.input_at else interval_s
    new = growth(before.input_bytes_total, after.input_bytes_total)
    return mbps(new, counted_s if counted_s >= SHORTEST_INTERVAL_S else interval_s)
