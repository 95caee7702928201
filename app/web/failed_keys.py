"""Counts wrong API keys by address, to slow down and report guessing."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from app.web.errors import TooManyWrongKeys

log = logging.getLogger(__name__)

ALLOWED_PER_MINUTE: Final = 10
_WINDOW_S: Final = 60.0
_ADDRESSES_MAX: Final = 10_000


class FailedKeys:
    """Refuses the wrong keys of an address that sent too many within a minute.

    The right key is always accepted: a stranger behind the same proxy must not be able to lock a script out. A key has
    at least 32 characters, so it cannot be guessed at any rate.

    `note` receives a sentence for the event log, at most once a minute. Safe to use from several threads.
    """

    def __init__(self, note: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._note = note
        self._clock = clock
        self._lock = threading.Lock()
        # The latest failures of each address. The address whose failure is oldest comes first.
        self._failures: dict[str, deque[float]] = {}
        self._unreported = 0
        self._reported_at: float | None = None

    def check(self, address: str) -> None:
        """Raise TooManyWrongKeys while the address has used up its attempts."""
        with self._lock:
            failures = self._failures.get(address)
            is_full = failures is not None and len(failures) == ALLOWED_PER_MINUTE
            if failures is not None and is_full and self._clock() - failures[0] < _WINDOW_S:
                raise TooManyWrongKeys("Too many wrong API keys came from this address. Wait a minute.")

    def count(self, address: str) -> None:
        """Count a wrong key. Report it, with the number of wrong keys since the last report."""
        now = self._clock()
        with self._lock:
            failures = self._failures.pop(address, None) or deque(maxlen=ALLOWED_PER_MINUTE)
            failures.append(now)
            self._failures[address] = failures
            while len(self._failures) > _ADDRESSES_MAX:
                del self._failures[next(iter(self._failures))]
            self._unreported += 1
            if self._reported_at is not None and now - self._reported_at < _WINDOW_S:
                return
            count, self._unreported, self._reported_at = self._unreported, 0, now
        log.warning("wrong API key address=%s count=%d", address, count)
        more = f", {count} in total since the last note" if count > 1 else ""
        self._note(f"a wrong API key came from {address}{more}")
