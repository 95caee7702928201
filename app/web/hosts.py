"""Checks the host name in a request, against DNS rebinding.

The owner of a web page can make the name of that page resolve to this host. The browser of an operator who visits the
page then treats our pages as pages of that site. Its requests have the foreign name in Host, which scripts in a browser
cannot change. Never queries DNS: an attacker may control the answer, and a lookup can block.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Final

HOSTS_FILE: Final = Path("/etc/hosts")
# RFC 9110 7.2: uri-host [ ":" port ]; an IPv6 address is in brackets.
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:]+))(?::[0-9]*)?")


def own_names(hosts_file: Path = HOSTS_FILE) -> set[str]:
    """Return this host's name, short and in full, as far as known without a DNS query: /etc/hosts has the long form.

    Also with `.local`, the domain of multicast DNS (RFC 6762).
    """
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return {"localhost", name, short, f"{short}.local", *_aliases_of({name, short}, hosts_file)}


def _aliases_of(names: Iterable[str], hosts_file: Path) -> set[str]:
    """Return all names on the lines of a hosts file that have one of these names."""
    try:
        lines = hosts_file.read_text(errors="replace").lower().splitlines()
    except OSError:
        return set()
    entries = [set(line.partition("#")[0].split()[1:]) for line in lines]
    return {name for entry in entries if entry & set(names) for name in entry}


def is_trusted(host: str, names: Iterable[str]) -> bool:
    """Return whether a Host header has an IP address or a trusted name; `.example.org` includes all names below it."""
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    if found[1] is not None or _is_ipv4(found[2]):
        return True
    name = found[2].lower().removesuffix(".")
    return any(f".{name}".endswith(each) if each.startswith(".") else name == each for each in names)


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
