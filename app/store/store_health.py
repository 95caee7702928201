"""Tracks whether the store can be read and written at present.

| state   | begins with                                          | ends with        |
|---------|------------------------------------------------------|------------------|
| well    | a write that proves that the store accepts writes    | a failed attempt |
| refuses | an attempt that raised StoreUnavailable, logged once | such a write     |
| silent  | an attempt that has run for more than 10 s           | its return       |
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from app.store.unavailable import StoreUnavailable

log = logging.getLogger(__name__)
_SILENT_S: Final = 10.0


class StoreHealth:
    """Follows the attempts of all writers. Any thread may call it; it never waits for the store."""

    def __init__(self) -> None:
        self._problem: str | None = None
        self._began_at: dict[int, float] = {}  # by thread
        self._dropped = 0
        self._counting = threading.Lock()

    def problem(self) -> str | None:
        """Why the store cannot be read or written, None if it can. At most a few seconds old."""
        silent_s = self.silent_s()
        return f"the database has not answered for {silent_s:.0f} s" if silent_s > _SILENT_S else self._problem

    def silent_s(self) -> float:
        """How long the longest present attempt has taken, in seconds; 0 without one."""
        now = time.monotonic()
        return now - min(list(self._began_at.values()), default=now)

    def attempt(self, work: Callable[[], None]) -> bool:
        """Return whether the work on the store succeeded. A failure is logged once, until the store is well again."""
        self._began_at[threading.get_ident()] = time.monotonic()
        try:
            work()
        except StoreUnavailable as error:
            if self._problem is None:
                log.error("store refuses: %s", error)
            self._problem = str(error)
            return False
        finally:
            del self._began_at[threading.get_ident()]
        return True

    def count_dropped(self, count: int = 1) -> None:
        """Count dropped events. A negative count takes back events that were written after all."""
        with self._counting:
            self._dropped += count

    def note_well(self) -> None:
        """Note that a write has succeeded and nothing is owed."""
        if self._problem is not None:
            log.info("store well again dropped=%d", self._dropped)
        self._problem = None
