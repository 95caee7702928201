"""Own profiles and measured links over the API."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.domain.errors import WrongState
from app.domain.snapshot import Snapshot
from app.domain.spec import RelaySpec
from tests.web.fake_manager import FakeManager

ARENA = {"name": "arena", "title": "Arena", "citation": "measured there", "to_target": {"loss_percent": 3}}


def keep(script: FlaskClient, *entries: dict[str, Any]) -> Any:
    return script.post("/api/impairment-profiles/own", json={"profiles": list(entries)})


def test_a_kept_profile_is_listed_exported_used_by_name_and_removed(script: FlaskClient, manager: FakeManager) -> None:
    assert keep(script, ARENA).status_code == 201
    listed = script.get("/api/impairment-profiles").get_json()
    exported = script.get("/api/impairment-profiles/own")
    relay = {"direction": "relay", "listen_port": 10005, "target": {"host": "127.0.0.1", "port": 10001}}
    started = script.post("/api/streams", json={**relay, "impairment": {"profile": "arena"}})

    assert (listed["own"], listed["profiles"][-1]["citation"]) == (["arena"], "measured there")
    assert "attachment" in exported.headers["Content-Disposition"]
    assert keep(script, *exported.get_json()["profiles"]).status_code == 201
    assert started.status_code == 201
    spec = manager.started[0]
    assert isinstance(spec, RelaySpec)
    assert spec.impairment.to_target is not None
    assert spec.impairment.to_target.loss_percent == 3
    assert script.delete("/api/impairment-profiles/own/arena").status_code == 204
    assert script.delete("/api/impairment-profiles/own/arena").status_code == 404


def test_an_import_with_one_wrong_entry_keeps_none(script: FlaskClient) -> None:
    answer = keep(script, ARENA, {**ARENA, "name": "b", "to_target": {"delay_ms": -1}})
    assert answer.status_code == 400
    assert list(answer.get_json()["error"]["fields"]) == ["profiles.1.to_target.delay_ms"]
    assert script.get("/api/impairment-profiles").get_json()["own"] == []


def test_my_link_is_made_of_a_stream_and_cites_it(script: FlaskClient) -> None:
    once, twice = script.get("/api/impairment-profiles/measured?stream=lineup").get_json()["profiles"]
    assert (once["name"], twice["name"]) == ("my-link", "my-link-x2")
    assert once["citation"].startswith("stream ")
    assert once["to_target"]["delay_ms"] > 0
    assert script.get("/api/impairment-profiles/measured?stream=nosuch").status_code == 404
    assert script.get("/api/impairment-profiles/measured").status_code == 400


def test_an_order_that_does_not_fit_the_state_of_a_stream_is_a_conflict(
    script: FlaskClient, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: Any, **__: Any) -> Snapshot:
        raise WrongState("the relay is not running; start it first")

    monkeypatch.setattr(manager, "cut", cut)
    answer = script.post("/api/streams/lineup/outage", json={"for_ms": 100})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "wrong_state")
