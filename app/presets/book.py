"""The presets and far ends of this installation. One write, among the orders, stores all entries that changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Protocol

import msgspec

from app.domain.presets import (
    EntryUnreadable,
    FarEnd,
    Preset,
    far_end_document,
    parse_far_end,
    parse_preset,
    preset_document,
    read_far_end,
    read_preset,
)
from app.presets.shelf import EntryT, Kind, Shelf
from app.store.tables import DocumentRow, FarEndRow, PresetRow
from app.store.unavailable import StoreUnavailable

log = logging.getLogger(__name__)
PRESET: Final = Kind("preset", parse_preset, read_preset, preset_document)
FAR_END: Final = Kind("far end", parse_far_end, read_far_end, far_end_document)
_ORDER_NAME: Final = "presets and far ends"


class Documents(Protocol):
    """The methods of store.Store that the book needs."""

    def documents(self, table: type[DocumentRow]) -> dict[str, str]:
        """Return all documents of a table by key. Raises StoreUnavailable."""

    def save_documents(self, table: type[DocumentRow], kept: Mapping[str, str], removed: Collection[str]) -> None:
        """Store and remove documents. Raises StoreUnavailable."""


class Book:
    """The presets and the address book of this installation.

    They are read once, at the start. `order` queues a write under a name, waits a few seconds at most, and repeats the
    write in its own thread until the store accepts it.
    """

    def __init__(self, store: Documents, order: Callable[[str, Callable[[], None]], None]) -> None:
        self._store = store
        self._order = order
        self.unreadable: list[str] = []
        self._stored: dict[type[DocumentRow], dict[str, str]] = {}
        self.presets: Shelf[Preset] = self._read(PRESET, PresetRow)
        self.far_ends: Shelf[FarEnd] = self._read(FAR_END, FarEndRow)

    def _read(self, kind: Kind[EntryT], table: type[DocumentRow]) -> Shelf[EntryT]:
        try:
            texts = self._store.documents(table)
        except StoreUnavailable as error:
            log.error("%ss not readable: %s", kind.word, error)
            self.unreadable.append(f"The {kind.word}s cannot be read: {error}.")
            texts = {}
        entries = {}
        for key, text in texts.items():
            try:
                entries[key] = kind.read(_decoded(text))
            except EntryUnreadable as error:
                # The row stays, because the version that wrote it can read it.
                log.error("stored %s not readable key=%s why=%r", kind.word, key, str(error))
                self.unreadable.append(f"The {kind.word} {_name_in(text) or key} cannot be read: {error}.")
        self._stored[table] = {key: texts[key] for key in entries}
        return Shelf(kind, entries, lambda: self._order(_ORDER_NAME, self._write))

    def _write(self) -> None:
        """Store the entries that changed. Only the store's own thread calls it. Raises StoreUnavailable."""
        for table, texts in ((PresetRow, self.presets.texts()), (FarEndRow, self.far_ends.texts())):
            stored = self._stored[table]
            kept = {key: text for key, text in texts.items() if stored.get(key) != text}
            removed = stored.keys() - texts.keys()
            if kept or removed:
                self._store.save_documents(table, kept, removed)
                self._stored[table] = texts


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise EntryUnreadable("it is not JSON") from None


def _name_in(text: str) -> str | None:
    try:
        document = _decoded(text)
    except EntryUnreadable:
        return None
    name = document.get("name") if isinstance(document, dict) else None
    return f"“{name}”" if isinstance(name, str) else None
