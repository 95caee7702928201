"""Counters to rates over an interval. The only place where a rate is computed, so no two figures disagree.

A counter that went down belongs to a new worker: the interval is then counted from zero, never negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import msgspec

from app.domain.constants import SRT_HEADER_BYTES

SHORTEST_INTERVAL_S = 0.2


class Flow(Protocol):
    """Whatever has the counters of a flow: a peer or a whole stream's point."""

    @property
    def payload_bytes_total(self) -> int:
        """Bytes of transport stream, each counted once."""

    @property
    def wire_bytes_total(self) -> int:
        """Bytes with headers and retransmissions."""

    @property
    def packets_sent_unique_total(self) -> int:
        """SRT data packets, each counted once."""

    @property
    def packets_retransmitted_total(self) -> int:
        """SRT data packets sent again."""

    @property
    def packets_dropped_total(self) -> int:
        """SRT data packets given up as too late."""

    @property
    def acks_total(self) -> int:
        """Acknowledgements received."""


class Rates(msgspec.Struct, frozen=True):
    """A flow over an interval. Mb/s are 10^6 bits; `retransmitted_percent` is retransmitted / unique packets.

    `retransmitted_percent` is None when nothing was sent in the interval.
    """

    payload_mbps: float
    wire_mbps: float
    packets_sent_unique: int
    packets_retransmitted: int
    packets_dropped: int
    acks: int
    retransmitted_percent: float | None


def rates(before: Flow, after: Flow, interval_s: float) -> Rates | None:
    """Give the rates between two readings of one flow, or None when they are too close to divide by."""
    if interval_s < SHORTEST_INTERVAL_S:
        return None
    unique = grown(before.packets_sent_unique_total, after.packets_sent_unique_total)
    retransmitted = grown(before.packets_retransmitted_total, after.packets_retransmitted_total)
    return Rates(
        payload_mbps=mbps(grown(before.payload_bytes_total, after.payload_bytes_total), interval_s),
        wire_mbps=mbps(grown(before.wire_bytes_total, after.wire_bytes_total), interval_s),
        packets_sent_unique=unique,
        packets_retransmitted=retransmitted,
        packets_dropped=grown(before.packets_dropped_total, after.packets_dropped_total),
        acks=grown(before.acks_total, after.acks_total),
        retransmitted_percent=percent(retransmitted, unique),
    )


def grown(before: int, after: int) -> int:
    """How much a counter grew; a counter that fell was reset, so all of it is new."""
    return after - before if after >= before else after


def mbps(count_bytes: int, interval_s: float) -> float:
    """Bytes in an interval as megabits (10^6) a second."""
    return count_bytes * 8 / interval_s / 1e6


def percent(part: int, whole: int) -> float | None:
    """`part` of `whole` in percent, None when there is no whole."""
    return 100 * part / whole if whole else None


def payload_bytes(bytes_with_headers: int, packets: int) -> int:
    """Take libsrt's headers out of its byte counters: 20 IPv4 + 8 UDP + 16 SRT per packet (srt.h, bytesWithHdr)."""
    return max(0, bytes_with_headers - SRT_HEADER_BYTES * packets)


class Second(msgspec.Struct, frozen=True):
    """One interval of a stream's history, ready to draw. `at` is the end of the interval, Unix time."""

    at: float
    peers: int
    payload_mbps: float
    wire_mbps: float
    input_mbps: float
    retransmitted_percent: float | None
    packets_retransmitted: int
    packets_dropped: int
    rtt_ms: float | None
    send_buffer_ms: int | None


class HistoryPoint(Flow, Protocol):
    """A flow with a time and gauges; protocol.Point is one."""

    @property
    def at(self) -> float:
        """Unix time of the reading."""

    @property
    def peers(self) -> int:
        """Connected peers."""

    @property
    def input_bytes_total(self) -> int:
        """Bytes from the source."""

    @property
    def input_at(self) -> float:
        """Unix time at which they were counted, 0 when that is not known."""

    @property
    def rtt_ms(self) -> float | None:
        """The worst peer's round-trip time."""

    @property
    def send_buffer_ms(self) -> int | None:
        """The fullest peer's send buffer."""


def seconds(points: Sequence[HistoryPoint]) -> list[Second]:
    """Turn readings, oldest first, into the intervals between them; intervals too short to divide by are left out."""
    made = []
    for before, after in pairwise(points):
        interval_s = after.at - before.at
        if (rate := rates(before, after, interval_s)) is None:
            continue
        made.append(
            Second(
                at=after.at,
                peers=after.peers,
                payload_mbps=rate.payload_mbps,
                wire_mbps=rate.wire_mbps,
                input_mbps=_input_mbps(before, after, interval_s),
                retransmitted_percent=rate.retransmitted_percent,
                packets_retransmitted=rate.packets_retransmitted,
                packets_dropped=rate.packets_dropped,
                rtt_ms=after.rtt_ms,
                send_buffer_ms=after.send_buffer_ms,
            )
        )
    return made


def _input_mbps(before: HistoryPoint, after: HistoryPoint, interval_s: float) -> float:
    """The source's rate. A file goes in by the piece, so its bytes belong to the time between two pieces."""
    counted_s = after.input_at - before.input_at if before.input_at and after.input_at else interval_s
    new = grown(before.input_bytes_total, after.input_bytes_total)
    return mbps(new, counted_s if counted_s >= SHORTEST_INTERVAL_S else interval_s)
