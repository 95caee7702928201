"""Measures the delivery of a receiver's output: lateness, gaps and their cause, error-seconds since a reset.

A packet is due at its SRT timestamp plus the latency. Its lateness is the time at which it comes out less the time at
which it is due. libsrt holds each packet until it is due, so a healthy reception is late by at most the reading
interval.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from app.domain.figures.lateness import LatenessWindow
from app.domain.figures.reception import DeliveryPoint, ErrorKind, Gauges, ReceivedCounters, Reception

# A decoder's own buffer covers a shorter pause; two pictures at 25 per second are 80 ms.
GAP_MS: Final = 100.0
SILENCE_MS: Final = 1000.0
_JITTER_GAIN: Final = 16  # RFC 3550, 6.4.1


class DeliveryMeter:
    """Takes packets as they come out and returns an account each second. Times in µs are of libsrt's clock."""

    def __init__(self, started_at: float) -> None:
        self._last_us: int | None = None
        self._last_late_ms: float | None = None
        self._jitter_ms = 0.0
        self._was_connected = False
        self._total = ReceivedCounters()
        self._dropped_before = 0
        self._open_second()
        self.reset(started_at)

    def _open_second(self) -> None:
        self._gap_ms = self._frozen_ms = 0.0
        self._late_range: tuple[float, float] | None = None
        self._errors: Counter[ErrorKind] = Counter()

    def reset(self, at: float) -> None:
        """Count from zero; `at` is Unix time."""
        self._window = LatenessWindow()
        self._since = at
        self._base = self._total
        self._seconds = 0
        self._longest_gap: tuple[float, float | None] = (0.0, None)
        self._longest_freeze: tuple[float, float | None] = (0.0, None)
        self._longest_silence_ms = 0.0
        self._silent_ms = 0.0
        self._lowest_headroom_ms: int | None = None
        self._waiting_headroom_ms: int | None = None
        self._error_seconds: Counter[ErrorKind] = Counter()
        self._last_error_at: dict[ErrorKind, float] = {}

    def take(self, now_us: int, due_us: Sequence[int], *, held_up_ms: float = 0.0) -> None:
        """Count packets that came out together at `now_us`, each with the time at which it was due, oldest first.

        `held_up_ms` is how much later than planned this host ran the receiver.
        """
        late_ms = [(now_us - due) / 1000 for due in due_us]
        self._window.add(late_ms)
        if self._last_us is not None:
            self._judge_gap((now_us - self._last_us) / 1000, late_ms[0], held_up_ms)
        self._follow_jitter(late_ms)
        lowest, highest = min(late_ms), max(late_ms)
        low, high = self._late_range or (lowest, highest)
        self._late_range = min(low, lowest), max(high, highest)
        self._last_us = now_us

    def _follow_jitter(self, late_ms: Sequence[float]) -> None:
        jitter_ms = self._jitter_ms
        earlier = late_ms[0] if self._last_late_ms is None else self._last_late_ms
        for before, after in pairwise((earlier, *late_ms)):
            jitter_ms += (abs(after - before) - jitter_ms) / _JITTER_GAIN
        self._jitter_ms, self._last_late_ms = jitter_ms, late_ms[-1]

    def _judge_gap(self, gap_ms: float, late_ms: float, held_up_ms: float) -> None:
        self._gap_ms = max(self._gap_ms, gap_ms)
        if gap_ms < GAP_MS:
            return
        if held_up_ms >= gap_ms / 2:
            self._count_seconds(ErrorKind.HELD_UP, gap_ms)
        elif late_ms >= GAP_MS:
            self._frozen_ms = max(self._frozen_ms, min(gap_ms, late_ms))
            self._count_seconds(ErrorKind.FROZEN, self._frozen_ms)
        elif gap_ms >= SILENCE_MS:
            self._silent_ms = max(self._silent_ms, gap_ms)

    def _count_seconds(self, kind: ErrorKind, duration_ms: float) -> None:
        """Count the seconds of an error that ended in this one. Two short errors in a second are one error-second."""
        self._errors[kind] = max(self._errors[kind], _whole_seconds(duration_ms))

    def end_connection(self) -> None:
        """Forget the clock of a connection that has ended: the pause until the next one is not a gap."""
        self._last_us = self._last_late_ms = self._waiting_headroom_ms = None

    def close_second(self, at: float, now_us: int, total: ReceivedCounters, gauges: Gauges) -> Reception:
        """End a second and return its account. `total` counts from the worker's start, `at` is Unix time."""
        received, self._total = total.since(self._total), total
        self._find_errors(received, gauges)
        lateness = self._window.close_second()
        low, high = self._late_range or (0.0, 0.0)
        quiet_ms = 0.0 if self._last_us is None else (now_us - self._last_us) / 1000
        is_steady = lateness is not None and self._gap_ms < GAP_MS and quiet_ms < GAP_MS
        point = DeliveryPoint(
            at=at,
            received=received,
            gauges=gauges,
            lateness_max_ms=lateness.max if lateness else None,
            gap_ms=self._gap_ms,
            frozen_ms=self._frozen_ms,
            ts_df_ms=high - low if self._late_range else None,
            jitter_ms=self._jitter_ms if self._late_range else None,
            errors=tuple(sorted(self._errors)),
        )
        self._keep(point)
        self._keep_headroom(gauges.headroom_ms if is_steady else None)
        self._dropped_before = received.packets_dropped + received.packets_undecryptable
        self._open_second()
        return self._account(point, quiet_ms)

    def _find_errors(self, received: ReceivedCounters, gauges: Gauges) -> None:
        if received.packets_dropped:
            self._errors[ErrorKind.LOST] = 1
        if received.packets_undecryptable:
            self._errors[ErrorKind.UNDECRYPTABLE] = 1
        if received.continuity_errors:
            # libsrt counts a loss when it gives up. The error shows at the next packet, perhaps a second later.
            missing = received.packets_dropped + received.packets_undecryptable + self._dropped_before
            self._errors[ErrorKind.CONTINUITY_NETWORK if missing else ErrorKind.CONTINUITY_ENCODER] = 1
        if self._silent_ms:
            if not received.packets_dropped:
                self._longest_silence_ms = max(self._longest_silence_ms, self._silent_ms)
                self._errors[ErrorKind.SILENT] = _whole_seconds(self._silent_ms)
            self._silent_ms = 0.0
        if gauges.connections:
            self._was_connected = True
        elif self._was_connected:
            self._errors[ErrorKind.DISCONNECTED] = 1

    def _keep(self, point: DeliveryPoint) -> None:
        self._seconds += 1
        if point.gap_ms > self._longest_gap[0]:
            self._longest_gap = point.gap_ms, point.at
        if point.frozen_ms > self._longest_freeze[0]:
            self._longest_freeze = point.frozen_ms, point.at
        self._error_seconds += self._errors
        self._last_error_at |= dict.fromkeys(self._errors, point.at)

    def _keep_headroom(self, headroom_ms: int | None) -> None:
        """Keep a second's lowest headroom once the next second has come out without a pause.

        The buffer also empties when the sender stops. A pause then follows, although the latency was sufficient.
        """
        waiting_ms, self._waiting_headroom_ms = self._waiting_headroom_ms, headroom_ms
        if headroom_ms is not None and waiting_ms is not None:
            lowest_ms = waiting_ms if self._lowest_headroom_ms is None else self._lowest_headroom_ms
            self._lowest_headroom_ms = min(waiting_ms, lowest_ms)

    def _account(self, point: DeliveryPoint, quiet_ms: float) -> Reception:
        return Reception(
            since=self._since,
            second=point,
            received=self._total.since(self._base),
            seconds=self._seconds,
            lateness=self._window.last_minute(),
            quiet_ms=quiet_ms,
            longest_gap_ms=self._longest_gap[0],
            longest_gap_at=self._longest_gap[1],
            longest_freeze_ms=self._longest_freeze[0],
            longest_freeze_at=self._longest_freeze[1],
            longest_silence_ms=self._longest_silence_ms,
            lowest_headroom_ms=self._lowest_headroom_ms,
            error_seconds=dict(self._error_seconds),
            last_error_at=dict(self._last_error_at),
        )


def _whole_seconds(duration_ms: float) -> int:
    return max(1, round(duration_ms / 1000))
