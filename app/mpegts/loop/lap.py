"""Records the clocks, access units and counters of one pass over a file, as they are in the file.

A lap needs constant memory: only the first and the last readings of each clock are kept.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from app.domain.constants import CBR_TOLERANCE
from app.mpegts.packets import PCR_HZ, PTS_HZ, PTS_WRAP, clock_step

# A local rate is taken over this many PCR intervals, about one second: long against the jitter of one, short against
# the changes of a variable bitrate.
RATE_INTERVALS: Final = 32
# Stretches of this many intervals are compared to distinguish constant from variable bitrate; each has fewer frames
# than a group.
_COMPARED_INTERVALS: Final = 8
JUMP_TICKS: Final = PCR_HZ  # a step over one second is a jump
_CONSTANT_WITHIN_PACKETS: Final = 2
# Private streams with units further apart have no regular interval.
_CADENCE_TICKS_MAX: Final = PTS_HZ // 10
# A full multiplex has about thirty programmes. Further clocks come from broken packets and follow the first.
_CLOCKS_MAX: Final = 64

# A PCR: the packet's index in the lap, and 27 MHz ticks.
Reading = tuple[int, int]


class ClockTrack:
    """The readings of one PCR PID."""

    __slots__ = ("_windows", "first", "longest", "most_packets", "recent")

    def __init__(self) -> None:
        self.first: list[Reading] = []
        self.recent: deque[Reading] = deque(maxlen=RATE_INTERVALS + 1)
        # The longest interval in ticks, and the largest number of packets from one reading to the next.
        self.longest = 0
        self.most_packets = 0
        # Packets and ticks of the slowest and the fastest stretch.
        self._windows: tuple[Reading, Reading] | None = None

    def add(self, packet: int, pcr: int) -> None:
        """Take the next reading. A jump of the clock ends the stretch over which rates are measured."""
        recent = self.recent
        if recent:
            step = clock_step(recent[-1][1], pcr)
            if not 0 < step <= JUMP_TICKS:
                recent.clear()
            else:
                self.longest = max(self.longest, step)
                self.most_packets = max(self.most_packets, packet - recent[-1][0])
        recent.append((packet, pcr))
        if len(self.first) <= RATE_INTERVALS and len(recent) == len(self.first) + 1:
            self.first.append((packet, pcr))
        if len(recent) > _COMPARED_INTERVALS:
            packet_before, pcr_before = recent[-1 - _COMPARED_INTERVALS]
            self._compare(packet - packet_before, pcr - pcr_before)

    def _compare(self, packets: int, ticks: int) -> None:
        if ticks <= 0:
            return  # the window spans the wrap; the next one decides
        window = (packets, ticks)
        slowest, fastest = self._windows or (window, window)
        if packets * slowest[1] < slowest[0] * ticks:
            slowest = window
        if packets * fastest[1] > fastest[0] * ticks:
            fastest = window
        self._windows = slowest, fastest

    @property
    def last(self) -> Reading:
        """The latest reading."""
        return self.recent[-1]

    def is_constant(self) -> bool:
        """Return whether all stretches have the same packet rate, within 1 % or two packets; False if too short."""
        if self._windows is None:
            return False
        slowest, fastest = self._windows
        expected = fastest[0] * slowest[1] / fastest[1]
        return expected - slowest[0] <= max(_CONSTANT_WITHIN_PACKETS, expected * CBR_TOLERANCE)

    def rate_at_start(self) -> float:
        """Return the packets per tick over the first readings, 0.0 if there are too few."""
        return _rate(self.first[0], self.first[-1])

    def rate_at_end(self) -> float:
        """Return the packets per tick over the last readings, 0.0 if there are too few."""
        return _rate(self.recent[0], self.recent[-1])


class UnitTrack:
    """The decoding times (90 kHz) of one PID's PES packets: the first, the last, and how long the last one plays."""

    __slots__ = ("_bytes", "_length", "_step", "_stream_id", "_ticks", "first", "last")

    def __init__(self, time: int, stream_id: int, length: int) -> None:
        self.first = self.last = time
        self._stream_id = stream_id
        self._length = length
        self._step = PTS_WRAP
        self._ticks = self._bytes = 0

    def add(self, time: int, length: int) -> None:
        """Take the time and the length field (0: not stated) of the next PES packet."""
        step = (time - self.last) % PTS_WRAP
        if 0 < step < PTS_HZ:
            self._step = min(step, self._step)
            self._ticks += step
            self._bytes += self._length
        self.last, self._length = time, length

    def last_duration(self) -> int:
        """Return the ticks for which the last PES packet plays; 1 for units at irregular times (subtitles).

        A video packet is one picture and lasts the shortest step. A sound packet may hold fewer frames than the others
        at the end of a file: it lasts as long as its bytes do on average.
        """
        if self._step == PTS_WRAP:
            return 1
        if 0xC0 <= self._stream_id <= 0xDF and self._bytes:
            return min(self._length * self._ticks // self._bytes, 2 * self._step)
        is_video = 0xE0 <= self._stream_id <= 0xEF
        return self._step if is_video or self._step <= _CADENCE_TICKS_MAX else 1


class Lap:
    """One pass over a file. `counters` has the fourth header byte of the latest packet of each PID."""

    __slots__ = ("clocks", "counters", "packets", "units")

    def __init__(self) -> None:
        self.packets = 0
        self.clocks: dict[int, ClockTrack] = {}
        self.units: dict[int, UnitTrack] = {}
        self.counters: dict[int, int] = {}

    def add_pcr(self, pid: int, packet: int, pcr: int) -> None:
        """Take a PCR that is in the lap's packet number `packet`."""
        track = self.clocks.get(pid)
        if track is None:
            if len(self.clocks) >= _CLOCKS_MAX:
                return
            track = self.clocks[pid] = ClockTrack()
        track.add(packet, pcr)

    def add_unit(self, pid: int, time: int, stream_id: int, length: int) -> None:
        """Take the decoding time, stream id and length field of a PES packet."""
        track = self.units.get(pid)
        if track is None:
            self.units[pid] = UnitTrack(time, stream_id, length)
        else:
            track.add(time, length)


def _rate(before: Reading, after: Reading) -> float:
    ticks = clock_step(before[1], after[1])
    return (after[0] - before[0]) / ticks if ticks > 0 else 0.0
