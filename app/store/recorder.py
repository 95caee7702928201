"""Writes to the store in the background, so that neither a slow disk nor a hanging server delays a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from app.domain.events import LogEntry
from app.domain.status import Status
from app.store.event_writer import EventWriter
from app.store.order_writer import OrderWriter
from app.store.spare import SpareOrders
from app.store.store import Store, StoredStream
from app.store.store_health import StoreHealth

_CLOSE_WITHIN_S: Final = 5.0
_LOOK_EVERY_S: Final = 3.0


class Recorder:
    """Orders survive, so a caller waits a few seconds for its order. Events never delay a caller, and may be lost."""

    def __init__(self, store: Store, spare: SpareOrders, *, look_every_s: float = _LOOK_EVERY_S) -> None:
        self._health = StoreHealth()
        self._health.attempt(store.check)
        self._orders = OrderWriter(store, spare, self._health)
        self._events = EventWriter(store, self._health, self._orders, look_every_s=look_every_s)

    def problem(self) -> str | None:
        """Why the store cannot be read or written, None if it can. At most a few seconds old; never waits."""
        return self._health.problem()

    def keep(self, stream: StoredStream) -> None:
        """Store a stream with its order. A caller waits a few seconds at most."""
        self._orders.keep(stream)

    def remove(self, key: str) -> None:
        """Delete a stopped stream. If the store refuses, a restart may show it once more, as stopped."""
        self._orders.remove(key)

    def order(self, name: str, write: Callable[[], None]) -> None:
        """Queue another write among the orders. It replaces an earlier write of that name that is still due."""
        self._orders.order(name, write)

    def take_over(self, owed: Iterable[StoredStream]) -> None:
        """Store the orders that an earlier process could not store."""
        self._orders.take_over(owed)

    def status(self, key: str, status: Status) -> None:
        """Store a stream's status in the background."""
        self._events.status(key, status)

    def entry(self, entry: LogEntry) -> None:
        """Store an event and write it to the log, in the background."""
        self._events.entry(entry)

    def close(self) -> None:
        """Write queued data, then end."""
        self._events.close()
        self._orders.close()
        self._events.join(_CLOSE_WITHIN_S)
        self._orders.join(_CLOSE_WITHIN_S)
