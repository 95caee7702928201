"""Unix time that never jumps: the wall clock at start plus what the clock since boot has counted since.

Intervals, back-offs and ages stay true when the clock is set; the time shown may then be off by that step. Two
processes that started before and after such a step disagree on Unix time, but never on `steady_now`.
"""

from __future__ import annotations

import time


def steady_now() -> float:
    """Seconds since the host booted, sleep included: the same in every process of the host."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


_OFFSET = time.time() - steady_now()


def unix_now() -> float:
    """Seconds since 1970, steady within this process."""
    return _OFFSET + steady_now()


def unix_of(steady_s: float) -> float:
    """Unix time, by this process's clock, of a moment in seconds since the host booted."""
    return _OFFSET + steady_s
