"""The public address and place of this host, from a service that the settings can change or switch off.

A network test asks it when needed, at most once a day; no page does. The answer is kept in the data folder.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from app.domain.names import is_ip_address
from app.domain.places import Point, country_point
from app.machine.atomic_file import write_atomically
from app.network.fetch import fetch
from app.probes.run import ProbeFailed

log = logging.getLogger(__name__)

ANSWER_BYTES_MAX: Final = 64 * 1024
FRESH_S: Final = 24 * 3600
RETRY_S: Final = 60


class ExternalPlace(msgspec.Struct, frozen=True):
    """This host as the internet sees it. `at` is when it was read (Unix); `point` may be that of the capital."""

    ip: str
    at: float
    point: Point | None = None
    city: str = ""
    country: str = ""

    def label(self) -> str:
        """Return city and country, as far as known."""
        return ", ".join(part for part in (self.city, self.country) if part) or "place unknown"


class PlaceUnknown(Exception):
    """The service did not answer, or gave no place; the text says why."""


class ExternalPlaceFinder:
    """Finds this host's place and keeps it for a day."""

    def __init__(self, *, cache: Path, address: str | None) -> None:
        """Read the stored place. With `address` None, no service is asked."""
        self._cache_file, self._address = cache, address
        self._known = _read_cache(cache)
        self._failed_at: float | None = None
        self._problem = ""
        self._finding = threading.Lock()

    def known(self) -> ExternalPlace | None:
        """Return the known place, however old. Never waits."""
        return self._known

    def find(self) -> ExternalPlace:
        """Return the place. Ask the service if no place is known or it is a day old. Raises PlaceUnknown.

        Waits up to the limit of `fetch`, so only a test's own thread may call it. An old place is better than none.
        """
        with self._finding:
            if self._known is not None and time.time() - self._known.at < FRESH_S:
                return self._known
            if self._address is None:
                return self._old_or_raise("this host does not use the internet (OFFLINE=1)")
            if self._failed_at is not None and time.monotonic() - self._failed_at < RETRY_S:
                return self._old_or_raise(self._problem)
            try:
                place = parse_place(fetch(self._address, bytes_max=ANSWER_BYTES_MAX), at=time.time())
            except (ProbeFailed, ValueError) as error:
                self._failed_at, self._problem = time.monotonic(), str(error)
                log.warning("external place not found error=%r", str(error))
                return self._old_or_raise(self._problem)
            self._known, self._failed_at = place, None
            self._remember(place)
            return place

    def _old_or_raise(self, problem: str) -> ExternalPlace:
        if self._known is None:
            raise PlaceUnknown(problem)
        return self._known

    def _remember(self, place: ExternalPlace) -> None:
        try:
            write_atomically(self._cache_file, msgspec.json.encode(place))
        except OSError as error:
            log.warning("external place not kept file=%s error=%r", self._cache_file, error.strerror)


class _Answer(msgspec.Struct):
    """The field names of the known services: ipinfo.io, ipapi.co and ip-api.com."""

    ip: str | None = None
    query: str | None = None
    loc: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    lat: float | None = None
    lon: float | None = None
    city: str | None = None
    country: str | None = None
    country_code: str | None = None
    countryCode: str | None = None  # noqa: N815 - the service's spelling


def parse_place(body: bytes, *, at: float) -> ExternalPlace:
    """Read a service's answer. Raises ValueError if it has no address or its numbers are not a place."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("the location service returned an unreadable answer") from error
    ip = answer.ip or answer.query or ""
    if not is_ip_address(ip):
        raise ValueError("the location service returned no address")
    code = answer.country_code or answer.countryCode or answer.country or ""
    return ExternalPlace(
        ip=ip,
        at=at,
        point=_point_of(answer) or country_point(code),
        city=_label(answer.city),
        country=_label(code),
    )


def _point_of(answer: _Answer) -> Point | None:
    latitude: Any = answer.latitude if answer.latitude is not None else answer.lat
    longitude: Any = answer.longitude if answer.longitude is not None else answer.lon
    if answer.loc:
        latitude, _, longitude = answer.loc[:40].partition(",")
    if latitude is None or longitude is None:
        return None
    return Point(float(latitude), float(longitude))


def _label(text: str | None) -> str:
    return "".join(character for character in text or "" if character.isprintable()).strip()[:80]


def _read_cache(path: Path) -> ExternalPlace | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=ExternalPlace)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        # msgspec's errors are ValueErrors.
        log.warning("external place not read file=%s error=%r", path, str(error))
        return None
