"""The iperf3 servers for network tests: the built-in list, the public list and the operator's own.

The public list comes from one HTTPS address, in the background and only when the network test is used. Its last good
copy stays in the data folder. Entries that are not servers are left out.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import threading
import time
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec

from app.domain.names import is_ip_address, problem_with_host
from app.domain.places import Point, country_point
from app.jobs.runner import JobRunner
from app.machine.atomic_file import write_atomically
from app.network.fetch import fetch
from app.probes.iperf3 import PORT_DEFAULT
from app.probes.run import ProbeFailed

log = logging.getLogger(__name__)

LIST_BYTES_MAX: Final = 2 * 1024 * 1024
SERVERS_MAX: Final = 5000
FRESH_S: Final = 24 * 3600
RETRY_S: Final = 600  # interval after a failure, so that not every page sends a request to a closed firewall
REGIONS: Final = ("Africa", "Asia", "Europe", "North America", "Oceania", "South America")
_REGION_OTHER: Final = "Elsewhere"
_REGION_OWN: Final = "Own servers"
_TEXT_CHARACTERS: Final = 80


class Origin(StrEnum):
    """Where a server entry comes from."""

    OWN = "own"
    LISTED = "listed"
    BUILT_IN = "built_in"


class Server(msgspec.Struct, frozen=True):
    """An iperf3 server. It listens on each port of the range; `point` is None if its place is not known."""

    host: str
    port_first: int
    port_last: int
    origin: Origin
    site: str = ""
    country: str = ""
    region: str = _REGION_OTHER
    provider: str = ""
    point: Point | None = None


class ListState(msgspec.Struct, frozen=True):
    """The age of the public list (None: never read), and why the last refresh failed, if it did."""

    servers: int
    own_servers: int
    age_s: float | None
    problem: str | None


class ServerList:
    """All known servers. Reading never waits; `refresh_soon` and `refresh` update the public list."""

    def __init__(self, *, built_in: Path, own: Path, cache: Path, address: str | None) -> None:
        """Read the three files. With `address` None, the public list is never requested."""
        self._own_file, self._cache_file, self._address = own, cache, address
        self._built_in = _read_file(built_in, Origin.BUILT_IN)
        self._listed = _read_file(cache, Origin.LISTED)
        self._listed_at = cache.stat().st_mtime if self._listed else None
        self._problem: str | None = None
        self._tried_at = 0.0
        self._refreshing = threading.Lock()
        self._jobs = JobRunner("iperf3-server-list")

    def own(self) -> list[Server]:
        """Return the operator's servers as the file is now."""
        return _read_file(self._own_file, Origin.OWN)

    def public(self) -> list[Server]:
        """Return the public list, or the built-in one while there is none."""
        return self._listed or self._built_in

    def regions(self) -> list[str]:
        """Return the regions that have a server, those of the operator's servers first."""
        found = {server.region for server in (*self.own(), *self.public())}
        return sorted(found, key=lambda region: (region in (*REGIONS, _REGION_OTHER), region))

    def state(self) -> ListState:
        """Return the age of the list and its problem."""
        age_s = None if self._listed_at is None else max(0.0, time.time() - self._listed_at)
        return ListState(len(self.public()), len(self.own()), age_s, self._problem)

    def refresh_soon(self) -> None:
        """Update the public list in the background if it is old. Returns at once."""
        if self._is_due() and self._jobs.is_idle():
            self._jobs.submit(self.refresh)

    def refresh(self) -> None:
        """Update the public list if it is old. After a failure, the last good list stays and `state` says why."""
        with self._refreshing:
            if not self._is_due() or self._address is None:
                return
            self._tried_at = time.monotonic()
            try:
                body = fetch(self._address, bytes_max=LIST_BYTES_MAX)
                self._listed = parse_servers(body, Origin.LISTED)
                write_atomically(self._cache_file, body)
            except (ProbeFailed, ValueError, OSError) as error:
                self._problem = str(error)
                log.warning("iperf3 server list not refreshed error=%r", str(error))
                return
            self._listed_at, self._problem = time.time(), None
            log.info("iperf3 server list refreshed servers=%d", len(self._listed))

    def _is_due(self) -> bool:
        if self._address is None or (self._tried_at and time.monotonic() - self._tried_at < RETRY_S):
            return False
        return self._listed_at is None or time.time() - self._listed_at >= FRESH_S


class _Entry(msgspec.Struct):
    """A server in this program's own format."""

    host: str
    ports: str | int = PORT_DEFAULT
    site: str = ""
    country: str = ""
    region: str = ""
    provider: str = ""
    latitude: float | None = None
    longitude: float | None = None


class _ExportEntry(msgspec.Struct):
    """A server in the format of iperf3serverlist.net."""

    host: str = msgspec.field(name="IP/HOST")
    ports: str | int = msgspec.field(name="PORT", default=PORT_DEFAULT)
    site: str | None = msgspec.field(name="SITE", default="")
    country: str | None = msgspec.field(name="COUNTRY", default="")
    region: str | None = msgspec.field(name="CONTINENT", default="")
    provider: str | None = msgspec.field(name="PROVIDER", default="")


class _Document(msgspec.Struct):
    servers: list[Any]


def parse_servers(body: bytes, origin: Origin) -> list[Server]:
    """Read a list in our format (`{"servers": […]}`) or that of iperf3serverlist.net (`[…]`).

    Entries that are not servers are left out. Raises ValueError if the document is not a list or no entry is left.
    """
    try:
        entries = msgspec.json.decode(body, type=_Document | list[Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("this is not a JSON list of iperf3 servers") from error
    if isinstance(entries, _Document):
        found = [_server_of(entry, _Entry, origin) for entry in entries.servers[:SERVERS_MAX]]
    else:
        found = [_server_of(entry, _ExportEntry, origin) for entry in entries[:SERVERS_MAX]]
    unique = {(server.host, server.port_first): server for server in found if server is not None}
    if not unique:
        raise ValueError("the list has no server in it")
    return list(unique.values())


def _server_of(entry: object, kind: type[_Entry] | type[_ExportEntry], origin: Origin) -> Server | None:
    """Make a server from an entry, None if the entry is not valid."""
    try:
        read = msgspec.convert(entry, kind)
        host, ports = read.host.strip(), _port_range(str(read.ports))
        point = country_point(_label(read.country))
        if isinstance(read, _Entry) and read.latitude is not None and read.longitude is not None:
            point = Point(read.latitude, read.longitude)
    except (msgspec.ValidationError, ValueError):
        return None
    # A list from outside must not make this host probe its own network.
    if problem_with_host(host) or (origin is Origin.LISTED and is_ip_address(host) and not is_public(host)):
        return None
    region = _label(read.region)
    if origin is Origin.OWN:
        region = region or _REGION_OWN
    elif region not in REGIONS:
        region = _REGION_OTHER
    return Server(
        host=host,
        port_first=ports[0],
        port_last=ports[1],
        origin=origin,
        site=_label(read.site),
        country=_label(read.country),
        region=region,
        provider=_label(read.provider),
        point=point,
    )


def is_public(address: str) -> bool:
    """Return whether an address belongs to the public internet: not private, loopback, link-local or reserved."""
    parsed = ipaddress.ip_address(address)
    return parsed.is_global and not parsed.is_multicast


def _port_range(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"\s*([0-9]{1,5})\s*(?:-\s*([0-9]{1,5})\s*)?", text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= 65535:
        raise ValueError(f"no ports: {text[:40]!r}")
    return first, last


def _label(text: str | None) -> str:
    return "".join(character for character in text or "" if character.isprintable()).strip()[:_TEXT_CHARACTERS]


def _read_file(path: Path, origin: Origin) -> list[Server]:
    """Return the servers of a file. A missing or invalid file has none; an invalid one is logged."""
    try:
        with path.open("rb") as file:
            body = file.read(LIST_BYTES_MAX + 1)
    except FileNotFoundError:
        return []
    except OSError as error:
        log.warning("iperf3 servers not read file=%s error=%r", path, error.strerror)
        return []
    try:
        return parse_servers(body, origin) if len(body) <= LIST_BYTES_MAX else []
    except ValueError as error:
        log.warning("iperf3 servers not read file=%s error=%r", path, str(error))
        return []
