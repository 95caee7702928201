"""Keeps records of runs: one JSON file per run in the data folder, which `mcr backup` includes."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec

from app.machine.atomic_file import write_atomically

log = logging.getLogger(__name__)
_ID: Final = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z0-9]{4}")
_FILE_BYTES_MAX: Final = 64 * 1024 * 1024
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
T = TypeVar("T")


def new_run_id(now: float) -> str:
    """Return an identifier that sorts by time, such as 20260131-081500-k3fp."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    return f"{stamp}-{''.join(secrets.choice(_ALPHABET) for _ in range(4))}"


class RunFiles(Generic[T]):
    """Keeps the runs of one kind, whose file names begin with `prefix`. Methods raise OSError if the disk refuses."""

    def __init__(
        self, folder: Path, prefix: str, *, encode: Callable[[T], bytes], decode: Callable[[bytes], T]
    ) -> None:
        self._folder = folder
        self._prefix = prefix
        self._encode = encode
        self._decode = decode

    def keep(self, run_id: str, run: T) -> None:
        """Write a run in place of its earlier state."""
        write_atomically(self._path(run_id), self._encode(run))

    def read_all(self) -> list[T]:
        """Return every readable run, oldest first. An unreadable file is logged and left in place."""
        runs = []
        for path in sorted(self._folder.glob(f"{self._prefix}*.json")):
            try:
                if _ID.fullmatch(path.stem.removeprefix(self._prefix)) and path.stat().st_size <= _FILE_BYTES_MAX:
                    runs.append(self._decode(path.read_bytes()))
            except (OSError, msgspec.DecodeError) as error:
                log.warning("the run in %s cannot be read: %s", path.name, error)
        return runs

    def remove(self, run_id: str) -> None:
        """Delete a run."""
        self._path(run_id).unlink(missing_ok=True)

    def _path(self, run_id: str) -> Path:
        if not _ID.fullmatch(run_id):
            raise ValueError(f"{run_id!r} is not the identifier of a run")
        return self._folder / f"{self._prefix}{run_id}.json"
