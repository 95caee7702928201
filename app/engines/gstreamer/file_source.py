"""A transport stream file as a pipeline source: appsrc passes a reader's chunks on; tsparse paces and cuts them.

appsrc is used instead of filesrc, because the chunks of a looped file are rewritten (see `mpegts.loop`). A separate
thread pushes them: appsrc's need-data would run Python in the thread that paces packets, which tripled the PCR jitter
at the receiver.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final, Protocol

from app.domain.endings import Finished
from app.engines.gstreamer.discards import Discards
from app.engines.gstreamer.gst import Gst
from app.engines.gstreamer.source import Progress, make, make_tsparse
from app.machine.steady_clock import unix_now
from app.mpegts.loop.empty_pat import EmptyPatFilter
from app.protocol import Input, Notify

# tsparse holds packets back until it has seen two PCRs. More input than this without output means that none will come.
_HOARD_BYTES_MAX: Final = 32 * 1024 * 1024
_PIECES_UNDER_WAY: Final = 2  # one in tsparse, one in the queue


class Reader(Protocol):
    """Returns a file's packets in chunks of whole packets. `laps` counts how often it began again."""

    laps: int

    def read(self) -> bytearray | None:
        """Return the next chunk, None at the end. Raises Finished when the file is no longer usable."""

    def check_file(self) -> object:
        """Check whether the file changed on disk and report each change once."""

    def close(self) -> None:
        """Close the file."""


class FilePart:
    """A SourcePart that plays the chunks of a reader."""

    def __init__(
        self, reader: Reader, *, piece_bytes: int, smoothing_latency_ms: int, progress: Progress, notify: Notify
    ) -> None:
        """`piece_bytes` is the size of the pieces that go into the pipeline."""
        self._reader = reader
        self._piece_bytes = piece_bytes
        self._progress = progress
        self._empty_pats = EmptyPatFilter()
        self._discards = Discards(notify)
        self._fault: Finished | None = None
        self._rendered_ns: int | None = None
        # One value, because threads read both together: the bytes that left the pipeline, and when the last did.
        self._counted: tuple[int, float | None] = (0, None)
        self._under_way: deque[int] = deque()
        self._bytes_at_progress = 0
        # One piece waits at a time, whatever its size. A piece enters when the one before the last has left.
        self._appsrc = make("appsrc", format=Gst.Format.BYTES, max_bytes=1, block=True)
        self.elements = [self._appsrc, make_tsparse(smoothing_latency_ms)]
        self._feeder = threading.Thread(target=self._feed, name="feeder", daemon=True)

    def start(self) -> None:
        """Begin to feed; appsrc must be in a pipeline that is at least paused."""
        self._feeder.start()

    def _feed(self) -> None:
        """Push chunk after chunk. Pushing blocks while the queue is full, and fails when the pipeline stops."""
        while (chunk := self._next_chunk()) is not None:
            for at in range(0, len(chunk), self._piece_bytes):
                piece = bytes(memoryview(chunk)[at : at + self._piece_bytes])
                if self._appsrc.push_buffer(Gst.Buffer.new_wrapped(piece)) is not Gst.FlowReturn.OK:
                    return
                self._count(len(piece))
        self._appsrc.end_of_stream()
        self._counted = (self._counted[0] + sum(self._under_way), unix_now())

    def _count(self, size: int) -> None:
        """Count a piece when it leaves the pipeline, not when it enters.

        At most two pieces are in flight (in tsparse and in appsrc's queue), so after a successful push the oldest one
        has left. Counting on entry would show the short pieces at a loop's seam as a rate spike.
        """
        if len(self._under_way) == _PIECES_UNDER_WAY:
            self._counted = (self._counted[0] + self._under_way.popleft(), unix_now())
        self._under_way.append(size)

    def _next_chunk(self) -> bytearray | None:
        try:
            self._check_hoarding()
            chunk = self._reader.read()
            if chunk is not None:
                self._empty_pats.filter(chunk)
                self._discards.check(chunk)
            return chunk
        except Finished as fault:
            self._fault = fault
            return None

    def _check_hoarding(self) -> None:
        bytes_total = self._counted[0]
        if bytes_total - self._bytes_at_progress <= _HOARD_BYTES_MAX:
            return
        if (rendered_ns := self._progress()) == self._rendered_ns:
            text = f"{_HOARD_BYTES_MAX // 2**20} MB were read, but no packet with a time came out"
            raise self._discards.fault_without_output(text)
        self._rendered_ns = rendered_ns
        self._bytes_at_progress = bytes_total

    def read_input(self) -> Input:
        """Return bytes and laps of the file so far, and check whether the file has changed."""
        self._reader.check_file()
        bytes_total, counted_at = self._counted
        counted = Input(
            bytes_total=bytes_total,
            loops_total=self._reader.laps,
            last_packet_age_s=None if counted_at is None else unix_now() - counted_at,
            counted_at=counted_at,
        )
        return self._discards.add_to(counted)

    def fault(self) -> Finished | None:
        """Return why the file ended early, None if it did not."""
        return self._fault

    def close(self) -> None:
        """Close the file as soon as no thread reads it."""
        if self._feeder.is_alive():
            self._feeder.join()
        self._reader.close()
