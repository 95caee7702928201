"""Host names under which the pages are served: a foreign name of this address (DNS rebinding) is refused."""

from __future__ import annotations

import dataclasses
import socket
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from app.settings import Settings
from app.web.hosts import is_trusted, own_names
from tests.web.client import Client
from tests.web.fake_manager import FakeManager

FOREIGN = [
    "evil.example",
    "evil.example:5000",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "1.2.3",
    "2130706433",
]


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/", "/api/streams", "/metrics", "/nowhere"])
def test_under_a_foreign_name_nothing_is_served_and_no_session_given(stranger: Client, host: str, path: str) -> None:
    answer = stranger.get(path, headers={"Host": host})

    assert answer.status_code == 400
    assert "TRUSTED_HOSTS" in answer.get_data(as_text=True)
    assert host not in answer.get_data(as_text=True)
    assert "Set-Cookie" not in answer.headers


def test_a_page_under_a_foreign_name_orders_nothing_though_it_has_a_session(
    browser: Client, manager: FakeManager
) -> None:
    spec = {"endpoint": {"mode": "listener", "port": 10009}, "source": {"kind": "bars"}}
    answer = browser.post("/api/streams", json=spec, headers={"Host": "evil.example"})

    assert (answer.status_code, answer.json["error"]["code"]) == (400, "untrusted_host")
    assert manager.started == []


@pytest.mark.parametrize(
    "host", ["192.0.2.7", "192.0.2.7:5000", "[2001:db8::1]:5000", "[::1]", "localhost:5000", "LocalHost.", "localhost:"]
)
def test_by_address_and_as_localhost_the_pages_are_served(stranger: Client, host: str) -> None:
    assert stranger.get("/", headers={"Host": host}).status_code == 200


def test_by_the_hosts_own_name_the_pages_are_served(stranger: Client) -> None:
    name = socket.gethostname()
    for host in (name, name.upper(), f"{name}:5000", f"{name.partition('.')[0]}.local"):
        assert stranger.get("/", headers={"Host": host}).status_code == 200, host


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("mcr.example.org", 200),
        ("MCR.example.org.:443", 200),
        ("studio.example.net", 200),
        ("a.b.example.net", 200),
        ("example.net", 200),
        ("notexample.net", 400),
        ("www.mcr.example.org", 400),
    ],
)
def test_by_names_of_the_settings_the_pages_are_served(
    settings: Settings, manager: FakeManager, host: str, status: Any
) -> None:
    trusting = dataclasses.replace(settings, trusted_hosts=("mcr.example.org", ".example.net"))
    client = create_app(trusting, manager=manager).test_client()

    assert client.get("/", headers={"Host": host}).status_code == status


def test_a_script_with_the_key_and_a_monitor_may_use_any_name(script: Client, stranger: Client) -> None:
    assert script.get("/api/streams", headers={"Host": "any.example"}).status_code == 200
    assert stranger.get("/health", headers={"Host": "any.example"}).status_code in (200, 503)


def test_the_long_form_of_the_own_name_is_found_in_the_hosts_file(tmp_path: Path) -> None:
    name = socket.gethostname().partition(".")[0]
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n127.0.1.1\t{name}.Studio.example {name} # mcr\n192.0.2.1 other.example\n")

    assert f"{name}.studio.example".lower() in own_names(hosts)
    assert own_names(hosts).isdisjoint({"other.example", "mcr", "127.0.1.1"})
    assert "localhost" in own_names(tmp_path / "missing")


@pytest.mark.parametrize(
    "host", ["", ":5000", "[", "[]", "[::1", "a b", "localhost@evil.example", "localhost/evil", "[x]"]
)
def test_what_is_no_host_is_not_trusted(host: str) -> None:
    assert not is_trusted(host, {"localhost", "evil"})
