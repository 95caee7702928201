"""Which requests are allowed, and what a page may do in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.settings import Settings
from tests.web.client import Client
from tests.web.fake_manager import FakeManager

SPEC = {"endpoint": {"mode": "listener", "port": 10009}, "source": {"kind": "bars"}}


@pytest.mark.parametrize(
    "path", ["/api/streams", "/api/dashboard", "/api/events", "/api/system", "/metrics", "/api/nowhere"]
)
def test_a_stranger_reads_nothing(stranger: Client, path: str) -> None:
    assert stranger.get(path).status_code == 401


@pytest.mark.parametrize("path", ["/health", "/api/openapi.json"])
def test_health_and_the_description_are_open(stranger: Client, path: str) -> None:
    assert stranger.get(path).status_code in (200, 503)


def test_a_stranger_starts_nothing(stranger: Client, manager: FakeManager) -> None:
    answer = stranger.post("/api/streams", json=SPEC)

    assert answer.status_code == 401
    assert answer.json["error"]["code"] == "unauthorized"
    assert manager.started == []


def test_a_browser_that_opened_a_page_may_read(browser: Client) -> None:
    assert browser.get("/api/streams").status_code == 200


def test_a_browser_with_its_token_may_write(browser: Client, manager: FakeManager) -> None:
    assert browser.post("/api/streams", json=SPEC).status_code == 201
    assert manager.orders == [("start", "new010", "operator at 127.0.0.1")]


def test_a_session_without_its_token_writes_nothing(browser: Client, manager: FakeManager) -> None:
    answer = browser.post("/api/streams", json=SPEC, headers={"X-CSRFToken": "forged"})

    assert answer.status_code == 401
    assert manager.started == []


def test_a_form_without_its_token_writes_nothing(app: Flask, manager: FakeManager) -> None:
    client = app.test_client()
    client.get("/")

    answer = client.post("/", data={"source_kind": "bars", "port": "10009"})

    assert answer.status_code == 400
    assert manager.started == []


def test_the_right_key_reads_and_writes(script: Client, manager: FakeManager) -> None:
    assert script.get("/api/streams").status_code == 200
    assert script.post("/api/streams", json=SPEC).status_code == 201
    assert manager.orders == [("start", "new010", "api key at 127.0.0.1")]


@pytest.mark.parametrize("token", ["Bearer wrong", "bearer ", "Bearer nyckelå"])
@pytest.mark.parametrize("path", ["/api/streams", "/metrics", "/"])
def test_a_wrong_key_is_refused_even_with_a_session(browser: Client, token: str, path: str) -> None:
    answer = browser.get(path, headers={"Authorization": token.encode().decode("latin-1")})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_without_an_api_key_no_script_has_access(settings: Settings, tmp_path: Path) -> None:
    closed = Settings(**{**vars(settings), "api_key": None})
    client = create_app(closed, manager=FakeManager()).test_client()

    for key in ("", "None", "anything"):
        assert client.get("/api/streams", headers={"Authorization": f"Bearer {key}"}).status_code == 401


def test_basic_authorization_belongs_to_a_proxy_in_front(browser: Client) -> None:
    assert browser.get("/api/streams", headers={"Authorization": "Basic dTpw"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/caller", "/events", "/nowhere", "/api/streams", "/health"])
def test_every_answer_keeps_itself_to_itself(browser: Client, path: str) -> None:
    headers = browser.get(path).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "camera=()" in headers["Permissions-Policy"]


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger: Client) -> None:
    cookie = stranger.get("/").headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_the_session_cookie_stays_on_https_where_there_is_https(stranger: Client) -> None:
    assert "Secure" in stranger.get("/", base_url="https://localhost").headers["Set-Cookie"]
