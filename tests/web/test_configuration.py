"""Configuration as code over the API: exported, compared, applied, refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.domain.errors import PortInUse
from tests.web.client import Client
from tests.web.fake_manager import FakeManager
from tests.web.fake_streams import PASSPHRASE

NEW = """\
version: 1
streams:
  - name: Studio A
    endpoint: {mode: listener, port: 10009}
    source: {kind: file, path: a.ts}
  - name: Studio B
    on_air: false
    endpoint: {mode: listener, port: 10010}
    source: {kind: file, path: a.ts}
"""


def test_the_export_is_a_file_without_secrets_that_changes_nothing(script: Client, manager: FakeManager) -> None:
    answer = script.get("/api/configuration")
    assert answer.mimetype == "application/yaml"
    assert PASSPHRASE not in answer.text
    applied = script.post("/api/configuration", json={"document": answer.text, "prune": True}).json
    assert applied["is_applied"]
    assert not applied["is_changing"]
    assert manager.orders == []


def test_a_dry_run_says_what_an_order_then_does(script: Client, manager: FakeManager) -> None:
    order = {"document": NEW}
    compared = script.post("/api/configuration", json={**order, "dry_run": True}).json
    assert manager.orders == []
    applied = script.post("/api/configuration", json=order).json
    assert compared["text"] == applied["text"]
    assert {step["action"] for step in applied["steps"]} == {"add"}
    by_name = {snapshot.spec.name: snapshot for snapshot in manager.list()}
    assert by_name["Studio B"].status.phase == "stopped"
    assert by_name["Studio A"].status.phase != "stopped"
    again = script.post("/api/configuration", json=order).json
    assert not again["is_changing"], again["text"]


def test_a_stream_that_is_refused_is_named_and_the_others_follow(
    script: Client, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = manager.start

    def refuse_one(spec: Any, *, actor: str) -> Any:
        if spec.name == "Studio A":
            raise PortInUse("port 10009 is taken: another program")
        return start(spec, actor=actor)

    monkeypatch.setattr(manager, "start", refuse_one)
    document = NEW.replace("    on_air: false\n", "")
    steps = script.post("/api/configuration", json={"document": document}).json["steps"]
    assert {step["label"]: step["problem"] for step in steps} == {
        "Studio A": "port 10009 is taken: another program",
        "Studio B": "",
    }


def test_faults_of_the_file_come_with_their_lines_and_nothing_changes(script: Client, manager: FakeManager) -> None:
    answer = script.post("/api/configuration", json={"document": NEW.replace("10009", "9").replace("a.ts", "../a.ts")})
    assert answer.status_code == 400
    assert {"line 4, streams.0.endpoint.port", "line 5, streams.0.source.path"} <= set(answer.json["error"]["fields"])
    assert manager.orders == []


@pytest.mark.parametrize("document", ["", "# nothing\n", "version: 1\n", "version: 1\nstreams:\n"])
def test_an_empty_or_cut_off_file_removes_nothing(script: Client, manager: FakeManager, document: str) -> None:
    answer = script.post("/api/configuration", json={"document": document, "prune": True})
    assert answer.status_code == 400
    assert manager.orders == []


def test_hostile_orders_are_refused(script: Client) -> None:
    orders: list[Any] = [[], {"document": 1}, {"document": "", "more": 1}, {"document": NEW, "secrets": {"env:A": 5}}]
    for order in orders:
        answer = script.post("/api/configuration", json=order)
        assert answer.status_code == 400, order
        assert "fields" in answer.json["error"]


def test_a_long_file_passes_and_one_beyond_the_limit_is_refused(script: Client) -> None:
    padded = NEW + "# comment\n" * 20_000
    assert script.post("/api/configuration", json={"document": padded, "dry_run": True}).status_code == 200
    assert script.post("/api/configuration", json={"document": padded * 10}).status_code == 413


def test_a_passphrase_in_the_order_reaches_the_stream_and_no_answer(script: Client, manager: FakeManager) -> None:
    document = NEW + "    encryption: {key_bits: 256, passphrase: {env: B}}\n"
    refused = script.post("/api/configuration", json={"document": document})
    assert refused.status_code == 400
    answer = script.post(
        "/api/configuration", json={"document": document, "secrets": {"env:B": "correct horse battery"}}
    )
    assert answer.status_code == 200
    assert "correct horse" not in json.dumps(answer.json)
    (made,) = [one for one in manager.list() if one.spec.name == "Studio B"]
    assert made.spec.encryption.passphrase.reveal() == "correct horse battery"


def test_the_schema_and_the_page_are_served(script: Client, browser: Client) -> None:
    assert script.get("/api/configuration/schema").json["title"] == "Streams of MCR SRT Streamer"
    assert "Compare with the streams" in browser.get("/configuration").text
