"""A client that asks too often has to wait; other clients do not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.domain.secret import Secret
from app.settings import Settings, make_folders
from app.web.limits import NETWORK_TESTS
from app.web.services import services_of
from tests.web.fake_manager import FakeManager

KEY = "the key of this test"
LIMIT = 5


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """An application that takes five orders a minute, and a network test as often as the product does."""
    settings = Settings(
        secret_key=Secret("s" * 32),
        data_folder=tmp_path / "data",
        runtime_folder=tmp_path / "run",
        media_folder=tmp_path / "media",
        log_file=tmp_path / "log",
        database_url="sqlite://",
        api_key=Secret(KEY),
        writes_per_minute=LIMIT,
    )
    make_folders(settings)
    made = create_app(settings, manager=FakeManager())
    yield made
    running = services_of(made)
    running.network.shutdown()
    running.analyst.close()


def client_at(app: Flask, address: str) -> FlaskClient:
    client = app.test_client()
    client.environ_base |= {"REMOTE_ADDR": address, "HTTP_AUTHORIZATION": f"Bearer {KEY}"}
    return client


def test_orders_beyond_the_limit_are_refused_with_the_time_to_wait(app: Flask) -> None:
    client = client_at(app, "192.0.2.1")
    answers = [client.post("/api/streams", json={}) for _ in range(LIMIT + 3)]
    assert [answer.status_code for answer in answers] == [400] * LIMIT + [429] * 3
    refused = answers[-1]
    assert refused.get_json()["error"]["code"] == "too_many_requests"
    assert refused.get_json()["error"]["fields"] == {}
    assert 0 < int(refused.headers["Retry-After"]) <= 60


def test_every_kind_of_order_counts_and_reading_does_not(app: Flask) -> None:
    client = client_at(app, "192.0.2.1")
    orders = [
        ("POST", "/api/streams"),
        ("DELETE", "/api/streams/abcdef"),
        ("POST", "/api/streams/abcdef/stop"),
        ("POST", "/"),
        ("POST", "/caller"),
        ("POST", "/api/network-tests"),
    ]
    answers = [client.open(path, method=method, json={}).status_code for method, path in orders]
    assert answers.count(429) == 1
    assert answers[-1] == 429
    for _ in range(10 * LIMIT):
        assert client.get("/api/streams").status_code == 200
        assert client.get("/health").status_code == 200


def test_another_client_is_not_made_to_wait(app: Flask) -> None:
    hasty, calm = client_at(app, "192.0.2.1"), client_at(app, "192.0.2.2")
    for _ in range(LIMIT + 1):
        last = hasty.post("/api/streams", json={})
    assert last.status_code == 429
    assert calm.post("/api/streams", json={}).status_code == 400


def test_network_tests_have_a_limit_of_their_own(app: Flask) -> None:
    settings = dataclasses.replace(services_of(app).settings, writes_per_minute=1000)
    wide = create_app(settings, manager=FakeManager())
    try:
        client = client_at(wide, "192.0.2.1")
        allowed = int(NETWORK_TESTS.split()[0])
        answers = [client.post("/api/network-tests", json=[]).status_code for _ in range(allowed + 1)]
        assert answers == [400] * allowed + [429]
        assert client.post("/api/streams", json={}).status_code == 400
    finally:
        services_of(wide).network.shutdown()
        services_of(wide).analyst.close()
