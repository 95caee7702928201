"""The server list: what is taken from it, how it is refreshed, what is kept when that fails."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.places import Point, country_point
from app.network.iperf_servers import REGIONS, SERVERS_MAX, Origin, Server, ServerList, parse_servers
from app.settings import PROJECT_FOLDER
from tests.instruments.https_server import Answer, HttpsServer, body
from tests.instruments.waiting import wait_for

BUILT_IN = PROJECT_FOLDER / "app" / "data" / "iperf3_servers.json"
EXPORTED = {
    "IP/HOST": "iperf.example.se",
    "PORT": "5201-5210",
    "OPTIONS": "-R,-6",
    "GB/S": "10",
    "CONTINENT": "Europe",
    "COUNTRY": "SE",
    "SITE": "Kista",
    "PROVIDER": "Example",
}


def encode(document: Any) -> bytes:
    return json.dumps(document).encode()


def make_list(folder: Path, address: str | None = None) -> ServerList:
    return ServerList(
        built_in=BUILT_IN, own=folder / "own.json", cache=folder / "iperf3_export_servers.json", address=address
    )


def test_the_servers_that_ship_are_all_usable() -> None:
    servers = parse_servers(BUILT_IN.read_bytes(), Origin.BUILT_IN)
    assert len(servers) == len(json.loads(BUILT_IN.read_text())["servers"]) > 20
    assert all(server.region in REGIONS and server.point is not None and server.site for server in servers)


def test_the_public_lists_spelling_is_read_and_placed_by_country() -> None:
    assert parse_servers(encode([EXPORTED]), Origin.LISTED) == [
        Server("iperf.example.se", 5201, 5210, Origin.LISTED, "Kista", "SE", "Europe", "Example", country_point("SE"))
    ]


def test_own_servers_need_a_host_only() -> None:
    body_ = encode({"servers": [{"host": "10.0.0.5"}, {"host": "b.example", "latitude": 1.5, "longitude": 2.5}]})
    first, second = parse_servers(body_, Origin.OWN)
    assert (first.host, first.port_first, first.region, first.point) == ("10.0.0.5", 5201, "Own servers", None)
    assert second.point == Point(1.5, 2.5)


@pytest.mark.parametrize(
    "change",
    [
        {"IP/HOST": "-oProxy"},
        {"IP/HOST": "a b"},
        {"IP/HOST": "x" * 300},
        {"IP/HOST": "10.0.0.1"},
        {"IP/HOST": "127.0.0.1"},
        {"IP/HOST": "169.254.169.254"},
        {"IP/HOST": "::1"},
        {"IP/HOST": 5},
        {"PORT": "0"},
        {"PORT": "70000"},
        {"PORT": "5210-5201"},
        {"PORT": "5201; id"},
        {"PORT": None},
    ],
)
def test_an_entry_that_is_no_server_is_left_out(change: dict[str, Any]) -> None:
    assert parse_servers(encode([{**EXPORTED, **change}, EXPORTED]), Origin.LISTED) == parse_servers(
        encode([EXPORTED]), Origin.LISTED
    )


@pytest.mark.parametrize(
    "document", [b"", b"<html>", b"{}", b"[]", b"[5]", b'{"servers": []}', b"[" * 100_000, b"\xff"]
)
def test_a_document_without_servers_is_no_list(document: bytes) -> None:
    with pytest.raises(ValueError, match="list"):
        parse_servers(document, Origin.LISTED)


@given(st.binary())
def test_any_bytes_are_a_list_or_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match="list"):
        parse_servers(document, Origin.LISTED)


def test_texts_are_made_harmless_and_short() -> None:
    (server,) = parse_servers(encode([{**EXPORTED, "SITE": "a\u0007b\n" + "c" * 500}]), Origin.LISTED)
    assert server.site == "ab" + "c" * 78


def test_a_flood_of_servers_is_cut() -> None:
    many = [{**EXPORTED, "IP/HOST": f"s{number}.example"} for number in range(SERVERS_MAX + 10)]
    assert len(parse_servers(encode(many), Origin.LISTED)) == SERVERS_MAX


def test_without_a_public_list_the_built_in_one_serves(tmp_path: Path) -> None:
    servers = make_list(tmp_path)
    assert {server.origin for server in servers.public()} == {Origin.BUILT_IN}
    assert servers.regions()[0] == "Asia"
    assert servers.state().age_s is None


def test_own_servers_are_read_whenever_asked_and_come_first(tmp_path: Path) -> None:
    servers = make_list(tmp_path)
    assert servers.own() == []
    (tmp_path / "own.json").write_bytes(encode({"servers": [{"host": "192.0.2.1", "region": "Studio"}]}))
    assert [server.host for server in servers.own()] == ["192.0.2.1"]
    assert servers.regions()[0] == "Studio"
    (tmp_path / "own.json").write_text("{not json")
    assert servers.own() == []


def refresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer) -> ServerList:
    with HttpsServer(tmp_path, answer) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        servers = make_list(tmp_path, server.address)
        servers.refresh()
    return servers


def test_a_refresh_is_kept_for_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servers = refresh(tmp_path, monkeypatch, body(encode([EXPORTED])))
    assert [server.host for server in servers.public()] == ["iperf.example.se"]
    assert servers.state().problem is None
    again = make_list(tmp_path)
    assert again.public() == servers.public()
    age_s = again.state().age_s
    assert age_s is not None
    assert age_s < 60


@pytest.mark.parametrize(
    "answer",
    [
        body(b"<html>Sign in to this network</html>"),
        body(b"[]"),
        body(b"x" * 3_000_000),
        body(b"", "302 Found", "Location: https://elsewhere.example/\r\n"),
        body(b"", "500 Internal Server Error"),
    ],
)
def test_a_bad_answer_leaves_the_last_good_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    cache = tmp_path / "iperf3_export_servers.json"
    cache.write_bytes(encode([EXPORTED]))
    old = time.time() - 100_000
    os.utime(cache, (old, old))
    servers = refresh(tmp_path, monkeypatch, answer)
    assert [server.host for server in servers.public()] == ["iperf.example.se"]
    assert servers.state().problem
    assert cache.read_bytes() == encode([EXPORTED])


def test_after_a_failure_the_address_is_left_alone_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpsServer(tmp_path, body(b"no", "404 Not Found")) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        servers = make_list(tmp_path, server.address)
        for _ in range(3):
            servers.refresh()
        assert len(server.requests) == 1


def test_a_fresh_list_is_not_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "iperf3_export_servers.json").write_bytes(encode([EXPORTED]))
    with HttpsServer(tmp_path, body(b"[]")) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        make_list(tmp_path, server.address).refresh()
        assert server.requests == []


def test_refreshing_soon_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpsServer(tmp_path, body(encode([EXPORTED]))) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        servers = make_list(tmp_path, server.address)
        servers.refresh_soon()
        assert servers.public()[0].origin is Origin.BUILT_IN
        wait_for(lambda: servers.public()[0].origin is Origin.LISTED, deadline_s=15, what="the list came")


def test_offline_nobody_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.network.iperf_servers.fetch", lambda *_, **__: pytest.fail("the internet was called"))
    servers = make_list(tmp_path, None)
    servers.refresh()
    servers.refresh_soon()
    assert servers.state().problem is None
