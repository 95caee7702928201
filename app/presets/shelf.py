"""Keeps entries of one kind in memory, under keys and unique names. Safe to use from several threads."""

from __future__ import annotations

import threading
from builtins import list as list_of
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from app.domain.errors import LimitReached, NameTaken, NotFound
from app.domain.json_value import JsonObject
from app.supervisor.admission import new_key

ENTRIES_MAX: Final = 200


class Named(Protocol):
    """An entry of a shelf."""

    @property
    def name(self) -> str:
        """The name that people use; no two entries of a shelf share one."""


EntryT = TypeVar("EntryT", bound=Named)


@dataclass(frozen=True)
class Kind(Generic[EntryT]):
    """The differences between presets and far ends: their word, their rules and their stored form."""

    word: str
    parse: Callable[[object], EntryT]
    read: Callable[[object], EntryT]
    document: Callable[[EntryT], JsonObject]


class Shelf(Generic[EntryT]):
    """The entries of one kind. `changed` is called after each change, outside the lock."""

    def __init__(self, kind: Kind[EntryT], entries: Mapping[str, EntryT], changed: Callable[[], None]) -> None:
        self.kind = kind
        self._entries = dict(entries)
        self._changed = changed
        self._lock = threading.Lock()

    def list(self) -> list_of[tuple[str, EntryT]]:
        """Return all entries with their keys, by name."""
        with self._lock:
            found = list(self._entries.items())
        return sorted(found, key=lambda item: (item[1].name.casefold(), item[0]))

    def get(self, key: str) -> EntryT:
        """Return an entry. Raises NotFound."""
        with self._lock:
            return self._known(key)

    def add(self, entry: EntryT) -> str:
        """Add an entry and return its key. Raises NameTaken and LimitReached."""
        with self._lock:
            self._check_name(entry, "")
            key = self._add(entry)
        self._changed()
        return key

    def replace(self, key: str, entry: EntryT) -> None:
        """Replace the entry with the key. Raises NotFound and NameTaken."""
        with self._lock:
            self._known(key)
            self._check_name(entry, key)
            self._entries[key] = entry
        self._changed()

    def remove(self, key: str) -> None:
        """Delete an entry. Raises NotFound."""
        with self._lock:
            self._known(key)
            del self._entries[key]
        self._changed()

    def put(self, entry: EntryT) -> tuple[str, bool]:
        """Add an entry, or replace the one with its name.

        Return its key and whether it replaced another. Raises LimitReached. Nothing is stored before `store`.
        """
        with self._lock:
            key = self._key_of(entry.name)
            if key is None:
                return self._add(entry), False
            self._entries[key] = entry
            return key, True

    def store(self) -> None:
        """Store the changes of `put`."""
        self._changed()

    def texts(self) -> dict[str, str]:
        """Return all entries in their stored form, by key."""
        with self._lock:
            return {
                key: msgspec.json.encode(self.kind.document(entry)).decode() for key, entry in self._entries.items()
            }

    def _known(self, key: str) -> EntryT:
        if key not in self._entries:
            raise NotFound(f"there is no {self.kind.word} {key}")
        return self._entries[key]

    def _add(self, entry: EntryT) -> str:
        if len(self._entries) >= ENTRIES_MAX:
            raise LimitReached(f"there are {ENTRIES_MAX} {self.kind.word}s, the maximum; delete one first")
        key = new_key(self._entries)
        self._entries[key] = entry
        return key

    def _check_name(self, entry: EntryT, own_key: str) -> None:
        if self._key_of(entry.name) not in (None, own_key):
            text = f"there is a {self.kind.word} “{entry.name}” already; choose another name, or replace that one"
            raise NameTaken(text, {"name": text})

    def _key_of(self, name: str) -> str | None:
        return next((key for key, entry in self._entries.items() if entry.name.casefold() == name.casefold()), None)
