"""Exports presets and address book as one document, and imports such a document."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.errors import InvalidInput, ProductError
from app.domain.json_value import JsonObject
from app.presets.book import Book
from app.presets.shelf import EntryT, Shelf

FORMAT: Final = "mcr-presets"
VERSION: Final = 1
_PARTS: Final = ("presets", "far_ends")
_REMEDY: Final = "import a file that was exported here"


class Refused(msgspec.Struct, frozen=True):
    """An entry that was not imported, and what is wrong with each of its fields."""

    kind: str
    position: int
    name: str
    fields: dict[str, str]


class Imported(msgspec.Struct, frozen=True):
    """The result of an import: new entries, entries that replaced one with their name, and refused entries."""

    presets: int
    far_ends: int
    replaced: int
    refused: list[Refused]


def export(book: Book) -> JsonObject:
    """Return all presets and far ends as one document, by name."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "presets": [book.presets.kind.document(preset) for _, preset in book.presets.list()],
        "far_ends": [book.far_ends.kind.document(far_end) for _, far_end in book.far_ends.list()],
    }


def import_into(book: Book, document: object) -> Imported:
    """Import the entries of an exported document, each completely or not at all.

    An entry replaces the one with its name. Raises InvalidInput if the document as a whole is not an export.
    """
    lists = _lists_in(document)
    refused: list[Refused] = []
    presets = _take(book.presets, lists["presets"], refused)
    far_ends = _take(book.far_ends, lists["far_ends"], refused)
    book.presets.store()  # both shelves go into the store in one write
    return Imported(len(presets), len(far_ends), sum(presets) + sum(far_ends), refused)


def _lists_in(document: object) -> dict[str, list[object]]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidInput.of({"format": f"this is not an export of presets; {_REMEDY}"})
    if document.get("version") != VERSION:
        raise InvalidInput.of({"version": f"this version reads version {VERSION} of the format; {_REMEDY}"})
    found: dict[str, list[object]] = {}
    for part in _PARTS:
        entries = document.get(part, [])
        if not isinstance(entries, list):
            raise InvalidInput.of({part: f"expected a list; {_REMEDY}"})
        found[part] = entries
    return found


def _take(shelf: Shelf[EntryT], documents: list[object], refused: list[Refused]) -> list[bool]:
    """Put the valid entries on the shelf. Return for each whether it replaced one."""
    taken = []
    for position, document in enumerate(documents, start=1):
        try:
            _, has_replaced = shelf.put(shelf.kind.parse(document))
        except ProductError as error:
            fields = error.fields or {shelf.kind.word: error.message}
            refused.append(Refused(shelf.kind.word, position, _name_of(document), fields))
        else:
            taken.append(has_replaced)
    return taken


def _name_of(document: object) -> str:
    name = document.get("name") if isinstance(document, dict) else None
    return name if isinstance(name, str) else ""
