"""Writes orders. A refused order survives: it is kept in the spare file and tried until the store accepts it.

| an order is | until                                                                          |
|-------------|--------------------------------------------------------------------------------|
| owed        | the store accepts it, or a newer order of the same stream replaces it          |
| tried       | the store accepts or refuses it, or 2 s have passed; its caller waits for this |
| spare       | every owed order is written; then the spare file is emptied                    |
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from app.store.spare import SpareOrders
from app.store.store import Store, StoredStream
from app.store.store_health import StoreHealth

_ORDER_WITHIN_S: Final = 2.0


@dataclass(frozen=True)
class _Owed:
    """The newest write of a stream's order; `tried` is set when the store accepted or refused it."""

    write: Callable[[], None]
    tried: threading.Event = field(default_factory=threading.Event)


class OrderWriter:
    """Writes each order at once, or as soon as the store can be written again, on a thread."""

    def __init__(self, store: Store, spare: SpareOrders, health: StoreHealth) -> None:
        self._store = store
        self._spare = spare
        self._health = health
        # At most one entry per stream.
        self._owed: dict[str, _Owed] = {}
        self._ordering = threading.Lock()
        self._due = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="order writer", daemon=True)
        self._thread.start()

    def keep(self, stream: StoredStream) -> None:
        """Store a stream with its order."""
        owed = self._owe(stream.key, lambda: self._store.save(stream))
        with self._ordering:
            if self._owed.get(stream.key) is owed:
                self._spare.save(stream)

    def remove(self, key: str) -> None:
        """Delete a stopped stream. If the store refuses, a restart may show it once more, as stopped."""
        self._owe(key, lambda: self._store.remove(key))

    def order(self, name: str, write: Callable[[], None]) -> None:
        """Queue another write among the orders. It replaces an earlier write of that name that is still owed."""
        self._owe(name, write)

    def take_over(self, owed: Iterable[StoredStream]) -> None:
        """Store the orders that an earlier process could not store."""
        with self._ordering:
            self._owed |= {stream.key: _Owed(functools.partial(self._store.save, stream)) for stream in owed}
        self._due.set()

    def retry(self) -> bool:
        """Try the owed orders again, on the thread. Return False if there are none."""
        if self._owed:
            self._due.set()
        return bool(self._owed)

    def close(self) -> None:
        """Try the owed orders once more, then end; `join` waits for that."""
        self._is_closing = True
        self._due.set()

    def join(self, within_s: float) -> None:
        """Wait for the thread to end."""
        self._thread.join(within_s)

    def _owe(self, key: str, write: Callable[[], None]) -> _Owed:
        """Queue an order for writing and wait for the attempt, unless the store already hangs."""
        owed = _Owed(write)
        with self._ordering:
            self._owed[key] = owed
        self._due.set()
        owed.tried.wait(max(0.0, _ORDER_WITHIN_S - self._health.silent_s()))
        return owed

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            is_last = self._is_closing
            self._write_owed()
            if is_last:
                return

    def _write_owed(self) -> None:
        """Write the owed orders, as far as the store accepts them."""
        with self._ordering:
            all_owed = list(self._owed.items())
        is_taken = True
        for key, owed in all_owed:
            is_taken = is_taken and self._health.attempt(owed.write)
            if is_taken:
                self._note_written(key, owed)
            owed.tried.set()

    def _note_written(self, key: str, owed: _Owed) -> None:
        with self._ordering:
            if self._owed.get(key) is owed:
                del self._owed[key]
            if not self._owed:
                self._spare.clear()
                self._health.note_well()
