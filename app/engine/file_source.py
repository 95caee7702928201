"""A transport stream file as a pipeline source: a reader's chunks through appsrc, paced and cut by tsparse.

appsrc instead of filesrc, because the chunks of a looped file are rewritten on their way (see loop.py).
"""

from __future__ import annotations

import time
from typing import Final, Protocol

from app.domain.status import Reason
from app.engine.gst import Gst
from app.engine.sender import Finished
from app.engine.source import Progress, make, make_tsparse
from app.protocol import Input

# tsparse holds packets back until it has seen two PCRs; more than this without output means that it never will.
_HOARD_BYTES_MAX: Final = 32 * 1024 * 1024
_QUEUE_BYTES: Final = 65_536


class Reader(Protocol):
    """Gives a file's packets in chunks of whole packets. `laps` counts how often it began again."""

    laps: int
    bytes_total: int

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
        self._bytes_at_progress = 0
        self._read_at: float | None = None
        appsrc = make("appsrc", format=Gst.Format.BYTES, max_bytes=_QUEUE_BYTES)
        appsrc.connect("need-data", self._feed)
        self.elements = [appsrc, make_tsparse(smoothing_latency_ms)]

    def _feed(self, appsrc: Gst.Element, _wanted: int) -> None:
        """Push one chunk; called from appsrc's own thread whenever its queue is empty."""
        try:
            chunk = self._reader.read()
            self._check_hoarding()
        except Finished as fault:
            self._fault, chunk = fault, None
        if chunk is None:
            appsrc.emit("end-of-stream")
            return
        self._read_at = time.monotonic()
        appsrc.emit("push-buffer", Gst.Buffer.new_wrapped(bytes(chunk)))

    def _check_hoarding(self) -> None:
        if self._reader.bytes_total - self._bytes_at_progress <= _HOARD_BYTES_MAX:
            return
        if (rendered_ns := self._progress()) == self._rendered_ns:
            raise Finished(Reason.NO_PCR, f"{_HOARD_BYTES_MAX // 2**20} MB went in and no timed packet came out")
        self._rendered_ns = rendered_ns
        self._bytes_at_progress = self._reader.bytes_total

    def read_input(self) -> Input:
        """Bytes and laps of the file so far; a look at the file on the way."""
        self._reader.check_file()
        age_s = None if self._read_at is None else time.monotonic() - self._read_at
        return Input(bytes_total=self._reader.bytes_total, loops_total=self._reader.laps, last_packet_age_s=age_s)

    def fault(self) -> Finished | None:
        """Why the file ended, if not by its end."""
        return self._fault

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
