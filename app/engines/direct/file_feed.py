"""A file as a feed: timed by its clock and sent early by a turn and a margin, so that no packet is late."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from app.domain.constants import SRT_PAYLOAD_BYTES
from app.domain.endings import CannotSend
from app.domain.events import HOST_DELAYED_STREAM, NoticeCode
from app.domain.figures.sample import Input
from app.domain.spec import FileSource
from app.domain.status import Reason
from app.engines.direct.feed import FILE_AHEAD_US, FILE_TURN_US, lag_max_us
from app.engines.direct.pace import Pace
from app.machine.steady_clock import unix_now
from app.mpegts.marked_packets import MarkedPackets
from app.protocol import Job, Notice, Notify
from app.sources.looping_file import LoopingReader
from app.sources.timed_file import TimedBlock, TimedFile
from app.srt.messages import Batch, MessageBuffer

_PAUSE_REPORTED_US: Final = 500_000
_NOTHING: Final = TimedBlock([], bytearray())


class FileFeed:
    """A Feed of a file, looped or played once."""

    def __init__(self, job: Job, source: FileSource, latency_ms: int, notify: Notify) -> None:
        """Open the file. Raises CannotSend or Finished."""
        if job.file_path is None:
            raise CannotSend(Reason.FILE_MISSING, "the order names no file")
        self.turn_us = FILE_TURN_US
        self._notify = notify
        self._reader = LoopingReader(job.file_path, loop=source.loop, bitrate_bps=job.bitrate_bps, notify=notify)
        timed = TimedFile(self._reader, bitrate_bps=job.bitrate_bps, clock_pid=job.clock_pid, notify=notify)
        self._blocks: Iterator[TimedBlock] = timed.blocks()
        self._marked = MarkedPackets()
        self._pace = Pace(turn_us=FILE_TURN_US, lag_max_us=lag_max_us(latency_ms), is_live=False)
        self._shift_us = 0.0  # offset from the file's time to the clock's
        self._start_us = 0
        self._take_block()
        self._counted: tuple[int, float | None] = (0, None)

    def _take_block(self) -> None:
        """Go to the next block; at the end of the file there is none."""
        self._due_us, data = next(self._blocks, _NOTHING)
        self._next, self._count = 0, len(self._due_us)
        if self._count:
            self._marked.check(data)
            self._buffer = MessageBuffer(data, SRT_PAYLOAD_BYTES, self._times())

    def _times(self) -> list[int]:
        shift_us = self._shift_us
        return [round(due_us + shift_us) for due_us in self._due_us]

    def start(self, now_us: int) -> None:
        """Begin: the first message is due now."""
        self._start_us = now_us
        self._shift(now_us)

    def _shift(self, shift_us: float) -> None:
        self._shift_us = shift_us
        if self._count:
            self._buffer.stamp(self._times())

    def due(self, now_us: int) -> list[Batch]:
        """Return the messages of this turn. Raises Finished when the file is no longer usable."""
        made: list[Batch] = []
        if not self._count:
            return made
        until_us = self._pace.may_go(self._due_us[self._next] + self._start_us, now_us, FILE_AHEAD_US)
        if self._pace.paused_us:
            self._report_pause()
            self._shift(self._pace.time_of(self._start_us))
        until_us, size = until_us - self._shift_us, 0
        while self._count:
            first, end = self._next, bisect_right(self._due_us, until_us, self._next)
            if end > first:
                made.append(Batch(self._buffer, first, end))
                size += self._buffer.bytes_of(first, end)
                self._next = end
            if end < self._count:
                break
            self._take_block()
        if size:
            self._counted = (self._counted[0] + size, unix_now())
        return made

    def _report_pause(self) -> None:
        if self._pace.paused_us >= _PAUSE_REPORTED_US:
            text = f"{HOST_DELAYED_STREAM} {self._pace.paused_us / 1e6:.1f} s"
            self._notify(Notice(unix_now(), NoticeCode.MACHINE_PAUSED, text))
        self._pace.paused_us = 0.0

    def has_ended(self) -> bool:
        """Whether the file was played once, to its end."""
        return not self._count

    def read_input(self) -> Input:
        """Return bytes and laps of the file so far, and check whether the file has changed."""
        self._reader.check_file()
        bytes_total, counted_at = self._counted
        return Input(
            bytes_total=bytes_total,
            loops_total=self._reader.laps,
            last_packet_age_s=None if counted_at is None else unix_now() - counted_at,
            counted_at=counted_at,
            packets_scrambled_total=self._marked.scrambled_total,
            packets_errored_total=self._marked.errored_total,
        )

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
