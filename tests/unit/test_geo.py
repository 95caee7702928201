"""This host's place: which answers are understood, how long they last, what happens without one."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.places import Point, country_point
from app.network.geo import ExternalPlaceFinder, PlaceUnknown, parse_place
from tests.instruments.https_server import HttpsServer, body

IPINFO = b'{"ip": "192.0.2.44", "city": "Stockholm", "country": "SE", "loc": "59.3294,18.0687", "org": "x"}'


@pytest.mark.parametrize(
    "answer",
    [
        IPINFO,
        b'{"ip": "192.0.2.44", "city": "Stockholm", "country_code": "SE", "country": "SE", "latitude": 59.3294,'
        b' "longitude": 18.0687}',
        b'{"query": "192.0.2.44", "city": "Stockholm", "countryCode": "SE", "country": "Sweden", "lat": 59.3294,'
        b' "lon": 18.0687, "status": "success"}',
    ],
)
def test_three_services_are_understood(answer: bytes) -> None:
    place = parse_place(answer, at=1.0)
    assert (place.ip, place.point, place.label()) == ("192.0.2.44", Point(59.3294, 18.0687), "Stockholm, SE")


def test_without_coordinates_the_capital_stands_in() -> None:
    assert parse_place(b'{"ip": "192.0.2.44", "country": "NO"}', at=1.0).point == country_point("NO")
    assert parse_place(b'{"ip": "192.0.2.44"}', at=1.0).point is None


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"ip": "unknown"}',
        b'{"ip": "192.0.2.44", "loc": "north,south"}',
        b'{"ip": "192.0.2.44", "loc": "91,0"}',
        b'{"ip": "192.0.2.44", "latitude": 1e9, "longitude": 0}',
        b'{"ip": 7}',
    ],
)
def test_an_answer_without_an_address_or_with_an_impossible_place_is_refused(answer: bytes) -> None:
    with pytest.raises(ValueError):
        parse_place(answer, at=1.0)


@given(st.binary())
def test_any_bytes_are_a_place_or_refused(answer: bytes) -> None:
    with pytest.raises(ValueError):
        parse_place(answer, at=1.0)


def test_the_place_is_asked_for_once_and_kept_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "external_ip_cache.json"
    with HttpsServer(tmp_path, body(IPINFO)) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        finder = ExternalPlaceFinder(cache=cache, address=server.address)
        assert finder.known() is None
        assert finder.find() == finder.find() == finder.known()
        assert len(server.requests) == 1
    assert ExternalPlaceFinder(cache=cache, address=None).find().ip == "192.0.2.44"
    assert cache.stat().st_mode & 0o077 == 0, "for this user only"


def test_offline_says_why_there_is_no_place(tmp_path: Path) -> None:
    with pytest.raises(PlaceUnknown, match="OFFLINE=1"):
        ExternalPlaceFinder(cache=tmp_path / "none", address=None).find()


def test_an_old_place_is_better_than_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "external_ip_cache.json"
    cache.write_text(json.dumps({"ip": "192.0.2.9", "at": time.time() - 900_000, "country": "DK"}))
    with HttpsServer(tmp_path, body(b"no", "503 Service Unavailable")) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        finder = ExternalPlaceFinder(cache=cache, address=server.address)
        assert finder.find().ip == "192.0.2.9"
        assert finder.find().ip == "192.0.2.9"
        assert len(server.requests) == 1, "a failure is not repeated at once"


def test_a_failure_is_passed_on_and_not_repeated_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpsServer(tmp_path, body(b"<html>")) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        finder = ExternalPlaceFinder(cache=tmp_path / "none", address=server.address)
        for _ in range(2):
            with pytest.raises(PlaceUnknown, match="unreadable answer"):
                finder.find()
        assert len(server.requests) == 1


@pytest.mark.parametrize("kept", ["", "[]", "{}", '{"ip": "x", "at": 1, "point": {"latitude": 900, "longitude": 0}}'])
def test_a_spoilt_memory_is_forgotten(tmp_path: Path, kept: str) -> None:
    (tmp_path / "cache").write_text(kept)
    assert ExternalPlaceFinder(cache=tmp_path / "cache", address=None).known() is None
