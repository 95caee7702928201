"""Reads a transport stream file once or for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_CHUNK_BYTES: Final = 348 * 188


class LoopingReader:
    """Gives a file's packets in chunks; begins again at its end when `loop` is set."""

    def __init__(self, path: str, *, loop: bool) -> None:
        self._file = Path(path).open("rb")
        self._loop = loop
        self.laps = 0
        self.bytes_total = 0

    def read(self) -> bytes | None:
        """The next chunk, or None at the end."""
        chunk = self._file.read(_CHUNK_BYTES)
        if not chunk and self._loop:
            self._file.seek(0)
            self.laps += 1
            chunk = self._file.read(_CHUNK_BYTES)
        self.bytes_total += len(chunk)
        return chunk or None

    def close(self) -> None:
        """Close the file."""
        self._file.close()
