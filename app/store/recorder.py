"""Writes to the store in the background, so that neither a slow disk nor a server that hangs delays a stream."""

from __future__ import annotations

import functools
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from app.domain.events import EventKind, LogEntry
from app.domain.status import Status
from app.store.opening import StoreUnavailable
from app.store.spare import SpareOrders
from app.store.store import Store, StoredStream

log = logging.getLogger(__name__)
_WAITING_MAX: Final = 5000
_CLOSE_WITHIN_S: Final = 5.0
_LOOK_EVERY_S: Final = 3.0
_SILENT_S: Final = 10.0
_ORDER_WITHIN_S: Final = 2.0
# Kinds of events that report a loss of quality or a receiver turned away.
_WARNINGS: Final = frozenset({EventKind.NOTICE, EventKind.REFUSED, EventKind.MISSING, EventKind.SOURCE_ERROR})


class _Work(NamedTuple):
    """A queued write. Only inserting an event proves that the store is writable: a status update may match no row."""

    write: Callable[[], None]
    event: LogEntry | None = None


@dataclass(frozen=True)
class _Owed:
    """The newest write of a stream's order; `tried` once the store took it or refused."""

    write: Callable[[], None]
    tried: threading.Event = field(default_factory=threading.Event)


class Recorder:
    """Orders are written at once, or as soon as the store can be written again; the rest by another thread, in order.

    A caller waits a few seconds at most for its order to be stored.

    Events and phases that come while the disk refuses, or more than its queue holds while it hangs, are dropped and
    counted.
    """

    def __init__(self, store: Store, spare: SpareOrders, *, look_every_s: float = _LOOK_EVERY_S) -> None:
        self._store = store
        self._spare = spare
        self._look_every_s = look_every_s
        self._queue: queue.Queue[_Work | None] = queue.Queue(_WAITING_MAX)
        self._problem: str | None = None
        self._dropped = 0
        # At most one entry per stream.
        self._owed: dict[str, _Owed] = {}
        self._ordering = threading.Lock()
        self._due = threading.Event()
        self._is_closing = False
        # A write that was refused, to be tried again: reading succeeds on a disk that is full.
        self._refused: _Work | None = None
        self._began_at: dict[int, float] = {}  # by thread
        self._attempt(store.check)
        self._threads = [
            threading.Thread(target=self._run, name="recorder", daemon=True),
            threading.Thread(target=self._run_orders, name="recorder of orders", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def problem(self) -> str | None:
        """Why the store cannot be read or written, None when it can. At most some seconds old; never waits."""
        silent_s = self._silent_s()
        return f"the database has not answered for {silent_s:.0f} s" if silent_s > _SILENT_S else self._problem

    def _silent_s(self) -> float:
        now = time.monotonic()
        return now - min(list(self._began_at.values()), default=now)

    # ---- orders ----

    def keep(self, stream: StoredStream) -> None:
        """Keep a stream with its order."""
        owed = self._owe(stream.key, lambda: self._store.save(stream))
        with self._ordering:
            if self._owed.get(stream.key) is owed:
                self._spare.save(stream)

    def remove(self, key: str) -> None:
        """Forget a stream that was stopped. If that cannot be kept, a restart may show it once more, as stopped."""
        self._owe(key, lambda: self._store.remove(key))

    def take_over(self, owed: Iterable[StoredStream]) -> None:
        """Keep the orders that an earlier process could not hand over."""
        with self._ordering:
            self._owed |= {stream.key: _Owed(functools.partial(self._store.save, stream)) for stream in owed}
        self._due.set()

    def _owe(self, key: str, write: Callable[[], None]) -> _Owed:
        """Queue an order for writing and wait for the attempt, unless the store already hangs."""
        owed = _Owed(write)
        with self._ordering:
            self._owed[key] = owed
        self._due.set()
        owed.tried.wait(max(0.0, _ORDER_WITHIN_S - self._silent_s()))
        return owed

    def _run_orders(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            is_last = self._is_closing
            self._pay()
            if is_last:
                return

    def _pay(self) -> None:
        """Write what is owed, as far as the store takes it."""
        with self._ordering:
            all_owed = list(self._owed.items())
        is_taken = True
        for key, owed in all_owed:
            is_taken = is_taken and self._attempt(owed.write)
            if is_taken:
                self._settle(key, owed)
            owed.tried.set()

    def _settle(self, key: str, owed: _Owed) -> None:
        with self._ordering:
            if self._owed.get(key) is owed:
                del self._owed[key]
            if not self._owed:
                self._spare.clear()
                self._note_well()

    # ---- what is reported, behind the supervisor's back ----

    def status(self, key: str, status: Status) -> None:
        """Keep a stream's status."""
        # One of a stream that is not stored yet writes nothing, and proves nothing.
        self._put(_Work(lambda: self._store.save_status(key, status)))

    def entry(self, entry: LogEntry) -> None:
        """Keep an event, and write it to the log."""
        self._put(_Work(lambda: self._store.note(entry), entry))

    def _put(self, work: _Work | None) -> None:
        try:
            self._queue.put_nowait(work)
        except queue.Full:
            self._dropped += 1

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
        is_done = self._attempt(work.write)
        if not is_done:
            self._dropped += 1
        if work.event is not None:
            self._refused = None if is_done else work
            if is_done and self._owed:
                self._due.set()
            elif is_done:
                self._note_well()

    def _look(self) -> None:
        """See how the store is while there is nothing to write."""
        if self._owed:
            self._due.set()
        elif self._refused is not None:
            self._dropped -= 1
            self._record(self._refused)
        elif self._attempt(self._store.check):
            self._note_well()

    def _attempt(self, work: Callable[[], None]) -> bool:
        """Return whether the write succeeded. Log a failure once, until a write succeeds again."""
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

    def _note_well(self) -> None:
        if self._problem is not None:
            log.info("store well again dropped=%d", self._dropped)
        self._problem = None

    def close(self) -> None:
        """Write what waits, then end."""
        self._put(None)
        self._is_closing = True
        self._due.set()
        for thread in self._threads:
            thread.join(_CLOSE_WITHIN_S)


def _log(entry: LogEntry) -> None:
    """One line for an event; those that repeat it are counted in the event log."""
    if entry.count > 1:
        return
    level = logging.WARNING if entry.kind in _WARNINGS else logging.INFO
    values = (entry.key, entry.name, entry.kind, entry.text, entry.actor)
    log.log(level, "stream event stream=%s name=%r kind=%s text=%r actor=%r", *values)
