"""The clocks (PCR) of a received stream: their intervals, jumps and accuracy.

Intervals and jumps are judged by the clock's own steps. The time of arrival only distinguishes the two, because it
includes the sender's jitter. Accuracy is judged by byte position, and only at a constant bitrate.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from app.domain.constants import PCR_INTERVAL_MS_MPEG
from app.mpegts.inspect.live.indicators import Board
from app.mpegts.packets import PCR_HZ, PCR_WRAP, clock_step

PCR_INTERVAL_S: Final = PCR_INTERVAL_MS_MPEG / 1000
# After this long without a clock, the error is raised before the next one comes. It allows for a sender's jitter.
_SILENCE_S: Final = 0.2
_CLOCKS_MAX: Final = 32
_LIMIT_TICKS: Final = PCR_HZ * PCR_INTERVAL_S
_ACCURACY_TICKS: Final = 500e-9 * PCR_HZ  # ETSI TR 101 290, 2.4
# A step agrees with the time of arrival when they differ by no more than this and a tenth of the step.
_AGREES_S: Final = 0.06
_READINGS_MAX: Final = 128
_READINGS_NEEDED: Final = 32
_SPAN_NEEDED_S: Final = 1.0
_FIT_EVERY_S: Final = 1.0
# In a constant-rate stream, most clocks are within this many packets of their byte position.
_CONSTANT_WITHIN_PACKETS: Final = 1.0
# A larger surplus or deficit between two clocks means that packets were added or removed; the clock is correct.
_STEP_PACKETS: Final = 2.0
# A constant rate expires when it was not confirmed for this long.
_CONFIRMED_FOR_S: Final = 10.0


class ClockWatch:
    """One PCR PID. `residual` is the median distance from a constant rate in packets, None while it is not known."""

    __slots__ = ("_fitted", "_judged", "_readings", "_ticks_a_packet", "_unwrapped", "last", "last_at", "residual")

    def __init__(self) -> None:
        self.last: int | None = None
        self.last_at = 0.0
        self.residual: float | None = None
        self._unwrapped = 0
        self._readings: deque[tuple[int, int]] = deque(maxlen=_READINGS_MAX)
        self._fitted = 0.0
        # The constant rate of the last fit.
        self._ticks_a_packet: float | None = None
        # Readings from this position on have not been judged yet.
        self._judged = 0

    def restart(self, at: float) -> None:
        """Begin again after an interruption of the stream."""
        self.last, self.last_at = None, at
        self.lose_position()

    def lose_position(self) -> None:
        """Begin the measurement by byte position again, because packets are missing."""
        self._readings.clear()

    def step_to(self, pcr: int, at: float) -> tuple[float, float] | None:
        """Take a reading. Return its step by the clock and by arrival in seconds, None for the first one."""
        before, before_at = self.last, self.last_at
        self.last, self.last_at = pcr, at
        return None if before is None else (clock_step(before, pcr) / PCR_HZ, at - before_at)

    def place(self, position: int, ticks: float) -> None:
        """Note the packet position of the reading, `ticks` after the one before."""
        if self._readings and self._ticks_a_packet:
            expected = ticks / self._ticks_a_packet
            if abs(position - self._readings[-1][0] - expected) > _STEP_PACKETS:
                self._readings.clear()
        self._unwrapped += round(ticks)
        self._readings.append((position, self._unwrapped))

    def inaccurate(self, at: float) -> list[float]:
        """Return errors above the limit, in nanoseconds, of readings that were not judged yet; once a second."""
        readings = self._readings
        if self._ticks_a_packet and at - self._fitted > _CONFIRMED_FOR_S:
            self._ticks_a_packet = self.residual = None
        if at - self._fitted < _FIT_EVERY_S or len(readings) < _READINGS_NEEDED:
            return []
        if readings[-1][1] - readings[0][1] < _SPAN_NEEDED_S * PCR_HZ:
            return []
        self._fitted = at
        residuals, ticks_a_packet = _robust_residuals(list(readings))
        self.residual = sorted(map(abs, residuals))[len(residuals) // 2] / ticks_a_packet if ticks_a_packet else 1e9
        judged, self._judged = self._judged, readings[-1][0] + 1
        is_constant = self.residual <= _CONSTANT_WITHIN_PACKETS
        self._ticks_a_packet = ticks_a_packet if is_constant else None
        if not is_constant:
            return []
        return [
            error * 1e9 / PCR_HZ
            for (position, _), error in zip(readings, residuals, strict=True)
            if position >= judged and abs(error) > _ACCURACY_TICKS
        ]


class Clocks:
    """All PCR PIDs of a stream, at most 32."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.by_pid: dict[int, ClockWatch] = {}

    def follow(self, pids: frozenset[int], at: float) -> None:
        """Watch exactly these PIDs, each from now on at the latest."""
        for pid in [pid for pid in self.by_pid if pid not in pids]:
            del self.by_pid[pid]
            self._board["pcr_repetition_error"].end(pid)
        for pid in sorted(pids):
            if pid not in self.by_pid and len(self.by_pid) < _CLOCKS_MAX:
                self.by_pid[pid] = ClockWatch()
                self.by_pid[pid].restart(at)

    def take(self, pid: int, pcr: int, *, at: float, position: int, announced: bool) -> None:
        """Take a reading in the packet `position`; `announced` when discontinuity_indicator is set."""
        watch = self.by_pid.get(pid)
        if watch is None:
            return
        if pcr >= PCR_WRAP:
            self._board["pcr_discontinuity_indicator_error"].hit(at, f"PID 0x{pid:X}: not a valid clock value: {pcr}")
            return
        steps = watch.step_to(pcr, at)
        was_missing = self._board["pcr_repetition_error"].end(pid)
        if steps is None or announced:
            watch.lose_position()
            watch.place(position, 0)
            return
        by_clock, by_arrival = steps
        if 0 <= by_clock <= PCR_INTERVAL_S:
            if by_arrival > _SILENCE_S and not was_missing:
                self._late(pid, by_arrival, at)
        elif by_clock > 0 and abs(by_clock - by_arrival) <= _AGREES_S + by_clock / 10:
            if not was_missing:
                self._late(pid, by_clock, at)
        else:
            text = f"PID 0x{pid:X} jumped by {by_clock * 1000:+.0f} ms without discontinuity_indicator"
            self._board["pcr_discontinuity_indicator_error"].hit(at, text)
            watch.lose_position()
            by_clock = 0
        watch.place(position, by_clock * PCR_HZ)

    def check(self, at: float) -> None:
        """Raise the errors that are due without a further reading, and judge the accuracy."""
        for pid, watch in self.by_pid.items():
            if at - watch.last_at > _SILENCE_S:
                text = f"no PCR on PID 0x{pid:X} for more than {_SILENCE_S * 1000:.0f} ms"
                self._board["pcr_repetition_error"].begin(pid, at, text)
            for error_ns in watch.inaccurate(at):
                self._board["pcr_accuracy_error"].hit(at, f"PID 0x{pid:X}: {error_ns:+.0f} ns from its byte position")

    def restart(self, at: float) -> None:
        """Begin again after an interruption."""
        for watch in self.by_pid.values():
            watch.restart(at)

    def lose_position(self) -> None:
        """Begin all measurements by byte position again."""
        for watch in self.by_pid.values():
            watch.lose_position()

    def is_constant_bitrate(self) -> bool | None:
        """Report whether the packets come at a constant rate by the best measured clock; None while it is not known."""
        known = [watch.residual for watch in self.by_pid.values() if watch.residual is not None]
        return min(known) <= _CONSTANT_WITHIN_PACKETS if known else None

    def _late(self, pid: int, interval_s: float, at: float) -> None:
        text = f"PID 0x{pid:X}: {interval_s * 1000:.0f} ms between two PCRs, at most {PCR_INTERVAL_S * 1000:.0f} ms"
        self._board["pcr_repetition_error"].hit(at, text)


def _robust_residuals(readings: list[tuple[int, int]]) -> tuple[list[float], float]:
    """Return how far each reading is from the line through the exact ones, in ticks, and the ticks of a packet."""
    origin, start = readings[0]
    points = [(position - origin, ticks - start) for position, ticks in readings]
    residuals, slope = _residuals(points, points)
    typical = sorted(map(abs, residuals))[len(residuals) // 2]
    limit = _ACCURACY_TICKS + 3 * typical
    exact = [point for point, error in zip(points, residuals, strict=True) if abs(error) <= limit]
    return (residuals, slope) if len(exact) == len(points) else _residuals(points, exact)


def _residuals(points: list[tuple[int, int]], exact: list[tuple[int, int]]) -> tuple[list[float], float]:
    """Return how far each point is from the line through the exact ones, and the slope of the line."""
    mean_x = sum(x for x, _ in exact) / len(exact)
    mean_y = sum(y for _, y in exact) / len(exact)
    variance = sum((x - mean_x) ** 2 for x, _ in exact)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in exact) / variance if variance else 0.0
    return [y - mean_y - slope * (x - mean_x) for x, y in points], slope
