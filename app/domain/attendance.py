"""Determines how many receivers a listener should have, and since when some are missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

LEARNT_AFTER_S: Final = 60.0
FAULT_AFTER_S: Final = 10.0


class Attendance(msgspec.Struct, frozen=True):
    """The receivers of a listener: how many are expected, and the addresses of those that are connected.

    While some are missing, `missing_since` is the Unix time since then, and `absent` has the addresses that left.
    """

    expected: int = 0
    present: tuple[str, ...] = ()
    missing_since: float | None = None
    absent: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """Return how many receivers are missing."""
        return max(0, self.expected - len(self.present))


def learnt(counts: Iterable[tuple[float, int]]) -> int:
    """Return the highest number of receivers that were connected together for LEARNT_AFTER_S.

    For a program that adopts a stream on air whose receivers connected earlier. The input has the number at each
    moment.
    """
    since: list[float] = []  # since when each further receiver has been connected without a break
    most = 0
    for at, count in counts:
        del since[count:]
        since.extend([at] * (count - len(since)))
        most = max(most, sum(at - begun >= LEARNT_AFTER_S for begun in since))
    return most


def follow(before: Attendance, connected_s: Mapping[str, float], now: float, *, wanted: int | None) -> Attendance:
    """Return the attendance for the receivers that are connected now, each with its seconds since connecting.

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
