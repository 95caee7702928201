"""Every route that there is, and that there will be: who may use it, and what its answers allow a browser to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.domain.secret import Secret
from app.settings import Settings, make_folders
from app.web.services import services_of
from tests.web.fake_manager import FakeManager
from tests.web.mixed_streams import mixed_streams

KEY = "the key of this test"
READING = {"GET", "HEAD", "OPTIONS"}
# Open to all: they reveal nothing about the installation and change nothing.
OPEN = {"/health", "/api/openapi.json", "/static/<path:filename>"}
EVIL = "evil.example"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    settings = Settings(
        secret_key=Secret("s" * 32),
        data_folder=tmp_path / "data",
        runtime_folder=tmp_path / "run",
        media_folder=tmp_path / "media",
        log_file=tmp_path / "log",
        database_url="sqlite://",
        api_key=Secret(KEY),
        trusted_hosts=("mcr.example",),
    )
    make_folders(settings)
    made = create_app(settings, manager=FakeManager(mixed_streams()))
    yield made
    running = services_of(made)
    running.network.shutdown()
    running.analyst.close()


@pytest.fixture
def manager(app: Flask) -> FakeManager:
    found = services_of(app).manager
    assert isinstance(found, FakeManager)
    return found


def routes(app: Flask, *, writing: bool) -> list[tuple[str, str]]:
    """Method and path of every rule, with a stream that is there in place of each variable."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.rule in OPEN:
            continue
        path = re.sub(r"<[^>]+>", "lineup", rule.rule)
        found += [(method, path) for method in (rule.methods or set()) if (method not in READING) == writing]
    assert len(found) > 5
    return sorted(found)


def with_session(app: Flask) -> FlaskClient:
    """Return a browser that opened the dashboard, without sending its token."""
    client = app.test_client()
    assert client.get("/").status_code == 200
    return client


def assert_nothing_was_done(manager: FakeManager, before: object) -> None:
    assert manager.orders == []
    assert manager.list() == before


@pytest.mark.parametrize("forged", [None, "", "forged", "\N{SNOWMAN}".encode().decode("latin-1")])
def test_no_route_writes_for_a_session_without_its_token(app: Flask, manager: FakeManager, forged: str | None) -> None:
    client, before = with_session(app), manager.list()
    headers = {} if forged is None else {"X-CSRFToken": forged}
    for method, path in routes(app, writing=True):
        bodies: list[dict[str, Any]] = [{"json": {}}, {"data": {"csrf_token": forged or "x", "source_kind": "bars"}}]
        for body in bodies:
            answer = client.open(path, method=method, headers=headers, **body)
            assert answer.status_code in (400, 401, 429), (method, path)
    assert_nothing_was_done(manager, before)


def test_no_route_writes_for_the_token_of_another_session(app: Flask, manager: FakeManager) -> None:
    other = re.search(r'name="csrf-token" content="([^"]+)"', app.test_client().get("/").get_data(as_text=True))
    assert other
    client, before = with_session(app), manager.list()
    for method, path in routes(app, writing=True):
        answer = client.open(path, method=method, json={}, headers={"X-CSRFToken": other[1]})
        assert answer.status_code in (400, 401, 429), (method, path)
    assert_nothing_was_done(manager, before)


def test_no_route_writes_for_a_page_of_another_site(app: Flask, manager: FakeManager) -> None:
    client, before = app.test_client(), manager.list()
    page = client.get("/", base_url="https://mcr.example").get_data(as_text=True)
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token
    for method, path in routes(app, writing=True):
        headers = {"X-CSRFToken": token[1], "Referer": f"https://{EVIL}/"}
        answer = client.open(path, method=method, json={}, headers=headers, base_url="https://mcr.example")
        assert answer.status_code in (400, 401, 429), (method, path)
    assert_nothing_was_done(manager, before)


@pytest.mark.parametrize(
    "key", [None, "Bearer wrong", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", "Bearer", f"Basic {KEY}"]
)
def test_no_api_route_answers_without_the_right_key(app: Flask, manager: FakeManager, key: str | None) -> None:
    client, before = app.test_client(), manager.list()
    headers = {} if key is None else {"Authorization": key}
    every = routes(app, writing=True) + routes(app, writing=False)
    asked = [(method, path) for method, path in every if path.startswith(("/api/", "/metrics")) and method != "OPTIONS"]
    assert len(asked) > 20
    for method, path in asked:
        answer = client.open(path, method=method, json={} if method not in READING else None, headers=headers)
        assert answer.status_code in (401, 429), (method, path)
        assert "parliament" not in answer.get_data(as_text=True).lower()
    assert_nothing_was_done(manager, before)


def test_every_answer_of_every_route_is_closed_to_frames_sniffing_and_foreign_scripts(app: Flask) -> None:
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {KEY}"
    every = [
        *routes(app, writing=False),
        *routes(app, writing=True),
        ("GET", "/nowhere"),
        ("PUT", "/"),
        ("GET", "/health"),
    ]
    statuses = set()
    for method, path in every:
        answer = client.open(path, method=method, json=None if method in READING else {"unheard_of": 1})
        statuses.add(answer.status_code)
        assert answer.status_code < 500 or path == "/health", (method, path)
        headers = answer.headers
        assert headers["X-Frame-Options"] == "DENY", (method, path)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        if answer.data:
            assert headers["Content-Type"].partition(";")[0] in (
                "text/html",
                "application/json",
                "text/csv",
                "text/plain",
                "application/yaml",  # the configuration file, a download
            ), (method, path)
    assert statuses >= {200, 400, 404, 405}


def test_a_foreign_host_name_is_in_no_answer(app: Flask) -> None:
    client = app.test_client()
    client.environ_base |= {"HTTP_AUTHORIZATION": f"Bearer {KEY}", "HTTP_HOST": EVIL, "HTTP_X_FORWARDED_HOST": EVIL}
    spec = {"endpoint": {"mode": "listener", "port": 10009}, "source": {"kind": "bars"}}
    answers = [client.open(path, method="GET") for _, path in routes(app, writing=False)]
    answers += [client.get("/nowhere"), client.post("/api/streams", json=spec), client.get("/static/css/style.css")]
    form = {"source_kind": "bars", "port": "10008"}
    answers.append(client.post("/", data=form))
    assert answers[-1].status_code == 303
    for answer in answers:
        assert EVIL not in answer.get_data(as_text=True)
        assert EVIL not in str(answer.headers)
