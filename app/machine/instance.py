"""Ensures that one web process at a time manages an installation. A second one would take over its streams."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)
_NAME: Final = "web.lock"
_WAIT_S: Final = 2.0  # another process may just be ending


class AlreadyRunning(Exception):
    """Another web process manages this installation; `pid` is its process id, or empty."""

    def __init__(self, pid: str, folder: Path) -> None:
        super().__init__(f"another web process (pid {pid or 'unknown'}) uses {folder}")
        self.pid = pid


@contextlib.contextmanager
def sole_instance(runtime_folder: Path, data_folder: Path) -> Iterator[None]:
    """Hold the installation while this process and this context live. Raises AlreadyRunning or OSError.

    Both folders are held, because the default runtime folder of a login differs from that of a scheduled job of the
    same user.
    """
    with _held(runtime_folder), _held_folder(data_folder):
        yield


def is_held(runtime_folder: Path) -> bool:
    """Whether a web process manages the installation with that runtime folder now."""
    try:
        descriptor = os.open(runtime_folder / _NAME, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


@contextlib.contextmanager
def _held_folder(folder: Path) -> Iterator[None]:
    """Lock a folder itself, because its disk may accept no file. A folder that cannot be locked (NFS) is not held."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _held(runtime_folder: Path) -> Iterator[None]:
    descriptor = os.open(runtime_folder / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, runtime_folder)
        with contextlib.suppress(OSError):  # the number is only for people, so a full disk does not prevent the start
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    deadline = time.monotonic() + _WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise AlreadyRunning(_holder(descriptor), folder) from None
            time.sleep(0.1)
        except OSError as error:
            log.warning("folder cannot be locked folder=%s error=%r", folder, error.strerror)
            return
        else:
            return


def _holder(descriptor: int) -> str:
    """Return the number in the lock's file; a folder has none."""
    try:
        return os.pread(descriptor, 20, 0).decode()
    except OSError:
        return ""
