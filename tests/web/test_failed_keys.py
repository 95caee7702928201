"""Guessing the API key is slowed down and logged."""

from __future__ import annotations

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web.errors import TooManyWrongKeys
from app.web.failed_keys import ALLOWED_PER_MINUTE, FailedKeys
from tests.web.conftest import API_KEY
from tests.web.fake_manager import FakeManager

WRONG = {"Authorization": "Bearer guessed"}
RIGHT = {"Authorization": f"Bearer {API_KEY}"}


def test_the_eleventh_wrong_key_of_a_minute_has_to_wait_and_the_right_one_has_not(
    app: Flask, manager: FakeManager, caplog: pytest.LogCaptureFixture
) -> None:
    client = app.test_client()
    with caplog.at_level(logging.WARNING):
        statuses = [client.get("/api/streams", headers=WRONG).status_code for _ in range(ALLOWED_PER_MINUTE + 1)]
    assert statuses == [401] * ALLOWED_PER_MINUTE + [429]
    assert client.get("/api/streams", headers=RIGHT).status_code == 200
    refused = client.get("/api/streams", headers=WRONG)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (429, "too_many_requests")
    assert refused.headers["Retry-After"] == "60"
    assert [record.message for record in caplog.records] == ["wrong API key address=127.0.0.1 count=1"]
    assert manager.notes == ["a wrong API key came from 127.0.0.1"]


def test_writes_are_counted_as_well_and_browsers_are_not_refused(app: Flask, browser: FlaskClient) -> None:
    client = app.test_client()
    for _ in range(ALLOWED_PER_MINUTE):
        client.post("/api/streams", json={}, headers=WRONG)
    assert client.post("/api/streams", json={}, headers=WRONG).status_code == 429
    assert browser.get("/api/streams").status_code == 200


def test_another_address_is_let_in_and_after_a_minute_the_first_one_too() -> None:
    now = 1000.0
    keys = FailedKeys(lambda _: None, clock=lambda: now)
    for _ in range(ALLOWED_PER_MINUTE):
        keys.check("192.0.2.1")
        keys.count("192.0.2.1")
    with pytest.raises(TooManyWrongKeys):
        keys.check("192.0.2.1")
    keys.check("192.0.2.2")
    now += 60
    keys.check("192.0.2.1")


def test_one_warning_a_minute_counts_what_came_since_the_last() -> None:
    now, notes = 0.0, list[str]()
    keys = FailedKeys(notes.append, clock=lambda: now)
    for _ in range(30):
        keys.count("192.0.2.1")
    now = 61.0
    keys.count("192.0.2.9")
    assert notes == [
        "a wrong API key came from 192.0.2.1",
        "a wrong API key came from 192.0.2.9, 30 in total since the last note",
    ]


def test_strangers_with_many_addresses_cost_bounded_memory() -> None:
    keys = FailedKeys(lambda _: None)
    for number in range(20_000):
        keys.count(f"2001:db8::{number:x}")
    assert len(keys._failures) == 10_000


def test_an_error_page_below_static_is_kept_by_no_cache(app: Flask) -> None:
    answer = app.test_client().get("/static/./nothing-here.css")
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/caller", "/events", "/network_test", "/api/openapi.json"])
def test_head_is_answered_as_get_without_a_body(app: Flask, path: str) -> None:
    client = app.test_client()
    got, headed = client.get(path), client.head(path)
    assert headed.status_code == got.status_code < 400
    assert headed.get_data() == b""
