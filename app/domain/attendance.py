"""Which receivers a listener should have, and since when some of them are missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

LEARNT_AFTER_S: Final = 60.0
FAULT_AFTER_S: Final = 10.0


class Attendance(msgspec.Struct, frozen=True):
    """`expected` receivers, and `absent`, the addresses of those that left while some are missing."""

    expected: int = 0
    present: tuple[str, ...] = ()
    missing_since: float | None = None
    absent: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """How many receivers are missing."""
        return max(0, self.expected - len(self.present))


def learnt(counts: Iterable[tuple[float, int]]) -> int:
    """Return how many receivers were there at once for LEARNT_AFTER_S, by the connected ones at each moment.

    For a program that adopts a stream on air, whose receivers connected earlier.
    """
    since: list[float] = []  # of each place, since when it has been taken without a break
    most = 0
    for at, count in counts:
        del since[count:]
        since.extend([at] * (count - len(since)))
        most = max(most, sum(at - begun >= LEARNT_AFTER_S for begun in since))
    return most


def follow(before: Attendance, connected_s: Mapping[str, float], now: float, *, wanted: int | None) -> Attendance:
    """Return the attendance with the receivers that are there now, each with the seconds since it connected.

    `wanted` is the number that the operator set. Without it, the highest number that stayed for LEARNT_AFTER_S is
    expected.
    """
    stayed = sum(seconds >= LEARNT_AFTER_S for seconds in connected_s.values())
    expected = wanted if wanted is not None else max(before.expected, stayed)
    after = Attendance(expected, tuple(connected_s))
    if not after.missing:
        return after
    left = tuple(address for address in before.present if address not in connected_s)
    return msgspec.structs.replace(
        after,
        missing_since=now if before.missing_since is None else before.missing_since,
        absent=(*before.absent, *left)[-after.missing :],
    )
