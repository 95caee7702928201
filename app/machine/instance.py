"""One web process at a time minds an installation: a second one would take over the first one's streams."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_NAME: Final = "web.lock"
_WAIT_S: Final = 2.0  # one that is just ending


class AlreadyRunning(Exception):
    """Another web process minds this installation; `pid` is its process id, or empty."""

    def __init__(self, pid: str) -> None:
        super().__init__(f"another web process (pid {pid or 'unknown'}) minds this installation")
        self.pid = pid


@contextlib.contextmanager
def sole_instance(runtime_folder: Path) -> Iterator[None]:
    """Hold the installation as long as this process, and this context, live. Raises AlreadyRunning or OSError."""
    descriptor = os.open(runtime_folder / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor)
        with contextlib.suppress(OSError):  # the number is only for people; a full disk is no reason not to start
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    deadline = time.monotonic() + _WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise AlreadyRunning(os.pread(descriptor, 20, 0).decode()) from None
            time.sleep(0.1)
        else:
            return
