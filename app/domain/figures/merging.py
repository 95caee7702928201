"""Adds seconds that are read more than once to a series, so that each counts once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

# Each web process converts a worker's clock to Unix time by its own reading of both clocks. The end of one second thus
# differs by microseconds between two of them, and by the clock's adjustment in between. Two seconds are further apart.
SAME_WITHIN_S: Final = 0.1


class Timed(Protocol):
    """A second of a history."""

    @property
    def at(self) -> float:
        """The end of the second, Unix time."""


T = TypeVar("T", bound=Timed)


def later(seconds: Iterable[T], than: float) -> tuple[T, ...]:
    """Return the seconds that end after `than`, the end of a second that is known."""
    return tuple(second for second in seconds if second.at > than + SAME_WITHIN_S)
