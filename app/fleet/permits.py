"""The streams that the cluster has placed on this host: one permit per stream in the runtime folder.

Only the resource agent grants and withdraws permits. A worker of the cluster is started only with a permit, and every
start holds the lock. After a withdrawal, no worker of that key can start on this host.
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
        """Exclude every other start and withdrawal on this host."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def grant(self, key: str, parcel: str) -> None:
        """Permit this host to carry a stream; `parcel` is its job in the form of the cluster's configuration."""
        write_atomically(self._path(key), parcel.encode())

    def withdraw(self, key: str) -> None:
        """Withdraw the permit for a stream."""
        self._path(key).unlink(missing_ok=True)

    def parcel(self, key: str) -> str | None:
        """Return the job of that key, None without a permit."""
        try:
            return self._path(key).read_text()
        except OSError:
            return None

    def keys(self) -> list[str]:
        """Return the keys of all streams that the cluster has placed here."""
        try:
            return sorted(path.stem for path in self._folder.iterdir() if path.suffix == _SUFFIX)
        except OSError:
            return []

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"
