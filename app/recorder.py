"""Writes to the store what the supervisor reports, behind its back: a slow or full disk must not hold a stream up."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Final

from app.domain.status import Status
from app.store.store import Store, StoreUnavailable
from app.supervisor.snapshot import LogEntry

log = logging.getLogger(__name__)
_WAITING_MAX: Final = 5000
_CLOSE_WITHIN_S: Final = 5.0


class Recorder:
    """One thread that writes in order. What does not fit in its queue while the disk hangs is dropped and counted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue(_WAITING_MAX)
        self._problem: str | None = None
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def problem(self) -> str | None:
        """Why the store could not be written last time, None when it could."""
        return self._problem

    def status(self, key: str, status: Status) -> None:
        """Keep a stream's status."""
        self._put(lambda: self._store.save_status(key, status))

    def entry(self, entry: LogEntry) -> None:
        """Keep an event."""
        self._put(lambda: self._store.note(entry))

    def _put(self, work: Callable[[], None]) -> None:
        try:
            self._queue.put_nowait(work)
        except queue.Full:
            self._dropped += 1

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            self.attempt(work)

    def attempt(self, work: Callable[[], None]) -> bool:
        """Do a write now, and tell whether it was done; a failure is logged once, until the next success."""
        try:
            work()
        except StoreUnavailable as error:
            if self._problem is None:
                log.error("store not writable: %s", error)
            self._problem = str(error)
            return False
        if self._problem is not None:
            log.info("store writable again dropped=%d", self._dropped)
        self._problem = None
        return True

    def close(self) -> None:
        """Write what waits, then end."""
        self._queue.put(None)
        self._thread.join(_CLOSE_WITHIN_S)
