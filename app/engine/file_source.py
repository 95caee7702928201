"""A transport stream file as a pipeline source: a reader's chunks through appsrc, paced and cut by tsparse.

appsrc instead of filesrc, because the chunks of a looped file are rewritten on their way (see loop.py). They are pushed
by a thread of our own: appsrc's need-data would run Python in the very thread that paces packets, which tripled the PCR
jitter at the receiver.
"""

from __future__ import annotations

import threading
import time
from typing import Final, Protocol

from app.domain.status import Reason
from app.engine.gst import Gst
from app.engine.packet_file import BLOCK_BYTES
from app.engine.sender import Finished
from app.engine.source import Progress, make, make_tsparse
from app.protocol import Input

# tsparse holds packets back until it has seen two PCRs; more than this without output means that it never will.
_HOARD_BYTES_MAX: Final = 32 * 1024 * 1024
_QUEUE_BYTES: Final = 65_536


class Reader(Protocol):
    """Gives a file's packets in chunks of whole packets. `laps` counts how often it began again."""

    laps: int

    def read(self) -> bytes | bytearray | None:
        """The next chunk, or None at the end. Raises Finished when the file has gone bad."""

    def check_file(self) -> object:
        """Look what became of the file, and tell it once."""

    def close(self) -> None:
        """Close the file."""


class FilePart:
    """A SourcePart that plays what a reader gives."""

    def __init__(self, reader: Reader, *, smoothing_latency_ms: int, progress: Progress) -> None:
        self._reader = reader
        self._progress = progress
        self._fault: Finished | None = None
        self._rendered_ns: int | None = None
        self._bytes_total = 0
        self._bytes_at_progress = 0
        self._read_at: float | None = None
        self._appsrc = make("appsrc", format=Gst.Format.BYTES, max_bytes=_QUEUE_BYTES, block=True)
        self.elements = [self._appsrc, make_tsparse(smoothing_latency_ms)]
        self._feeder = threading.Thread(target=self._feed, name="feeder", daemon=True)

    def start(self) -> None:
        """Begin to feed; appsrc must be in a pipeline that is at least paused."""
        self._feeder.start()

    def _feed(self) -> None:
        """Push chunk after chunk; pushing blocks while the queue is full, and fails when the pipeline goes down."""
        while (chunk := self._next_chunk()) is not None:
            # Piece by piece, so that bytes count when they go and not long before.
            for at in range(0, len(chunk), BLOCK_BYTES):
                piece = bytes(memoryview(chunk)[at : at + BLOCK_BYTES])
                self._read_at = time.monotonic()
                self._bytes_total += len(piece)
                if self._appsrc.push_buffer(Gst.Buffer.new_wrapped(piece)) is not Gst.FlowReturn.OK:
                    return
        self._appsrc.end_of_stream()

    def _next_chunk(self) -> bytes | bytearray | None:
        try:
            self._check_hoarding()
            return self._reader.read()
        except Finished as fault:
            self._fault = fault
            return None

    def _check_hoarding(self) -> None:
        if self._bytes_total - self._bytes_at_progress <= _HOARD_BYTES_MAX:
            return
        if (rendered_ns := self._progress()) == self._rendered_ns:
            raise Finished(Reason.NO_PCR, f"{_HOARD_BYTES_MAX // 2**20} MB went in and no timed packet came out")
        self._rendered_ns = rendered_ns
        self._bytes_at_progress = self._bytes_total

    def read_input(self) -> Input:
        """Bytes and laps of the file so far; a look at the file on the way."""
        self._reader.check_file()
        age_s = None if self._read_at is None else time.monotonic() - self._read_at
        return Input(bytes_total=self._bytes_total, loops_total=self._reader.laps, last_packet_age_s=age_s)

    def fault(self) -> Finished | None:
        """Why the file ended, if not by its end."""
        return self._fault

    def close(self) -> None:
        """Close the file, once nobody reads it any more."""
        if self._feeder.is_alive():
            self._feeder.join()
        self._reader.close()
