"""Records the received transport stream to `.ts` files. A separate thread writes to the disk.

A file can be played while it grows. A new file begins after a size or a time, and no file is ever overwritten. The
recording ends with its reason when free space falls below the floor or the disk fails.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from app.domain.constants import TS_PACKET_BYTES
from app.domain.figures.outputs import RecordingEnd, RecordingReport
from app.engines.receiver.payload_queue import PayloadQueue

FREE_SPACE_FLOOR_BYTES: Final = 1_000_000_000
# The queue for a disk that does not answer: one second of 64 Mb/s.
_WAITING_BYTES_MAX: Final = 8 * 1024 * 1024
_WRITE_EVERY_S: Final = 0.2
_LOOK_AT_SPACE_EVERY_S: Final = 1.0
_STOP_WITHIN_S: Final = 5.0
_SAME_SECOND_MAX: Final = 1000
_ENDS: Final = {
    errno.ENOSPC: RecordingEnd.NO_SPACE,
    errno.EDQUOT: RecordingEnd.NO_SPACE,
    errno.ENOENT: RecordingEnd.NO_FOLDER,
    errno.ENOTDIR: RecordingEnd.NO_FOLDER,
    errno.EACCES: RecordingEnd.NOT_ALLOWED,
    errno.EPERM: RecordingEnd.NOT_ALLOWED,
    errno.EROFS: RecordingEnd.NOT_ALLOWED,
}


class RecordingPlan(msgspec.Struct, frozen=True):
    """Where and how to record. Files are named `<name>_<UTC time>.ts`; a file ends after bytes or seconds if given."""

    folder: Path
    name: str
    file_bytes_max: int | None = None
    file_seconds_max: float | None = None
    floor_bytes: int = FREE_SPACE_FLOOR_BYTES


class Recording:
    """One recording. The receiver's thread calls `take`; call `stop` once."""

    def __init__(self, plan: RecordingPlan) -> None:
        self._plan = plan
        self._queue = PayloadQueue(_WAITING_BYTES_MAX)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._report = RecordingReport()
        self._unwritten_bytes = 0
        self._fd: int | None = None
        self._file_bytes = 0
        self._file_since = 0.0
        self._looked_at_space = 0.0
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    def take(self, payloads: Sequence[bytes]) -> None:
        """Queue payloads for writing. Payloads that do not fit are left out and counted."""
        if self._report.end is None:
            self._queue.put(payloads)

    def report(self) -> RecordingReport:
        """Return the state of the recording."""
        with self._lock:
            missing = self._queue.bytes_left_out + self._unwritten_bytes
            return msgspec.structs.replace(self._report, bytes_missing=missing)

    def stop(self) -> None:
        """Write queued data and close the file. Returns within five seconds even when the disk hangs."""
        self._stopping.set()
        self._thread.join(_STOP_WITHIN_S)

    def _run(self) -> None:
        try:
            while True:
                is_last = self._stopping.wait(_WRITE_EVERY_S)
                if data := self._queue.take():
                    self._write(data)
                if is_last:
                    self._end(RecordingEnd.STOPPED)
                    return
        except OSError as error:
            self._end(_ENDS.get(error.errno or 0, RecordingEnd.DISK_ERROR), error.strerror or "")
        finally:
            self._close()

    def _write(self, data: bytes) -> None:
        now = time.monotonic()
        if self._is_file_full(now):
            self._close()
        if now - self._looked_at_space >= _LOOK_AT_SPACE_EVERY_S:
            self._looked_at_space = now
            space = os.statvfs(self._plan.folder)
            if space.f_bavail * space.f_frsize - len(data) < self._plan.floor_bytes:
                raise OSError(errno.ENOSPC, f"less than {self._plan.floor_bytes / 1e9:g} GB are free")
        if self._fd is None:
            self._open(now)
        self._write_out(self._fd_now(), data)

    def _write_out(self, fd: int, data: bytes) -> None:
        written = 0
        try:
            while written < len(data):
                written += os.write(fd, memoryview(data)[written:])
        finally:
            whole = written if written == len(data) else self._cut_to_packets(fd, written)
            self._file_bytes += whole
            with self._lock:
                report = self._report
                self._unwritten_bytes += len(data) - whole
                self._report = msgspec.structs.replace(
                    report, file_bytes=self._file_bytes, bytes_total=report.bytes_total + whole
                )

    def _cut_to_packets(self, fd: int, written: int) -> int:
        """Remove the partial packet that a full disk left at the end of the file."""
        part = (self._file_bytes + written) % TS_PACKET_BYTES
        os.ftruncate(fd, self._file_bytes + written - part)
        return written - part

    def _fd_now(self) -> int:
        if self._fd is None:
            raise OSError(errno.EBADF, "no file is open")
        return self._fd

    def _is_file_full(self, now: float) -> bool:
        plan = self._plan
        return self._fd is not None and (
            (plan.file_bytes_max is not None and self._file_bytes >= plan.file_bytes_max)
            or (plan.file_seconds_max is not None and now - self._file_since >= plan.file_seconds_max)
        )

    def _open(self, now: float) -> None:
        stem = f"{self._plan.name}_{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        name, self._fd = _open_new(self._plan.folder, stem)
        self._file_since, self._file_bytes = now, 0
        with self._lock:
            files = self._report.files_total + 1
            self._report = msgspec.structs.replace(self._report, file=name, file_bytes=0, files_total=files)

    def _close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _end(self, end: RecordingEnd, detail: str = "") -> None:
        with self._lock:
            self._report = msgspec.structs.replace(self._report, end=end, detail=detail)
            waiting = self._queue.take()
            self._unwritten_bytes += len(waiting) if end is not RecordingEnd.STOPPED else 0


def _open_new(folder: Path, stem: str) -> tuple[str, int]:
    """Create a file under a new name, and return its name and descriptor."""
    for number in range(1, _SAME_SECOND_MAX):
        name = f"{stem}.ts" if number == 1 else f"{stem}_{number}.ts"
        try:
            return name, os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            continue
    raise FileExistsError(errno.EEXIST, f"{_SAME_SECOND_MAX} files are named {stem}")
