"""Computes when each packet of a transport stream is due, between the readings of one programme clock (PCR).

Pure: it takes blocks of packets and returns stretches of evenly spaced ones. The timeline begins at 0 with the first
packet and never steps back: if the clock jumps, stops or is missing, packets keep their previous pace.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Final, NamedTuple

from app.domain.constants import TS_PACKET_BYTES
from app.mpegts.packets import (
    HAS_PCR,
    PACKET_BYTES,
    PCR_HZ,
    PCR_OFFSET,
    Block,
    clock_step,
    marked,
    marks,
    pids,
    read_pcr,
)

# A longer interval between two readings is a jump or a missing clock.
HOLE_TICKS: Final = PCR_HZ
# The pace is taken over this many intervals, about one second.
_PACE_INTERVALS: Final = 32
# A stretch this many times faster than the pace before it is a jump too, not a variable bitrate.
_FASTER_MAX: Final = 20
_FEW_PACKETS: Final = 100
# After this many packets without a clock and without a known pace, the stream has no clock.
_UNTIMED_PACKETS_MAX: Final = 8_000_000 // TS_PACKET_BYTES


class Stretch(NamedTuple):
    """Consecutive packets: the first is due at `start`, each further one `step` later, in ticks of 27 MHz."""

    packets: int
    start: float
    step: float


class ClockFault(StrEnum):
    """A fault of the clock, which was bridged with the pace before it."""

    JUMP = "jump"
    BACKWARD = "backward"
    MISSING = "missing"


class NoClock(Exception):
    """No pace is known, and there is no clock to show one."""


class PacketTimer:
    """Times the packets of one stream. `faults` collects bridged faults; its owner empties it."""

    def __init__(self, *, bitrate_bps: int | None = None, clock_pid: int | None = None) -> None:
        """`bitrate_bps` is the pace until the clock shows one; `clock_pid` is the preferred clock."""
        self.faults: set[ClockFault] = set()
        self._clock_pid = clock_pid
        self._known_step = TS_PACKET_BYTES * 8 * PCR_HZ / bitrate_bps if bitrate_bps else None
        self._seen = 0  # packets that came
        self._timed = 0  # packets before this one are timed, and this one is due at `_now`
        self._now = 0.0
        self._reading: int | None = None  # the clock at packet `_timed`, None when that packet has none
        self._first: tuple[int, int] | None = None  # a first reading while no pace is known
        self._latest: dict[int, int] = {}  # clocks, each with the packet of its last reading
        self._points: deque[tuple[int, float]] = deque(maxlen=_PACE_INTERVALS + 1)

    def prefer(self, clock_pid: int | None) -> None:
        """Follow this clock from the next reading on."""
        if clock_pid is not None and clock_pid != self._clock_pid:
            self._clock_pid, self._reading, self._first = clock_pid, None, None

    def take(self, block: Block) -> list[Stretch]:
        """Return the stretches that this block's clock readings complete, in order. Raises NoClock."""
        found, made = marks(block), []
        pid_of = pids(block)
        for index in marked(found):
            if not found[index] & HAS_PCR:
                continue
            pid, packet = pid_of[index], self._seen + index
            self._latest[pid] = packet
            if self._clock_pid is None:
                self._clock_pid = pid
            if pid == self._clock_pid:
                made += self._read(packet, read_pcr(block, index * PACKET_BYTES + PCR_OFFSET))
        self._seen += len(block) // PACKET_BYTES
        return made + self._overdue()

    def finish(self) -> list[Stretch]:
        """Return the last stretch: the packets after the last reading."""
        step = self._step()
        return self._pass_to(self._seen, step if step is not None else 0.0)

    def _step(self) -> float | None:
        """Return the ticks per packet by the latest intervals, else by the known bitrate."""
        if len(self._points) > 1:
            (packet, at), (packet_now, now) = self._points[0], self._points[-1]
            return (now - at) / (packet_now - packet)
        return self._known_step

    def _read(self, packet: int, pcr: int) -> list[Stretch]:
        """Time the packets up to a reading."""
        if self._reading is None:
            return self._read_first(packet, pcr)
        packets, ticks = packet - self._timed, clock_step(self._reading, pcr)
        pace = self._step()
        is_burst = pace is not None and packets > _FEW_PACKETS and ticks * _FASTER_MAX < packets * pace
        if 0 < ticks <= HOLE_TICKS and not is_burst:
            made = self._pass_to(packet, ticks / packets)
            self._now = made[0].start + ticks if made else self._now  # exact, without the rounding of the division
        else:
            self.faults.add(ClockFault.JUMP if ticks > 0 else ClockFault.BACKWARD)
            self._points.clear()
            if pace is None:
                return self._restart(packet, pcr)
            self._known_step = pace
            made = self._pass_to(packet, pace)
        self._reading = pcr
        self._points.append((packet, self._now))
        return made

    def _read_first(self, packet: int, pcr: int) -> list[Stretch]:
        """Take a first reading. Waiting packets get the known pace, or else wait for the next reading."""
        pace = self._step()
        if pace is None and self._first is not None:
            packets, ticks = packet - self._first[0], clock_step(self._first[1], pcr)
            if not 0 < ticks <= HOLE_TICKS:
                return self._restart(packet, pcr)
            pace = self._known_step = ticks / packets
        if pace is None:
            self._first = (packet, pcr)
            return []
        self._first = None
        made = self._pass_to(packet, pace)
        self._reading = pcr
        self._points.append((packet, self._now))
        return made

    def _restart(self, packet: int, pcr: int) -> list[Stretch]:
        self._reading, self._first = None, (packet, pcr)
        return []

    def _overdue(self) -> list[Stretch]:
        """Time packets that have waited too long for a reading, and follow a clock that still runs."""
        waiting, pace = self._seen - self._timed, self._step()
        if pace is None:
            if waiting > _UNTIMED_PACKETS_MAX:
                raise NoClock
            return []
        if waiting * pace <= HOLE_TICKS:
            return []
        self.faults.add(ClockFault.MISSING)
        running = {pid: at for pid, at in self._latest.items() if at >= self._timed}
        if running:
            self._clock_pid = max(running, key=running.__getitem__)
        self._known_step = pace
        self._points.clear()
        self._reading = None
        return self._pass_to(self._seen, pace)

    def _pass_to(self, packet: int, step: float) -> list[Stretch]:
        packets, start = packet - self._timed, self._now
        self._timed, self._now = packet, start + packets * step
        return [Stretch(packets, start, step)] if packets else []
