"""Unix time that never jumps: the wall clock at start plus what the monotonic clock has counted since.

Intervals, back-offs and ages stay true when somebody sets the clock; the time shown may then be off by that step.
"""

from __future__ import annotations

import time

_OFFSET = time.time() - time.monotonic()


def unix_now() -> float:
    """Seconds since 1970, steady within this process."""
    return _OFFSET + time.monotonic()
