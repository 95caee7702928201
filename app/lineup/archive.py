"""The runs on disk: one JSON file per run in the data folder, where `mcr backup` finds them; written atomically."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Final

import msgspec

from app.domain.lineup.run import Run, decode_run, encode_run
from app.machine.atomic_file import write_atomically

log = logging.getLogger(__name__)
_ID: Final = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z0-9]{4}")
_PREFIX: Final = "line_up-"
_FILE_BYTES_MAX: Final = 64 * 1024 * 1024


class Archive:
    """Keeps runs in `folder`. Methods raise OSError when the disk refuses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, run: Run) -> None:
        """Write a run; an earlier state of it is replaced."""
        write_atomically(self._path(run.id), encode_run(run))

    def read_all(self) -> list[Run]:
        """Every run that can be read, oldest first; one that cannot is logged and left where it is."""
        runs = []
        for path in sorted(self._folder.glob(f"{_PREFIX}*.json")):
            try:
                if _ID.fullmatch(path.stem.removeprefix(_PREFIX)) and path.stat().st_size <= _FILE_BYTES_MAX:
                    runs.append(decode_run(path.read_bytes()))
            except (OSError, msgspec.DecodeError) as error:
                log.warning("the line-up report %s cannot be read: %s", path.name, error)
        return runs

    def remove(self, run_id: str) -> None:
        """Delete a run."""
        self._path(run_id).unlink(missing_ok=True)

    def _path(self, run_id: str) -> Path:
        if not _ID.fullmatch(run_id):
            raise ValueError(f"{run_id!r} is no identifier of a run")
        return self._folder / f"{_PREFIX}{run_id}.json"
