"""Unix time that never jumps: the wall clock at the start, plus the time since then on the clock since boot.

Intervals, back-offs and ages stay correct when the clock is set; the time shown may then be off by that step. Two
processes that started before and after such a step disagree on Unix time, but never on `steady_now`.
"""

from __future__ import annotations

import os
import time
from pathlib import Path


def steady_now() -> float:
    """Return the seconds since the host booted, including sleep: the same in every process of the host."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def process_age_s() -> float:
    """Return the seconds since the kernel started this process, before Python did."""
    started_ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])  # proc(5), field 22
    return steady_now() - started_ticks / os.sysconf("SC_CLK_TCK")


_OFFSET = time.time() - steady_now()


def unix_now() -> float:
    """Return the seconds since 1970, steady within this process."""
    return _OFFSET + steady_now()


def unix_of(steady_s: float) -> float:
    """Convert a moment in seconds since the host booted to Unix time by this process's clock."""
    return _OFFSET + steady_s
