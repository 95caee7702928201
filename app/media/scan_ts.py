"""Analyses a file as a separate program: `python -m app.media.scan_ts /absolute/path.ts`.

It runs when the machine has nothing else to do (SCHED_IDLE) and leaves the page cache unchanged. It writes JSON lines:
several Progress lines, and at the end one Scanned or Failed.
"""

from __future__ import annotations

import os
import resource
import stat
import sys
import time
from collections.abc import Callable
from typing import Final

import msgspec

from app.domain.constants import TS_PACKET_BYTES
from app.machine.straight_open import open_straight
from app.mpegts.framing import Aligner
from app.mpegts.inspect.analysis import Analyser
from app.mpegts.inspect.report import Analysis

PIECE_BYTES: Final = 348 * TS_PACKET_BYTES * 4
_PROGRESS_S: Final = 0.25
# Pages are released in long ranges: one call for each piece would cost more than it saves.
_GIVE_BACK_BYTES: Final = 32 * 1024 * 1024
_MEMORY_BYTES: Final = 512 * 1024 * 1024


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How much of the file was read."""

    bytes_read: int
    size_bytes: int


class Scanned(msgspec.Struct, frozen=True, tag="scanned"):
    """The file was read to its end."""

    analysis: Analysis


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The file could not be read."""

    problem: str


Line = Progress | Scanned | Failed


def scan(path: str, notify: Callable[[Progress], None]) -> Analysis:
    """Analyse a whole file. Raises OSError if it cannot be read or is not a regular file."""
    descriptor = open_straight(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file")
        aligner, analyser = Aligner(), Analyser()
        done, given_back, reported_at = 0, 0, time.monotonic()
        while piece := file.read(PIECE_BYTES):
            for block in aligner.take(piece):
                analyser.feed(block)
            done += len(piece)
            if done - given_back >= _GIVE_BACK_BYTES:
                os.posix_fadvise(file.fileno(), given_back, done - given_back, os.POSIX_FADV_DONTNEED)
                given_back = done
            if (now := time.monotonic()) - reported_at >= _PROGRESS_S:
                reported_at = now
                notify(Progress(done, max(done, status.st_size)))
    analyser.feed(aligner.finish())
    return analyser.result(size_bytes=done, bytes_skipped=aligner.bytes_skipped)


def main(arguments: list[str]) -> int:
    """Scan the file that the command line names and write the findings."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    try:
        _write(Scanned(scan(arguments[0], _write)))
    except OSError as error:
        _write(Failed(error.strerror or "it cannot be read"))
        return 1
    return 0


def _write(line: Line) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
