"""The documents that come with the program, and the addresses at which the product serves them.

The addresses are fixed when the library is made, from the files below `docs/`: a request selects one of them and never
names a file.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple
from urllib.parse import unquote

from app.documents.markdown import Heading, render
from app.domain.errors import NotFound

ADDRESS: Final = "/docs"
# Documents in the project's folder by address; all others are in docs/.
_IN_PROJECT: Final = {"readme": "README.md", "changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md"}
# Link targets in documents that are pages of the product.
_PAGES: Final = {"LICENSE": "/about#licence"}
_IMAGES: Final = frozenset({".png", ".svg", ".jpg"})
_GROUPS: Final = {
    "Run it": ("readme", "installation", "configuration", "operating", "troubleshooting", "security", "changelog"),
    "Use it": (
        "tuning",
        "recommendation",
        "receive",
        "impairment",
        "line-up-test",
        "line-up-check",
        "fleet",
        "statistics",
        "api",
    ),
    "Trust it": ("reliability", "evidence/reliability", "benchmarks", "references"),
    "Change it": ("architecture", "contributing"),
}
_REST: Final = "Change it"


class Entry(NamedTuple):
    """A document in the table of contents."""

    address: str
    title: str


class Document(NamedTuple):
    """A document as a page. `html` is safe to show: raw HTML in the source is shown as text."""

    address: str
    title: str
    html: str
    headings: tuple[Heading, ...]


class DocumentLibrary:
    """Safe to use from several threads. Each document is rendered once, at its first request."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._rendered: dict[str, Document] = {}
        self._rendering = threading.Lock()

    @cached_property
    def _files(self) -> Mapping[str, Path]:
        """Return the documents by address."""
        docs = self._project / "docs"
        found = {str(path.relative_to(docs).with_suffix("")): path for path in sorted(docs.rglob("*.md"))}
        in_project = {address: self._project / name for address, name in _IN_PROJECT.items()}
        return found | {address: path for address, path in in_project.items() if path.is_file()}

    @cached_property
    def _images(self) -> Mapping[str, Path]:
        docs = self._project / "docs"
        return {str(path.relative_to(docs)): path for path in docs.rglob("*") if path.suffix in _IMAGES}

    @cached_property
    def contents(self) -> Mapping[str, tuple[Entry, ...]]:
        """Return the documents in groups, in reading order."""
        listed = {address for addresses in _GROUPS.values() for address in addresses}
        rest = tuple(address for address in self._files if address not in listed)
        ordered = {name: (*group, *(rest if name == _REST else ())) for name, group in _GROUPS.items()}
        found = {
            name: tuple(Entry(address, _title_of(self._files[address])) for address in group if address in self._files)
            for name, group in ordered.items()
        }
        return {name: entries for name, entries in found.items() if entries}

    def read(self, address: str) -> Document:
        """Return a document. Raises NotFound."""
        with self._rendering:
            if address not in self._rendered:
                self._rendered[address] = self._render(address)
            return self._rendered[address]

    def image(self, name: str) -> Path:
        """Return the path of an image in the documents. Raises NotFound."""
        if name not in self._images:
            raise NotFound("The documentation has no such picture.")
        return self._images[name]

    def _render(self, address: str) -> Document:
        if address not in self._files:
            raise NotFound("The documentation has no such page.")
        path = self._files[address]
        made = render(
            path.read_text(encoding="utf-8"), lambda to: self._link(path, to), lambda to: self._picture(path, to)
        )
        return Document(address, _title_of(path), made.html, made.headings)

    def _link(self, path: Path, target: str) -> str | None:
        if re.match(r"(https?|mailto):", target) or target.startswith("#"):
            return target
        name, _, anchor = target.partition("#")
        place = self._place(path, name)
        known = {file: f"{ADDRESS}/{address}" for address, file in self._files.items()}
        known |= {self._project / name: address for name, address in _PAGES.items()}
        if place not in known:
            return None
        return f"{known[place]}#{anchor}" if anchor else known[place]

    def _picture(self, path: Path, target: str) -> str | None:
        place = self._place(path, target)
        return next((f"{ADDRESS}/files/{name}" for name, file in self._images.items() if file == place), None)

    def _place(self, path: Path, target: str) -> Path:
        """Return the file that a link means, without reading the disk: `..` is resolved in the text."""
        parts: list[str] = []
        for part in _parts(path.parent.relative_to(self._project), unquote(target)):
            if part == "..":
                parts = parts[:-1]
            else:
                parts.append(part)
        return self._project.joinpath(*parts)


def _parts(folder: Path, target: str) -> Iterator[str]:
    yield from folder.parts
    yield from PurePosixPath(target.lstrip("/")).parts


def _title_of(path: Path) -> str:
    """Return the first heading, or the file's name if there is none."""
    with path.open(encoding="utf-8") as lines:
        first = next((line for line in lines if line.startswith("# ")), "")
    return first.lstrip("# ").strip() or path.stem
