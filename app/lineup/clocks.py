"""The difference between this host's clock and another one's, as a line of the configuration test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from app.domain.lineup.measured import Check, CheckVerdict
from app.machine.steady_clock import unix_now

_READINGS: Final = 12
_READ_EVERY_S: Final = 0.1


class ClockDifference(NamedTuple):
    """How far another clock is ahead of this host's, and the uncertainty."""

    ahead_s: float
    within_s: float


def compare_clocks(read: Callable[[], float], wait: Callable[[float], object]) -> ClockDifference:
    """Compare with a clock that is read in whole seconds, over somewhat more than one second.

    Each reading bounds the difference by its round trip. All readings together give a narrow bound, because one of them
    is close to the change of the second.
    """
    lowest, highest = float("-inf"), float("inf")
    for _ in range(_READINGS):
        asked_at = unix_now()
        second = read()
        lowest = max(lowest, second - unix_now())
        highest = min(highest, second + 1.0 - asked_at)
        wait(_READ_EVERY_S)
    return ClockDifference((lowest + highest) / 2, abs(highest - lowest) / 2)


def check_clock(host: str, found: ClockDifference, *, limit_s: float) -> Check:
    """Judge how far a clock is ahead of ours. Above `limit_s`, the times of that host are shifted."""
    side = "ahead of" if found.ahead_s > 0 else "behind"
    is_alike = abs(found.ahead_s) <= limit_s
    got = f"{abs(found.ahead_s):.2f} s {side} this host, ± {found.within_s:.2f} s"
    if not is_alike:
        got += "; its times are corrected"
    verdict = CheckVerdict.PASS if is_alike else CheckVerdict.REMARK
    return Check(f"Clock of {host}", "the same time", got, f"within {limit_s:.1f} s", verdict)
