"""The JSON API of streams: input is checked; answers are complete and hide the passphrase."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import pytest

from tests.web.client import Client
from tests.web.fake_manager import FakeManager
from tests.web.fake_streams import PASSPHRASE

LISTENER = {
    "name": "Line-up",
    "endpoint": {"mode": "listener", "port": 10009},
    "source": {"kind": "file", "path": "bars.ts"},
}


def post(client: Client, document: Any) -> Any:
    return client.post("/api/streams", json=document)


def test_a_stream_is_started_and_its_view_comes_back(script: Client, manager: FakeManager) -> None:
    answer = post(script, LISTENER)

    assert answer.status_code == 201
    view = answer.json
    assert answer.headers["Location"] == f"/api/streams/{view['key']}"
    assert view["name"] == "Line-up"
    assert view["order"] == "run"
    assert view["phase"] == "waiting"
    assert view["reason"] is None
    assert view["spec"]["latency_ms"] == 200
    assert view["peers"] == []
    assert manager.started[0].endpoint.port == 10009


STREAM_FIELDS = """key name spec order phase reason since sample_age_s restarts payload_mbps wire_mbps peers worker"""
PEER_FIELDS = """address connected_s rtt_ms negotiated_latency_ms payload_mbps wire_mbps packets_sent_unique
packets_retransmitted retransmitted_percent packets_dropped send_buffer_ms flight_packets link_capacity_mbps"""


def test_the_view_has_every_figure_of_the_contract(script: Client) -> None:
    view = script.get("/api/streams/parlmt").json

    assert set(view) >= set(STREAM_FIELDS.split())
    assert set(view["peers"][0]) >= set(PEER_FIELDS.split())
    assert set(view["worker"]) >= {"pid", "cpu_percent", "memory_mb"}
    assert view["since"].endswith("Z")


def test_the_peers_loss_is_that_of_the_counters_beside_it(script: Client) -> None:
    peer = script.get("/api/streams/parlmt").json["peers"][0]

    expected = 100 * peer["packets_retransmitted"] / peer["packets_sent_unique"]
    assert peer["retransmitted_percent"] == pytest.approx(expected, abs=0.01)


def test_lists_come_wrapped(script: Client) -> None:
    assert len(script.get("/api/streams").json["streams"]) == 10
    assert len(script.get("/api/streams/lineup/history?seconds=7").json["samples"]) == 7
    assert script.get("/api/events").json["events"][0]["key"] == "arenab"
    assert script.get("/api/events?key=failed").json["events"][0]["text"] == "failed: file missing"


def test_the_passphrase_is_in_no_answer(script: Client, browser: Client, manager: FakeManager) -> None:
    spec = {**LISTENER, "encryption": {"key_bits": 256, "passphrase": PASSPHRASE}}
    answers = [post(script, spec).get_data(as_text=True)]
    assert manager.started[0].encryption.passphrase.reveal() == PASSPHRASE

    for path in (
        "/api/streams",
        "/api/streams/arenab",
        "/api/streams/arenab/live",
        "/api/streams/arenab/debug",
        "/api/dashboard",
        "/api/events",
        "/metrics",
    ):
        answers += [script.get(path).get_data(as_text=True)]
    for path in ("/", "/caller", "/stream/arenab", "/events"):
        answers += [browser.get(path).get_data(as_text=True)]

    assert all(PASSPHRASE not in answer for answer in answers)


def test_a_person_may_ask_for_the_passphrase_and_a_script_may_not(browser: Client, script: Client) -> None:
    assert browser.post("/api/streams/arenab/passphrase").json == {"passphrase": PASSPHRASE}
    assert browser.post("/api/streams/lineup/passphrase").json == {"passphrase": None}
    assert script.post("/api/streams/arenab/passphrase").status_code == 401
    assert browser.get("/api/streams/arenab/passphrase").status_code == 405


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"latency_ms": 19}, "latency_ms"),
        ({"latency_ms": 8001}, "latency_ms"),
        ({"latency_ms": "200"}, "latency_ms"),
        ({"latency_ms": True}, "latency_ms"),
        ({"overhead_percent": 0}, "overhead_percent"),
        ({"overhead_percent": 100}, "overhead_percent"),
        ({"endpoint": {"mode": "listener", "port": 9999}}, "endpoint.port"),
        ({"endpoint": {"mode": "caller", "host": "-evil", "port": 9000}}, "endpoint.host"),
        ({"endpoint": {"mode": "caller", "host": "a?b&c", "port": 9000}}, "endpoint.host"),
        ({"source": {"kind": "file", "path": "../secret.ts"}}, "source.path"),
        ({"source": {"kind": "file", "path": "new\nline.ts"}}, "source.path"),
        ({"engine": "steam"}, "engine"),
        ({"direction": "sideways"}, "direction"),
        ({"name": "two\nlines"}, "name"),
        ({"encryption": {"key_bits": 128, "passphrase": "nine byte"}}, "encryption.passphrase"),
        ({"encryption": {"key_bits": 128, "passphrase": "x" * 80}}, "encryption.passphrase"),
        ({"encryption": {"key_bits": 192, "passphrase": "long enough"}}, "encryption.key_bits"),
        ({"surprise": 1}, "surprise"),
        ({"endpoint": []}, "endpoint"),
    ],
)
def test_bad_input_is_refused_with_the_field_named(
    script: Client, manager: FakeManager, change: Any, field: str
) -> None:
    answer = post(script, {**LISTENER, **change})

    assert answer.status_code == 400
    error = answer.json["error"]
    assert set(error) == {"code", "message", "fields"}
    assert field in error["fields"]
    assert manager.started == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b"17", b'"text"', b"\xff\xfe", b"[" * 60_000, b'{"name": "\\ud800"}', b"\x00"]
)
def test_what_is_no_json_object_is_refused(script: Client, manager: FakeManager, body: Any) -> None:
    answer = script.post("/api/streams", data=body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json["error"]["fields"]
    assert manager.started == []


def test_two_megabytes_are_too_large(script: Client, manager: FakeManager) -> None:
    answer = script.post("/api/streams", data=b" " * 2_000_000, content_type="application/json")

    assert answer.status_code == 413
    assert answer.json["error"]["code"] == "too_large"
    assert manager.started == []


def test_a_taken_port_is_a_conflict_on_its_field(script: Client) -> None:
    answer = post(script, {**LISTENER, "endpoint": {"mode": "listener", "port": 10001}})

    assert answer.status_code == 409
    assert answer.json["error"]["code"] == "port_in_use"
    assert "endpoint.port" in answer.json["error"]["fields"]


def test_what_could_not_start_says_why(script: Client) -> None:
    answer = post(script, {**LISTENER, "endpoint": {"mode": "caller", "host": "no-such-host.invalid", "port": 9000}})

    assert answer.status_code == 422
    assert answer.json["error"]["code"] == "could_not_start"
    assert answer.json["error"]["reason"] == "host_not_found"


def test_a_stream_is_stopped_started_again_and_dismissed(script: Client, manager: FakeManager) -> None:
    assert script.post("/api/streams/lineup/stop").json["phase"] == "stopped"
    assert script.post("/api/streams/lineup/start").json["phase"] == "waiting"
    assert script.delete("/api/streams/lineup").status_code == 204
    assert script.get("/api/streams/lineup").status_code == 404
    assert [name for name, _, _ in manager.orders] == ["stop", "restart", "dismiss"]


def test_a_dismissal_is_undone_and_one_that_was_not_is_not_found(script: Client, manager: FakeManager) -> None:
    assert script.post("/api/streams/lineup/undo_dismiss").status_code == 404
    assert script.delete("/api/streams/lineup").status_code == 204
    answer = script.post("/api/streams/lineup/undo_dismiss")
    assert (answer.status_code, answer.json["key"]) == (200, "lineup")
    assert "lineup" in manager.streams


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/streams/unknown"),
        ("delete", "/api/streams/unknown"),
        ("post", "/api/streams/unknown/stop"),
        ("post", "/api/streams/unknown/start"),
        ("get", "/api/streams/unknown/history"),
        ("get", "/api/streams/unknown/live"),
        ("get", "/api/streams/unknown/debug"),
        ("get", "/api/nowhere"),
    ],
)
def test_what_is_not_there_is_not_found_in_json(script: Client, method: str, path: str) -> None:
    answer = getattr(script, method)(path)

    assert answer.status_code == 404
    assert answer.json["error"]["code"] == "not_found"


def test_a_wrong_method_says_which_are_right(script: Client) -> None:
    answer = script.put("/api/streams")

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "POST"}


@pytest.mark.parametrize("seconds", ["0", "3601", "-1", "ten", "1e3", "９"])
def test_history_of_a_senseless_length_is_refused(script: Client, seconds: Any) -> None:
    answer = script.get(f"/api/streams/lineup/history?seconds={seconds}")

    assert answer.status_code == 400
    assert "seconds" in answer.json["error"]["fields"]


def test_history_is_a_spreadsheet_when_asked(script: Client) -> None:
    answer = script.get("/api/streams/lineup/history?seconds=20&format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))

    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert len(rows) == 20
    assert rows[0]["time_utc"].endswith("Z")
    assert float(rows[-1]["payload_mbps"]) == pytest.approx(16.0, abs=1)


def test_a_streams_page_gets_only_what_is_new(script: Client) -> None:
    first = script.get("/api/streams/lineup/live").json
    newest = first["samples"][-1]["at"]
    again = script.get(f"/api/streams/lineup/live?since={int(newest) - 5}").json

    assert len(first["samples"]) == 300
    assert 1 <= len(again["samples"]) <= 7
    assert all(sample["at"] > newest - 5 for sample in again["samples"])
    assert again["stream"]["key"] == "lineup"
    assert again["overview"]["fault"] == 3


def test_the_fake_manager_can_do_what_the_real_one_does() -> None:
    import inspect

    from app.stream_manager import StreamManager
    from app.web.services import Manager

    for name in (name for name in vars(Manager) if not name.startswith("_")):
        real = inspect.signature(getattr(StreamManager, name)).parameters
        fake = inspect.signature(getattr(FakeManager, name)).parameters
        assert [p.kind for p in real.values()] == [p.kind for p in fake.values()] or name == "history"


def test_any_part_of_three_days_is_summarised_as_json_and_csv(script: Client) -> None:
    now = int(time.time())
    answer = script.get(f"/api/streams/lineup/history?from={now - 600}&to={now}").json
    assert answer["step_s"] == 10
    assert 55 <= len(answer["summaries"]) <= 61
    spread = answer["summaries"][30]["figures"]["payload_mbps"]
    assert spread["min"] <= spread["mean"] <= spread["max"]
    assert script.get("/api/streams/lineup/history?from=0").json["step_s"] == 130
    csv = script.get(f"/api/streams/lineup/history?from={now - 600}&format=csv").text.splitlines()
    assert csv[0].startswith("time_utc,at,seconds,peers_min,peers_mean,peers_max,payload_mbps_min")
    assert len(csv) > 50
    assert script.get(f"/api/streams/lineup/history?from={now}&to={now - 1}").status_code == 400
    assert script.get("/api/streams/nothing/history?from=0").status_code == 404
