"""The other installations that this one watches: their names, addresses and API keys."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import msgspec

from app.domain.secret import Secret

HOSTS_MAX: Final = 64
_NAME: Final = re.compile(r"[\w][\w .-]{0,39}")


class HostEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One other installation. `url` is where its pages are; `api_key` is that installation's API_KEY."""

    name: str
    url: str
    api_key: Secret


def parse_hosts(text: str) -> tuple[HostEntry, ...]:
    """Read the JSON list of hosts. Raises ValueError that names the entry, the field and the remedy, never a key."""
    try:
        entries = msgspec.json.decode(text.encode(), type=list[HostEntry], dec_hook=_wrap)
    except msgspec.DecodeError as error:
        raise ValueError(
            f'{error}; write a list like [{{"name": "mcr-b", "url": "http://192.0.2.7:5000", "api_key": "…"}}]'
        ) from None
    if len(entries) > HOSTS_MAX:
        raise ValueError(f"{len(entries)} hosts are listed; the maximum is {HOSTS_MAX}")
    taken: set[str] = set()
    for number, entry in enumerate(entries, 1):
        if problem := _problem(entry, taken):
            raise ValueError(f"host {number}: {problem}")
        taken.add(entry.name.casefold())
    return tuple(entries)


def without(entries: Iterable[HostEntry], name: str) -> tuple[HostEntry, ...]:
    """Return the entries of the other hosts: all hosts may use one list that includes this host."""
    return tuple(entry for entry in entries if entry.name.casefold() != name.casefold())


def _problem(entry: HostEntry, taken: set[str]) -> str | None:
    if not _NAME.fullmatch(entry.name):
        return "name: use 1 to 40 letters, digits, spaces, dots and hyphens"
    if entry.name.casefold() in taken:
        return f"name: two hosts are called {entry.name!r}; rename one"
    try:
        parts = urlsplit(entry.url)
        is_base = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return "url: this is not an address; write http://HOST:PORT or https://HOST"
    if not is_base or parts.username or parts.password or parts.query or parts.fragment:
        return "url: write http://HOST:PORT or https://HOST, without user, query or fragment"
    if entry.api_key.size_bytes() == 0:
        return "api_key: write the API_KEY of that host"
    return None


def _wrap(kind: type, value: object) -> object:
    if kind is Secret and isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value:
        return Secret(value)
    raise TypeError("an API key has ASCII letters, digits and punctuation only")
