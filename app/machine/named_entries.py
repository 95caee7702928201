"""Keeps named entries of one kind in one file of the data folder, which `mcr backup` includes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from app.domain.errors import InvalidInput, LimitReached, NotFound, ProductError
from app.machine.atomic_file import write_atomically

log = logging.getLogger(__name__)
_FILE_BYTES_MAX: Final = 4 * 1024 * 1024


class _Named(Protocol):
    @property
    def name(self) -> str:
        """The entry's name, which no other entry has."""


T = TypeVar("T", bound=_Named)


class Kind(NamedTuple):
    """The words for an entry and for several, the name of the list in the file, and the maximum number."""

    one: str
    many: str
    list_name: str
    maximum: int


class EntriesNotKept(ProductError):
    """The disk refused to write; nothing was changed."""

    code = "store_unavailable"


class NamedEntries(Generic[T]):
    """Keeps the entries of one file. Safe to use from several threads."""

    def __init__(self, path: Path, kind: Kind, parse: Callable[[object], Sequence[T]]) -> None:
        """Read the file. `parse` makes entries of its document, or raises InvalidInput."""
        self._path = path
        self._kind = kind
        self._lock = threading.Lock()
        self._entries = {entry.name: entry for entry in self._read(parse)}

    def all(self) -> list[T]:
        """Return every entry, by name."""
        with self._lock:
            return [self._entries[name] for name in sorted(self._entries)]

    def find(self, name: str) -> T | None:
        """Return the entry with a name."""
        with self._lock:
            return self._entries.get(name)

    def keep(self, entries: Sequence[T]) -> None:
        """Add entries, replacing those with the same names. Raises LimitReached and EntriesNotKept."""
        with self._lock:
            after = self._entries | {entry.name: entry for entry in entries}
            if len(after) > self._kind.maximum:
                text = f"{len(after)} {self._kind.many}; {self._kind.maximum} is the maximum; remove some first"
                raise LimitReached(text)
            self._write(after)

    def remove(self, name: str) -> None:
        """Delete an entry. Raises NotFound and EntriesNotKept."""
        with self._lock:
            if name not in self._entries:
                raise NotFound(f"there is no {self._kind.one} {name[:40]}")
            self._write({other: entry for other, entry in self._entries.items() if other != name})

    def _write(self, entries: dict[str, T]) -> None:
        try:
            write_atomically(self._path, msgspec.json.encode({self._kind.list_name: list(entries.values())}))
        except OSError as error:
            raise EntriesNotKept(f"the {self._kind.many} cannot be kept: {error.strerror}") from None
        self._entries = entries

    def _read(self, parse: Callable[[object], Sequence[T]]) -> Sequence[T]:
        """Return the entries of the file. An unreadable file is logged and stays until something is saved."""
        try:
            if self._path.stat().st_size > _FILE_BYTES_MAX:
                raise OSError(f"larger than {_FILE_BYTES_MAX} bytes")
            document = msgspec.json.decode(self._path.read_bytes())
            return parse(document) if document.get(self._kind.list_name) else []
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError, InvalidInput, AttributeError) as error:
            log.warning("%s not read file=%s error=%r", self._kind.many, self._path, str(error))
            return []
