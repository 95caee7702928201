"""A delay that moves up and down and never changes the order of two datagrams."""

from __future__ import annotations

from random import Random
from typing import Final

# The delay changes by at most a quarter of the time that passes. Datagrams therefore keep their order.
SLOPE: Final = 0.25
_FORGET_AFTER_LEGS: Final = 100


class Jitter:
    """Uniform between 0 and `width_ns` over time. It moves at a constant speed; it turns at random and at both ends.

    Independent jitter for each datagram would reorder them, which SRT takes for loss (RFC 8868 calls the kind that
    keeps the order NR-BPDV).
    """

    def __init__(self, width_ns: int, chance: Random) -> None:
        self._width_ns = width_ns
        self._chance = chance
        self._begin(0)

    def _begin(self, from_ns: int) -> None:
        self._from_ns = from_ns
        self._offset_ns = self._chance.random() * self._width_ns
        self._rises = self._chance.random() < 0.5
        self._turns_at_ns = from_ns + self._leg_ns()

    def at(self, since_start_ns: int) -> int:
        """Return the extra delay at a moment, which must not be before that of the last call."""
        if since_start_ns - self._turns_at_ns > _FORGET_AFTER_LEGS * self._width_ns / SLOPE:
            self._begin(since_start_ns)  # nothing came for long: the present offset does not depend on the earlier one
        while since_start_ns > self._turns_at_ns:
            self._offset_ns, self._rises = self._moved(self._turns_at_ns - self._from_ns)
            self._from_ns = self._turns_at_ns
            self._rises = self._chance.random() < 0.5
            self._turns_at_ns += self._leg_ns()
        return round(self._moved(since_start_ns - self._from_ns)[0])

    def _leg_ns(self) -> int:
        """Return how long the delay moves before it may turn: the time for 0.5 to 1.5 times the width."""
        return max(1, round(self._width_ns * (0.5 + self._chance.random()) / SLOPE))

    def _moved(self, elapsed_ns: int) -> tuple[float, bool]:
        """Return offset and direction after a time, reflected at both ends."""
        width = self._width_ns
        signed = elapsed_ns * SLOPE if self._rises else -elapsed_ns * SLOPE
        phase = (self._offset_ns + signed) % (2 * width)
        return (phase, self._rises) if phase <= width else (2 * width - phase, not self._rises)
