"""Splits received bytes into lines, at both ends of the worker link."""

from __future__ import annotations


class LineTooLong(ValueError):
    """A line that is longer than the other end may send."""


class LineReader:
    """Collects received bytes and returns the lines that are complete."""

    def __init__(self, line_bytes_max: int) -> None:
        self._line_bytes_max = line_bytes_max
        self._rest = bytearray()

    def feed(self, received: bytes) -> list[bytes]:
        """Return the lines that `received` completes, without their ends. Raises LineTooLong."""
        begun = len(self._rest)
        self._rest += received
        if self._rest.find(b"\n", begun) < 0:
            lines: list[bytes] = []
        else:
            *found, rest = self._rest.split(b"\n")
            lines, self._rest = [bytes(line) for line in found], rest
        if max(map(len, lines), default=0) > self._line_bytes_max or len(self._rest) > self._line_bytes_max:
            raise LineTooLong
        return lines
