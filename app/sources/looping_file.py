"""Reads a file as an endless stream without a seam, or once from start to end. Independent of GStreamer.

The file may change while it is on air, and the stream reports each change. If the file is deleted, playback continues
from the open file, without end. If it is replaced by another (renamed over it), rewritten, truncated or grown, the new
contents are played from the next seam on and are joined to the earlier ones. If they cannot be joined, because they are
not a transport stream or have other PIDs, the stream ends with FILE_CHANGED and the supervisor starts it again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from app.domain.endings import Finished
from app.domain.events import NoticeCode
from app.domain.status import Reason
from app.mpegts.loop.restamp import Restamper
from app.protocol import Notice
from app.sources.packet_file import Change, PacketFile, bytes_at_once

_HEAD_BYTES: Final = 4 * 1024 * 1024
_NO_BLOCK: Final = bytearray()

_CHANGES: Final = {
    Change.DELETED: (
        NoticeCode.FILE_DELETED,
        "the file has been deleted; playback continues, but the stream cannot be restarted",
    ),
    Change.REPLACED: (NoticeCode.FILE_REPLACED, "the file was replaced; the new file is played from the next loop"),
    Change.REWRITTEN: (
        NoticeCode.FILE_REWRITTEN,
        "the file was changed; the new contents are played from the next loop",
    ),
}


class LoopingReader:
    """Returns a file's packets block by block. `laps` counts repetitions, `bytes_total` the returned bytes.

    Without `loop` the packets are passed unchanged. One thread uses it; any thread may call `check_file`.
    """

    def __init__(
        self,
        path: str,
        *,
        loop: bool = True,
        bitrate_bps: int | None = None,
        clock: Callable[[], float] = time.time,
        notify: Callable[[Notice], None] | None = None,
    ) -> None:
        """Open the file at an absolute, real path. `notify` receives its changes. Raises Finished.

        `bitrate_bps` is the file's rate as far as it is known; a fast file gets larger blocks.
        """
        self.laps = 0
        self.bytes_total = 0
        self._loop = loop
        self._clock = clock
        self._notify = notify
        self._reported = Change.NONE
        self._bytes_at_once = bytes_at_once(bitrate_bps)
        self._file = self._open(path)
        # Guards the file's position against `check_file`, which another thread calls.
        self._lock = threading.Lock()
        self._restamper = Restamper()
        self._filler: Iterator[bytearray] = iter(())
        # One block is read ahead: a PES header may continue in it.
        self._ahead: bytearray | None = self._first_block()

    def read(self) -> bytearray | None:
        """Return the next block of whole packets; None at the end. Raises Finished if the file is damaged."""
        if self._ahead is None and not self._turn():
            return None
        block = next(self._filler, None)
        if block is None:
            block, self._ahead = self._ahead, self._file.read_block()
            if block is None:
                raise AssertionError("a lap begins with a block")
            if self._loop:
                self._restamper.restamp(block, self._ahead or _NO_BLOCK, self._clock())
        self.bytes_total += len(block)
        return block

    def reference(self) -> int | None:
        """The PID of the clock that joins the laps; None while it is not known, and for a file that is played once."""
        return self._restamper.reference() if self._loop else None

    def check_file(self) -> Change:
        """Check whether the file changed on disk and report each change once. Playback switches at the next loop."""
        with self._lock:
            change = self._file.change()
            is_news = change is not self._reported
            self._reported = change
        if is_news and change in _CHANGES and self._notify is not None:
            code, text = _CHANGES[change]
            self._notify(Notice(self._clock(), code, text))
        return change

    def close(self) -> None:
        """Close the file; may be called twice."""
        with self._lock:
            self._file.close()

    def _turn(self) -> bool:
        """Go to the next lap. Return False if there is none."""
        if not self._loop:
            return False
        change = self.check_file()
        if change in (Change.REPLACED, Change.REWRITTEN):
            self._adopt(change)
            self._filler = self._restamper.turn(self._look_at_head())
        else:
            self._filler = self._restamper.turn()
        self._file.rewind()
        self._ahead = self._first_block()
        self.laps += 1
        return True

    def _adopt(self, change: Change) -> None:
        """Continue with the file that is there now."""
        with self._lock:
            if change is Change.REPLACED:
                before, self._file = self._file, self._open(self._file.path)
                before.close()
            self._file.adopt_change()
            self._reported = Change.NONE

    def _open(self, path: str) -> PacketFile:
        return PacketFile(path, bytes_at_once=self._bytes_at_once)

    def _first_block(self) -> bytearray:
        block = self._file.read_block()
        if block is None:
            reason = Reason.FILE_CHANGED if self.bytes_total else Reason.NOT_A_TRANSPORT_STREAM
            raise Finished(reason, "the file has no packets")
        return block

    def _look_at_head(self) -> Restamper:
        """Read the head of a file with new contents, so that its first lap can be joined to the last lap of the old."""
        reference = self._restamper.reference()
        head = Restamper()
        self._file.rewind()
        for _ in range(_HEAD_BYTES // self._bytes_at_once):
            if (block := self._file.read_block()) is None:
                break
            head.restamp(block, _NO_BLOCK, 0.0)
        if reference is not None and reference not in head.lap.clocks:
            raise Finished(Reason.FILE_CHANGED, f"the new contents have no clock on PID {reference}")
        return head
