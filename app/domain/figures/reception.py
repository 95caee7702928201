"""What a receiver reports each second: values only. `delivery` computes and `delivery_verdict` judges them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

import msgspec

from app.domain.figures.lateness import Lateness

_Number = TypeVar("_Number", int, float)


class ErrorKind(StrEnum):
    """What can be wrong with a second.

    FROZEN: the output paused and its packets came late. SILENT: it paused because the sender sent nothing. HELD_UP: it
    paused because this host did not run the receiver in time. In a second with lost or undecryptable packets, a
    continuity error is attributed to the network, otherwise to the encoder.
    """

    LOST = "lost"
    FROZEN = "frozen"
    UNDECRYPTABLE = "undecryptable"
    CONTINUITY_NETWORK = "continuity_network"
    CONTINUITY_ENCODER = "continuity_encoder"
    SILENT = "silent"
    DISCONNECTED = "disconnected"
    HELD_UP = "held_up"


class ReceivedCounters(msgspec.Struct, frozen=True, array_like=True):
    """Counters of received packets and bytes, since the worker's start or since a reset; libsrt's names in srt.h.

    `packets_recovered` were lost and came again in time to be used; `packets_dropped` are lost for good
    (pktRcvDropTotal); `packets_belated` came after their place was given up (pktRcvBelated), so they cost nothing;
    `wire_bytes` counts 44 bytes of headers for each data packet.
    """

    payload_bytes: int = 0
    wire_bytes: int = 0
    packets_unique: int = 0
    packets_recovered: int = 0
    packets_dropped: int = 0
    packets_belated: int = 0
    packets_undecryptable: int = 0
    continuity_errors: int = 0

    def since(self, earlier: ReceivedCounters) -> ReceivedCounters:
        """Return what was counted after `earlier`."""
        return ReceivedCounters(*(getattr(self, name) - getattr(earlier, name) for name in self.__struct_fields__))

    def plus(self, more: ReceivedCounters) -> ReceivedCounters:
        """Return the sum of both."""
        return ReceivedCounters(*(getattr(self, name) + getattr(more, name) for name in self.__struct_fields__))


class Gauges(msgspec.Struct, frozen=True, array_like=True):
    """Readings of one second; None where nothing could be read.

    `headroom_ms` is the lowest fill level of the receive buffer in that second: the latency that was left.
    `reorder_packets` is the longest distance by which a packet was out of order since the connection was made.
    """

    connections: int = 0
    latency_ms: int | None = None
    headroom_ms: int | None = None
    rtt_min_ms: float | None = None
    rtt_ms: float | None = None
    rtt_max_ms: float | None = None
    reorder_packets: int | None = None


class DeliveryPoint(msgspec.Struct, frozen=True, array_like=True):
    """A second of a reception, or a longer span made of several by `merge`. `at` is its end in Unix seconds.

    `gap_ms` is the longest pause of the output that ended in the span, `frozen_ms` the longest one that delayed
    packets; `ts_df_ms` and `jitter_ms` are of the output. `errors` are those of all seconds in the span.
    """

    at: float
    span_s: int = 1
    received: ReceivedCounters = ReceivedCounters()
    gauges: Gauges = Gauges()
    lateness_max_ms: float | None = None
    gap_ms: float = 0.0
    frozen_ms: float = 0.0
    ts_df_ms: float | None = None
    jitter_ms: float | None = None
    errors: tuple[ErrorKind, ...] = ()


class Reception(msgspec.Struct, frozen=True):
    """The complete account of a reception at `second.at`. Counters and extremes run from `since`, the last reset.

    `lateness` covers the last minute. `quiet_ms` is how long the output has been silent now. `error_seconds` and
    `last_error_at` are by kind of error.
    """

    since: float
    second: DeliveryPoint
    received: ReceivedCounters = ReceivedCounters()
    seconds: int = 0
    lateness: Lateness | None = None
    quiet_ms: float = 0.0
    longest_gap_ms: float = 0.0
    longest_gap_at: float | None = None
    longest_freeze_ms: float = 0.0
    longest_freeze_at: float | None = None
    longest_silence_ms: float = 0.0
    lowest_headroom_ms: int | None = None
    error_seconds: dict[ErrorKind, int] = {}
    last_error_at: dict[ErrorKind, float] = {}


def combine(earlier: Reception | None, present: Reception) -> Reception:
    """Combine the accounts of an earlier worker and of the present one. Between the two there was no connection."""
    if earlier is None:
        return present
    seconds = {kind: earlier.error_seconds.get(kind, 0) + present.error_seconds.get(kind, 0) for kind in ErrorKind}
    last_at = earlier.last_error_at | present.last_error_at
    absent_s = round(present.since - earlier.second.at)
    if absent_s > 0 and earlier.received.packets_unique:
        seconds[ErrorKind.DISCONNECTED] += absent_s
        last_at[ErrorKind.DISCONNECTED] = max(present.since, last_at.get(ErrorKind.DISCONNECTED, 0.0))
    longer_gap = max(earlier, present, key=lambda account: account.longest_gap_ms)
    longer_freeze = max(earlier, present, key=lambda account: account.longest_freeze_ms)
    return msgspec.structs.replace(
        present,
        since=earlier.since,
        received=earlier.received.plus(present.received),
        seconds=earlier.seconds + present.seconds + max(0, absent_s),
        longest_gap_ms=longer_gap.longest_gap_ms,
        longest_gap_at=longer_gap.longest_gap_at,
        longest_freeze_ms=longer_freeze.longest_freeze_ms,
        longest_freeze_at=longer_freeze.longest_freeze_at,
        longest_silence_ms=max(earlier.longest_silence_ms, present.longest_silence_ms),
        lowest_headroom_ms=_lowest([earlier.lowest_headroom_ms, present.lowest_headroom_ms]),
        error_seconds={kind: count for kind, count in seconds.items() if count},
        last_error_at=last_at,
    )


def merge(points: Sequence[DeliveryPoint]) -> DeliveryPoint:
    """Summarise points, oldest first, as one point: counters add up, extremes stay, averages cover the span."""
    gauges = [point.gauges for point in points]
    received = ReceivedCounters()
    for point in points:
        received = received.plus(point.received)
    return DeliveryPoint(
        at=points[-1].at,
        span_s=sum(point.span_s for point in points),
        received=received,
        gauges=Gauges(
            connections=gauges[-1].connections,
            latency_ms=gauges[-1].latency_ms,
            headroom_ms=_lowest([gauge.headroom_ms for gauge in gauges]),
            rtt_min_ms=_lowest([gauge.rtt_min_ms for gauge in gauges]),
            rtt_ms=_mean([gauge.rtt_ms for gauge in gauges]),
            rtt_max_ms=_highest([gauge.rtt_max_ms for gauge in gauges]),
            reorder_packets=_highest([gauge.reorder_packets for gauge in gauges]),
        ),
        lateness_max_ms=_highest([point.lateness_max_ms for point in points]),
        gap_ms=max(point.gap_ms for point in points),
        frozen_ms=max(point.frozen_ms for point in points),
        ts_df_ms=_highest([point.ts_df_ms for point in points]),
        jitter_ms=_highest([point.jitter_ms for point in points]),
        errors=tuple(sorted({kind for point in points for kind in point.errors})),
    )


def _highest(values: Sequence[_Number | None]) -> _Number | None:
    return max((value for value in values if value is not None), default=None)


def _lowest(values: Sequence[_Number | None]) -> _Number | None:
    return min((value for value in values if value is not None), default=None)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
