"""Reads a file as SRT messages of seven packets, each with the time at which it is due by the PCR."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from app.domain.constants import SRT_PAYLOAD_BYTES, TS_PACKETS_PER_SRT_PACKET
from app.domain.endings import Finished
from app.domain.events import NoticeCode
from app.domain.status import Reason
from app.machine.steady_clock import unix_now
from app.mpegts.timing import ClockFault, NoClock, PacketTimer, Stretch
from app.protocol import Notice, Notify
from app.sources.looping_file import LoopingReader

_TICKS_A_US: Final = 27
_REPORTED_AGAIN_S: Final = 60.0
_FAULTS: Final = {
    ClockFault.JUMP: (
        NoticeCode.CLOCK_JUMPS,
        "the clock (PCR) jumps in the file; the packets keep the rate from before the jump",
    ),
    ClockFault.BACKWARD: (
        NoticeCode.CLOCK_BACKWARD,
        "the clock (PCR) stops or runs backward in the file; the packets keep their rate",
    ),
    ClockFault.MISSING: (
        NoticeCode.CLOCK_MISSING,
        "the file has no clock (PCR) for a second; the packets keep their rate",
    ),
}


class TimedBlock(NamedTuple):
    """Consecutive messages, each with its due time: that of its first packet, in microseconds after the source's start.

    All messages have SRT_PAYLOAD_BYTES, except the last one of a file that is played once.
    """

    due_us: list[float]
    data: bytearray


class TimedFile:
    """The messages of a file in order, read block by block on request."""

    def __init__(
        self, reader: LoopingReader, *, bitrate_bps: int | None, clock_pid: int | None, notify: Notify
    ) -> None:
        self._reader = reader
        self._notify = notify
        self._timer = PacketTimer(bitrate_bps=bitrate_bps, clock_pid=clock_pid)
        self._reference = clock_pid
        self._reported_at: dict[ClockFault, float] = {}
        self._data = bytearray()  # bytes that were read and not yielded, from the start of a message
        self._due_us: list[float] = []  # due times of the messages in `_data` whose first packet is timed
        self._timed_packets = 0  # of `_data`

    def blocks(self) -> Iterator[TimedBlock]:
        """Yield the messages. A looped file never ends. Raises Finished if the file becomes unusable."""
        while (block := self._reader.read()) is not None:
            self._data += block
            self._book(self._times_of(block))
            if whole := self._timed_packets // TS_PACKETS_PER_SRT_PACKET:
                yield self._cut(whole)
            if (reference := self._reader.reference()) != self._reference:
                self._reference = reference
                self._timer.prefer(reference)
        self._book(self._timer.finish())
        if self._due_us:
            yield self._cut(len(self._due_us))

    def _times_of(self, block: bytearray) -> list[Stretch]:
        try:
            stretches = self._timer.take(block)
        except NoClock:
            raise Finished(Reason.NO_PCR, "the file shows no running clock (PCR)") from None
        if self._timer.faults:
            self._report()
        return stretches

    def _book(self, stretches: list[Stretch]) -> None:
        """Note the times of the messages that begin in these stretches."""
        for packets, start, step in stretches:
            first = -self._timed_packets % TS_PACKETS_PER_SRT_PACKET
            starts = range(first, packets, TS_PACKETS_PER_SRT_PACKET)
            self._due_us += [(start + packet * step) / _TICKS_A_US for packet in starts]
            self._timed_packets += packets

    def _cut(self, messages: int) -> TimedBlock:
        size = messages * SRT_PAYLOAD_BYTES
        cut = TimedBlock(self._due_us[:messages], self._data[:size])
        del self._due_us[:messages], self._data[:size]
        self._timed_packets -= messages * TS_PACKETS_PER_SRT_PACKET
        return cut

    def _report(self) -> None:
        now = unix_now()
        for fault in self._timer.faults:
            if now - self._reported_at.get(fault, 0.0) >= _REPORTED_AGAIN_S:
                self._reported_at[fault] = now
                self._notify(Notice(now, *_FAULTS[fault]))
        self._timer.faults.clear()
