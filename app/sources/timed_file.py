"""A file as SRT messages with the time at which each is due: its reader's blocks, timed by PCR, seven packets each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from app.domain.constants import SRT_PAYLOAD_BYTES, TS_PACKETS_PER_SRT_PACKET
from app.domain.endings import Finished
from app.domain.events import NoticeCode
from app.domain.status import Reason
from app.machine.steady_clock import unix_now
from app.mpegts.packets import PACKET_BYTES
from app.mpegts.timing import ClockFault, NoClock, PacketTimer, Stretch
from app.protocol import Notice, Tell
from app.sources.looping_file import LoopingReader

_TICKS_A_US: Final = 27
_TOLD_AGAIN_S: Final = 60.0
_FAULTS: Final = {
    ClockFault.JUMP: (
        NoticeCode.CLOCK_JUMPS,
        "the clock (PCR) jumps in the file; the packets keep the pace before the jump",
    ),
    ClockFault.BACKWARD: (
        NoticeCode.CLOCK_BACKWARD,
        "the clock (PCR) stops or runs backward in the file; the packets keep their pace",
    ),
    ClockFault.MISSING: (
        NoticeCode.CLOCK_MISSING,
        "the file has no clock (PCR) for a second; the packets keep their pace",
    ),
}


class TimedMessage(NamedTuple):
    """A message and when it is due: its first packet's time, microseconds after the source's start."""

    due_us: float
    data: bytes


class TimedFile:
    """The messages of a file, in order, read as they are asked for."""

    def __init__(self, reader: LoopingReader, *, bitrate_bps: int | None, clock_pid: int | None, tell: Tell) -> None:
        self._reader = reader
        self._tell = tell
        self._timer = PacketTimer(bitrate_bps=bitrate_bps, clock_pid=clock_pid)
        self._reference = clock_pid
        self._told_at: dict[ClockFault, float] = {}

    def messages(self) -> Iterator[TimedMessage]:
        """Yield the messages; a looped file never ends. Raises Finished when the file goes bad."""
        data, begun_us, begun_packets = bytearray(), 0.0, 0
        for stretch in self._stretches(data):
            at = 0
            if begun_packets:
                at = min(TS_PACKETS_PER_SRT_PACKET - begun_packets, stretch.packets)
                begun_packets += at
                if begun_packets < TS_PACKETS_PER_SRT_PACKET:
                    continue
                yield TimedMessage(begun_us, _taken(data, SRT_PAYLOAD_BYTES))
                begun_packets = 0
            whole = (stretch.packets - at) // TS_PACKETS_PER_SRT_PACKET
            cut = _taken(data, whole * SRT_PAYLOAD_BYTES)
            for number in range(whole):
                due_us = (stretch.start + (at + number * TS_PACKETS_PER_SRT_PACKET) * stretch.step) / _TICKS_A_US
                yield TimedMessage(due_us, cut[number * SRT_PAYLOAD_BYTES : (number + 1) * SRT_PAYLOAD_BYTES])
            at += whole * TS_PACKETS_PER_SRT_PACKET
            begun_us, begun_packets = (stretch.start + at * stretch.step) / _TICKS_A_US, stretch.packets - at
        if begun_packets:
            yield TimedMessage(begun_us, _taken(data, begun_packets * PACKET_BYTES))

    def _stretches(self, data: bytearray) -> Iterator[Stretch]:
        """Yield stretches and put their packets into `data`, those of later stretches behind them."""
        while (block := self._reader.read()) is not None:
            data += block
            try:
                stretches = self._timer.take(block)
            except NoClock:
                raise Finished(Reason.NO_PCR, "the file shows no running clock (PCR)") from None
            if self._timer.faults:
                self._report()
            yield from stretches
            if (reference := self._reader.reference()) != self._reference:
                self._reference = reference
                self._timer.prefer(reference)
        yield from self._timer.finish()

    def _report(self) -> None:
        now = unix_now()
        for fault in self._timer.faults:
            if now - self._told_at.get(fault, 0.0) >= _TOLD_AGAIN_S:
                self._told_at[fault] = now
                self._tell(Notice(now, *_FAULTS[fault]))
        self._timer.faults.clear()


def _taken(data: bytearray, size: int) -> bytes:
    taken = bytes(memoryview(data)[:size])
    del data[:size]
    return taken
