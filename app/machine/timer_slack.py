"""Timer slack: how much later than asked the kernel may wake a thread, so that one wake-up serves several timers.

prctl(2), PR_SET_TIMERSLACK. A new thread takes the slack of the thread that starts it. Threads with real-time priority
have none.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SET: Final = 29
_GET: Final = 30
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def new_threads_wake_late(slack_us: int) -> Iterator[None]:
    """Threads that this thread starts meanwhile may wake `slack_us` microseconds late, for as long as they live.

    Where the kernel refuses it, they wake on time.
    """
    before_ns = _libc.prctl(_GET, 0, 0, 0, 0)
    _set(slack_us * 1000)
    try:
        yield
    finally:
        if before_ns > 0:  # 0 would mean the slack that this thread started with
            _set(before_ns)


def _set(slack_ns: int) -> None:
    _libc.prctl(_SET, ctypes.c_ulong(slack_ns), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))
