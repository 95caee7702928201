"""A file as a feed: timed by its clock, sent up to one turn before it is due, so that no packet is late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from app.domain.endings import CannotSend
from app.domain.events import NoticeCode
from app.domain.figures.sample import Input
from app.domain.spec import FileSource
from app.domain.status import Reason
from app.engines.direct.feed import Outgoing, lag_max_us, turn_us
from app.engines.direct.pace import Pace
from app.machine.steady_clock import unix_now
from app.protocol import Job, Notice, Tell
from app.sources.looping_file import LoopingReader
from app.sources.timed_file import TimedFile, TimedMessage

_PAUSE_TOLD_US: Final = 500_000


class FileFeed:
    """A Feed of a file, looped or played once."""

    def __init__(self, job: Job, source: FileSource, latency_ms: int, tell: Tell) -> None:
        """Open the file. Raises CannotSend or Finished."""
        if job.file_path is None:
            raise CannotSend(Reason.FILE_MISSING, "the order names no file")
        self.turn_us = turn_us(job.bitrate_bps)
        self._tell = tell
        self._reader = LoopingReader(job.file_path, loop=source.loop, bitrate_bps=job.bitrate_bps, tell=tell)
        timed = TimedFile(self._reader, bitrate_bps=job.bitrate_bps, clock_pid=job.clock_pid, tell=tell)
        self._messages: Iterator[TimedMessage] = timed.messages()
        self._next: TimedMessage | None = next(self._messages, None)
        self._pace = Pace(lag_max_us=lag_max_us(latency_ms), is_live=False)
        self._start_us = 0
        self._counted: tuple[int, float | None] = (0, None)

    def start(self, now_us: int) -> None:
        """Begin: the first message is due now."""
        self._start_us = now_us

    def due(self, now_us: int) -> list[Outgoing]:
        """The messages of this turn. Raises Finished when the file has gone bad."""
        made: list[Outgoing] = []
        if self._next is None:
            return made
        pace, start_us = self._pace, self._start_us
        until_us = pace.may_go(self._next.due_us + start_us, now_us, self.turn_us)
        if pace.paused_us:
            self._report_pause()
        size = 0
        while self._next is not None and (time_us := pace.time_of(self._next.due_us + start_us)) <= until_us:
            made.append(Outgoing(round(time_us), self._next.data))
            size += len(self._next.data)
            self._next = next(self._messages, None)
        if size:
            self._counted = (self._counted[0] + size, unix_now())
        return made

    def _report_pause(self) -> None:
        if self._pace.paused_us >= _PAUSE_TOLD_US:
            text = f"the machine held this stream up for {self._pace.paused_us / 1e6:.1f} s"
            self._tell(Notice(unix_now(), NoticeCode.MACHINE_PAUSED, text))
        self._pace.paused_us = 0.0

    def has_ended(self) -> bool:
        """Whether the file was played once, to its end."""
        return self._next is None

    def read_input(self) -> Input:
        """Bytes and laps of the file so far; checks on the way what became of the file."""
        self._reader.check_file()
        bytes_total, counted_at = self._counted
        return Input(
            bytes_total=bytes_total,
            loops_total=self._reader.laps,
            last_packet_age_s=None if counted_at is None else unix_now() - counted_at,
            counted_at=counted_at,
        )

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
