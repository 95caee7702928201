"""Writes to the store what the supervisor reports, behind its back: a slow or full disk must not hold a stream up."""

from __future__ import annotations

import functools
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from app.domain.status import Status
from app.store.opening import StoreUnavailable
from app.store.spare import SpareOrders
from app.store.store import Store, StoredStream
from app.supervisor.snapshot import LogEntry

log = logging.getLogger(__name__)
_WAITING_MAX: Final = 5000
_CLOSE_WITHIN_S: Final = 5.0
_LOOK_EVERY_S: Final = 3.0
_SILENT_S: Final = 10.0


class _Work(NamedTuple):
    """A write; `is_proof` when its success shows that the store can be written."""

    write: Callable[[], None]
    is_proof: bool


class Recorder:
    """Orders are written at once, or as soon as the store can be written again; the rest by one thread, in order.

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
        # The newest write of each stream that the store has not taken: one a stream, so never more than streams.
        self._owed: dict[str, Callable[[], None]] = {}
        self._ordering = threading.Lock()
        # A write that was refused, to be tried again: reading succeeds on a disk that is full.
        self._refused: _Work | None = None
        self._began_at: float | None = None
        self._attempt(store.check)
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def problem(self) -> str | None:
        """Why the store cannot be read or written, None when it can. At most some seconds old; never waits."""
        began_at = self._began_at
        if began_at is not None and time.monotonic() - began_at > _SILENT_S:
            return f"the database has not answered for {time.monotonic() - began_at:.0f} s"
        return self._problem

    # ---- orders, on the asker's thread ----

    def keep(self, stream: StoredStream) -> None:
        """Keep a stream with its order."""
        with self._ordering:
            if not self._keep(stream.key, lambda: self._store.save(stream)):
                self._spare.save(stream)

    def remove(self, key: str) -> None:
        """Forget a stream that was stopped. If that cannot be kept, a restart may show it once more, as stopped."""
        with self._ordering:
            self._keep(key, lambda: self._store.remove(key))

    def take_over(self, owed: Iterable[StoredStream]) -> None:
        """Keep the orders that an earlier process could not hand over."""
        with self._ordering:
            self._owed |= {stream.key: functools.partial(self._store.save, stream) for stream in owed}
        self._pay()

    def _keep(self, key: str, work: Callable[[], None]) -> bool:
        self._owed[key] = work
        is_kept = self._attempt(work)
        if is_kept:
            self._settle(key)
        return is_kept

    def _settle(self, key: str) -> None:
        del self._owed[key]
        if not self._owed:
            self._spare.clear()
            self._note_well()

    # ---- what is reported, behind the supervisor's back ----

    def status(self, key: str, status: Status) -> None:
        """Keep a stream's status."""
        # One of a stream that is not stored yet writes nothing, and proves nothing.
        self._put(_Work(lambda: self._store.save_status(key, status), is_proof=False))

    def entry(self, entry: LogEntry) -> None:
        """Keep an event."""
        self._put(_Work(lambda: self._store.note(entry), is_proof=True))

    def _put(self, work: _Work) -> None:
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
                self._pay()
                return
            self._record(work)

    def _record(self, work: _Work) -> None:
        is_done = self._attempt(work.write)
        if not is_done:
            self._dropped += 1
        if work.is_proof:
            self._refused = None if is_done else work
            if is_done and self._owed:
                self._pay()
            elif is_done:
                self._note_well()

    def _look(self) -> None:
        """See how the store is while there is nothing to write."""
        if self._owed:
            self._pay()
        elif self._refused is not None:
            self._dropped -= 1
            self._record(self._refused)
        elif self._attempt(self._store.check):
            self._note_well()

    def _pay(self) -> None:
        """Write what is owed, as far as the store takes it."""
        with self._ordering:
            for key, work in list(self._owed.items()):
                if not self._attempt(work):
                    return
                self._settle(key)

    def _attempt(self, work: Callable[[], None]) -> bool:
        """Do it, and tell whether it was done; a failure is logged once, until all is well again."""
        self._began_at = time.monotonic()
        try:
            work()
        except StoreUnavailable as error:
            if self._problem is None:
                log.error("store refuses: %s", error)
            self._problem = str(error)
            return False
        finally:
            self._began_at = None
        return True

    def _note_well(self) -> None:
        if self._problem is not None:
            log.info("store well again dropped=%d", self._dropped)
        self._problem = None

    def close(self) -> None:
        """Write what waits, then end."""
        self._queue.put(None)
        self._thread.join(_CLOSE_WITHIN_S)
