"""Writes events and phases in order. Events are dropped while the disk refuses or hangs for long.

While there is nothing to write, it checks every few seconds whether the store works.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Final, NamedTuple

from app.domain.events import EventKind, LogEntry
from app.domain.status import Status
from app.store.order_writer import OrderWriter
from app.store.store import Store
from app.store.store_health import StoreHealth

log = logging.getLogger(__name__)
_WAITING_MAX: Final = 5000
# Kinds of events that report a loss of quality or a refused receiver.
_WARNINGS: Final = frozenset({EventKind.NOTICE, EventKind.REFUSED, EventKind.MISSING, EventKind.SOURCE_ERROR})


class _Work(NamedTuple):
    """A queued write. Only inserting an event proves that the store is writable: a status update may match no row."""

    write: Callable[[], None]
    event: LogEntry | None = None


class EventWriter:
    """Accepts events without waiting, and writes them on a thread."""

    def __init__(self, store: Store, health: StoreHealth, orders: OrderWriter, *, look_every_s: float) -> None:
        self._store = store
        self._health = health
        self._orders = orders
        self._look_every_s = look_every_s
        self._queue: queue.Queue[_Work | None] = queue.Queue(_WAITING_MAX)
        # A refused write is tried again, because reading succeeds on a full disk and proves nothing.
        self._refused: _Work | None = None
        self._thread = threading.Thread(target=self._run, name="event writer", daemon=True)
        self._thread.start()

    def status(self, key: str, status: Status) -> None:
        """Store a stream's status."""
        # The status of a stream that is not stored yet changes no row, and proves nothing.
        self._put(_Work(lambda: self._store.save_status(key, status)))

    def entry(self, entry: LogEntry) -> None:
        """Store an event, and write it to the log."""
        self._put(_Work(lambda: self._store.note(entry), entry))

    def close(self) -> None:
        """Write queued data, then end; `join` waits for that."""
        self._put(None)

    def join(self, within_s: float) -> None:
        """Wait for the thread to end."""
        self._thread.join(within_s)

    def _put(self, work: _Work | None) -> None:
        try:
            self._queue.put_nowait(work)
        except queue.Full:
            self._health.count_dropped()

    def _run(self) -> None:
        while True:
            try:
                work = self._queue.get(timeout=self._look_every_s)
            except queue.Empty:
                self._look()
                continue
            if work is None:
                return
            if work.event is not None:
                _log(work.event)
            self._record(work)

    def _record(self, work: _Work) -> None:
        is_done = self._health.attempt(work.write)
        if not is_done:
            self._health.count_dropped()
        if work.event is not None:
            self._refused = None if is_done else work
            if is_done and not self._orders.retry():
                self._health.note_well()

    def _look(self) -> None:
        """Check the store while there is nothing to write."""
        if self._orders.retry():
            return
        if self._refused is not None:
            self._health.count_dropped(-1)
            self._record(self._refused)
        elif self._health.attempt(self._store.check):
            self._health.note_well()


def _log(entry: LogEntry) -> None:
    """Write one line for an event. Repetitions are counted in the event log only."""
    if entry.count > 1:
        return
    level = logging.WARNING if entry.kind in _WARNINGS else logging.INFO
    values = (entry.key, entry.name, entry.kind, entry.text, entry.actor)
    log.log(level, "stream event stream=%s name=%r kind=%s text=%r actor=%r", *values)
