"""Which streams the cluster has placed on this host: one permit per stream in the runtime folder.

Only the resource agent grants and withdraws permits. No one starts a worker of the cluster without one, and every start
holds the lock: once a permit is withdrawn, no worker of that key can come into being on this host.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.machine.atomic_file import write_atomically

_SUFFIX: Final = ".placed"
_LOCK: Final = "fleet.lock"


class Permits:
    """The permits of one runtime folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold off every other start and withdrawal on this host."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def grant(self, key: str, parcel: str) -> None:
        """Let this host carry a stream; `parcel` is its job as the cluster's configuration has it."""
        write_atomically(self._path(key), parcel.encode())

    def withdraw(self, key: str) -> None:
        """Let this host no longer carry a stream."""
        self._path(key).unlink(missing_ok=True)

    def parcel(self, key: str) -> str | None:
        """The job that this host is to carry for that key, None without a permit."""
        try:
            return self._path(key).read_text()
        except OSError:
            return None

    def keys(self) -> list[str]:
        """The keys of all streams that the cluster has placed here."""
        try:
            return sorted(path.stem for path in self._folder.iterdir() if path.suffix == _SUFFIX)
        except OSError:
            return []

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"
