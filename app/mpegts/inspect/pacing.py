"""Measures the intervals of clocks and tables, in the stream's own time."""

from __future__ import annotations

from typing import Final

from app.mpegts.inspect.report import Repetition
from app.mpegts.loop.lap import JUMP_TICKS, ClockTrack
from app.mpegts.packets import PCR_HZ, clock_step

# How many tables may wait for the next clock, which dates them. More than these cannot be tables.
_WAITING_MAX: Final = 1000
_TICKS_A_MS: Final = PCR_HZ / 1000


class IntervalMeter:
    """Compares intervals with a limit. The owner increments `count`, because items without a timestamp count too."""

    def __init__(self, limit_ms: float) -> None:
        self.count = 0
        self._limit = limit_ms * _TICKS_A_MS
        self._intervals = self._late = 0
        self._sum = self._longest = 0.0
        self._last: float | None = None

    def add(self, ticks: float) -> None:
        """Take the time (27 MHz) of the next one."""
        if self._last is not None:
            interval = ticks - self._last
            self._intervals += 1
            self._sum += interval
            self._longest = max(self._longest, interval)
            self._late += interval > self._limit
        self._last = ticks

    def forget_last(self) -> None:
        """Begin again after a jump of the clock, because an interval across a jump is meaningless."""
        self._last = None

    def result(self) -> Repetition:
        """Return the statistics of the intervals."""
        limit_ms = self._limit / _TICKS_A_MS
        if not self._intervals:
            return Repetition(self.count, limit_ms)
        mean = self._sum / self._intervals / _TICKS_A_MS
        return Repetition(self.count, limit_ms, round(mean, 3), round(self._longest / _TICKS_A_MS, 3), self._late)


class ClockMeter:
    """One PCR PID over a whole file: its intervals, its jumps, and the packets and ticks between readings."""

    def __init__(self, limit_ms: float) -> None:
        self.intervals = IntervalMeter(limit_ms)
        self.track = ClockTrack()
        self.jumps = 0
        self.elapsed = 0
        self.packets = 0
        self.last: tuple[int, int] | None = None

    def add(self, packet: int, pcr: int) -> tuple[int, int] | None:
        """Take a reading; return the packets and ticks since the last, None for the first and after a jump."""
        before, self.last = self.last, (packet, pcr)
        self.intervals.count += 1
        self.track.add(packet, pcr)
        if before is None:
            self.intervals.add(0)
            return None
        step = clock_step(before[1], pcr)
        if not 0 < step <= JUMP_TICKS:
            self.jumps += 1
            self.intervals.forget_last()
            self.intervals.add(self.elapsed)
            return None
        self.elapsed += step
        self.packets += packet - before[0]
        self.intervals.add(self.elapsed)
        return packet - before[0], step


class TableMeter:
    """Measures the intervals of tables. Each table is dated between the two clocks around it."""

    def __init__(self, limit_ms: float) -> None:
        self.meters: dict[str, IntervalMeter] = {}
        self._limit_ms = limit_ms
        self._waiting: list[tuple[str, int]] = []

    def add(self, table: str, packet: int) -> None:
        """Take a table that was complete with a packet."""
        if table not in self.meters:
            self.meters[table] = IntervalMeter(self._limit_ms)
        self.meters[table].count += 1
        if len(self._waiting) < _WAITING_MAX:
            self._waiting.append((table, packet))

    def date(self, clock: ClockMeter, covered: tuple[int, int] | None) -> None:
        """Date the waiting tables, because the clock was read again. `covered` is the result of its `add`."""
        if covered is None or clock.last is None:
            for meter in self.meters.values():
                meter.forget_last()
        else:
            packets, ticks = covered
            for table, packet in self._waiting:
                back = (clock.last[0] - packet) / packets if packets else 0.0
                self.meters[table].add(clock.elapsed - min(back, 1.0) * ticks)
        self._waiting.clear()

    def result(self, table: str) -> Repetition:
        """Return the statistics of a table's intervals."""
        meter = self.meters.get(table) or IntervalMeter(self._limit_ms)
        return meter.result()
