"""Checks web addresses in the settings that this host will read from."""

from __future__ import annotations

import urllib.parse
from typing import Final

_CHARACTERS_MAX: Final = 2000


def problem_with_https_address(text: str, schemes: tuple[str, ...] = ("https",)) -> str | None:
    """Check an address: https unless `schemes` allows more, with a host, without user name or password.

    A password in an address would end up in logs.
    """
    if not (text.isascii() and text.isprintable()) or " " in text or len(text) > _CHARACTERS_MAX:
        return f"an address has at most {_CHARACTERS_MAX} ASCII characters, without spaces or control characters"
    try:
        parts = urllib.parse.urlsplit(text)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_host = False
    if not has_host or parts.scheme not in schemes:
        return "write an address like https://servers.example.net/list.json"
    return "leave user name and password out of the address" if "@" in parts.netloc else None
