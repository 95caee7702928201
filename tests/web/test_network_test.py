"""The network test over HTTP: started, followed, cancelled, refused. The programs are pretended here."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.settings import Settings
from app.web.services import services_of
from tests.instruments.child import is_alive
from tests.instruments.fake_tools import FakeTools
from tests.instruments.waiting import wait_for
from tests.web.conftest import API_KEY
from tests.web.fake_manager import FakeManager
from tests.web.network_programs import MANUAL, PING, TCP, UDP, ended, figure, run, start


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, offline=True)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    made = create_app(settings, manager=FakeManager())
    yield made
    services_of(made).network.shutdown()


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeTools:
    return FakeTools(monkeypatch, tmp_path / "bin")


def test_a_test_is_accepted_with_an_id_and_a_place_to_look(script: FlaskClient, tools: FakeTools) -> None:
    tools.say("ping", PING)
    tools.say("iperf3", json.dumps(TCP))
    answer = script.post("/api/network-tests", json=MANUAL)
    assert answer.status_code == 202
    view = answer.get_json()
    assert answer.headers["Location"] == f"/api/network-tests/{view['id']}"
    assert view["state"] == "running"
    assert view["expected_s"] > 0
    assert ended(script, view["id"])["state"] == "done"


def test_udp_gives_measured_loss_and_jitter(script: FlaskClient, tools: FakeTools) -> None:
    tools.say("ping", PING)
    tools.say("iperf3", json.dumps(UDP))
    view = run(script, **MANUAL, protocol="udp")
    assert (figure(view, "loss_percent")["value"], figure(view, "loss_percent")["basis"]) == (2.5, "measured")
    assert figure(view, "jitter_ms")["value"] == 0.2
    assert figure(view, "rtt_ms")["value"] == 40.0
    recommendation = view["recommendation"]
    assert recommendation["recommended"]["latency_ms"] == 160
    assert recommendation["recommended"]["overhead_percent"] == 25
    assert recommendation["recommended"]["bandwidth"] == "unproven", "no more than 8 Mb/s was offered"
    assert recommendation["row"]["loss_percent_max"] == 3.0
    assert recommendation["edition"] == "1.5"
    assert recommendation["assumptions"] == []
    assert [settings["name"] for settings in recommendation["alternatives"]] == ["low delay", "balanced", "safe"]


def test_tcp_loss_is_labelled_an_estimate_from_probe_to_page(script: FlaskClient, tools: FakeTools) -> None:
    tools.say("ping", PING)
    tools.say("iperf3", json.dumps(TCP))
    view = run(script)
    loss = figure(view, "loss_percent")
    assert loss["basis"] == "estimated"
    assert "TCP retransmissions" in loss["source"]
    assert "jitter_ms" not in {shown["name"] for shown in view["figures"]}
    assert any("loss is estimated" in text for text in view["recommendation"]["assumptions"])
    assert view["recommendation"]["recommended"]["bandwidth"] == "enough"


def test_every_figure_has_its_unit_basis_source_and_definition(script: FlaskClient, tools: FakeTools) -> None:
    tools.say("ping", PING)
    tools.say("iperf3", json.dumps(UDP))
    for shown in run(script, **MANUAL, protocol="udp")["figures"]:
        assert shown["basis"] in ("measured", "estimated", "assumed")
        assert shown["source"]
        assert shown["definition"]


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("busy", "busy with another test"),
        ("garbage", "cannot be read"),
        ("flood", "wrote more than"),
        ("closing", "control socket has closed"),
        ("nonsense", "cannot be read"),
    ],
)
def test_without_a_bandwidth_the_rtt_still_gives_advice(
    script: FlaskClient, tools: FakeTools, behaviour: str, words: str
) -> None:
    tools.say("ping", PING)
    tools.pretend("iperf3", behaviour)
    view = run(script)
    assert view["state"] == "partial"
    assert any(words in problem for problem in view["problems"])
    assert figure(view, "loss_percent")["basis"] == "assumed"
    assert view["recommendation"]["recommended"]["overhead_percent"] == 25
    assert not any(is_alive(pid) for pid in tools.pids("iperf3"))


def test_a_missing_ping_gives_way_to_tcp_and_is_named(
    app: Flask, script: FlaskClient, tools: FakeTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools.say("iperf3", json.dumps(TCP).replace("python3", "/usr/bin/python3"))
    (tools.folder / "env").symlink_to("/usr/bin/env")
    (tools.folder / "python3").symlink_to("/usr/bin/python3")
    monkeypatch.setenv("PATH", str(tools.folder))
    view = run(script)
    assert view["state"] == "partial"
    assert any("iputils-ping" in problem for problem in view["problems"])
    assert "TCP handshake" in figure(view, "rtt_ms")["source"]


def test_missing_iperf3_is_named_with_its_package(
    app: Flask, script: FlaskClient, tools: FakeTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools.say("ping", PING)
    (tools.folder / "env").symlink_to("/usr/bin/env")
    (tools.folder / "python3").symlink_to("/usr/bin/python3")
    monkeypatch.setenv("PATH", str(tools.folder))
    view = run(script)
    assert any("it comes with the package iperf3" in problem for problem in view["problems"])
    assert view["recommendation"]["recommended"]["latency_ms"] == 160


def test_a_name_without_address_fails_with_the_reason(script: FlaskClient, tools: FakeTools) -> None:
    view = run(script, **{**MANUAL, "host": "no-such-host.invalid"})
    assert view["state"] == "failed"
    assert "no-such-host.invalid has no address" in view["problem"]
    assert view["figures"] == []
    assert view["recommendation"] is None


def test_cancel_ends_the_program_and_its_children(script: FlaskClient, tools: FakeTools) -> None:
    tools.pretend("ping", "hang")
    view = start(script)
    pids = tools.wait_for_start("ping", processes=2)
    assert all(is_alive(pid) for pid in pids)
    assert script.delete(f"/api/network-tests/{view['id']}").status_code == 202
    assert ended(script, view["id"])["state"] == "cancelled"
    wait_for(lambda: not any(is_alive(pid) for pid in pids), deadline_s=5, what="ping and its child gone")


def test_a_second_test_is_refused_while_one_runs(script: FlaskClient, tools: FakeTools) -> None:
    tools.pretend("ping", "hang")
    first = start(script)
    answer = script.post("/api/network-tests", json=MANUAL)
    assert answer.status_code == 409
    assert answer.get_json()["error"]["code"] == "limit_reached"
    script.delete(f"/api/network-tests/{first['id']}")
    ended(script, first["id"])
    tools.say("ping", PING)
    tools.say("iperf3", json.dumps(TCP))
    assert run(script)["state"] == "done"


def test_shutting_down_leaves_no_program_behind(app: Flask, script: FlaskClient, tools: FakeTools) -> None:
    tools.pretend("ping", "hang")
    start(script)
    pids = tools.wait_for_start("ping", processes=2)
    services_of(app).network.shutdown()
    wait_for(lambda: not any(is_alive(pid) for pid in pids), deadline_s=5, what="ping and its child gone")


def test_tests_are_remembered_over_a_restart(settings: Settings, script: FlaskClient, tools: FakeTools) -> None:
    tools.say("ping", PING)
    tools.say("iperf3", json.dumps(TCP))
    view = run(script)
    again = create_app(settings, manager=FakeManager()).test_client()
    again.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {API_KEY}"
    (remembered,) = again.get("/api/network-tests").get_json()["tests"]
    assert remembered["id"] == view["id"]
    assert remembered["target"] == "127.0.0.1:9"
    assert remembered["started_at"] == view["started_at"]
    assert (remembered["latency_ms"], remembered["loss_basis"]) == (120, "estimated")
    whole = again.get(f"/api/network-tests/{view['id']}").get_json()
    assert whole["recommendation"] == view["recommendation"]
    assert whole["figures"] == view["figures"]


def test_a_spoilt_history_is_forgotten(settings: Settings) -> None:
    (settings.data_folder / "network_tests.json").write_text('[{"id": 5}]')
    client = create_app(settings, manager=FakeManager()).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {API_KEY}"
    assert client.get("/api/network-tests").get_json()["tests"] == []


def test_offline_the_closest_server_cannot_be_chosen_and_says_why(script: FlaskClient) -> None:
    view = run(script, mode="closest")
    assert view["state"] == "failed"
    assert "OFFLINE=1" in view["problem"]
    assert "Choose My server" in view["problem"]


def test_offline_a_region_has_own_servers_only(script: FlaskClient) -> None:
    view = run(script, mode="regional", region="Europe")
    assert view["state"] == "failed"
    assert "No server is known in Europe" in view["problem"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"host": "-c"}, "host"),
        ({"host": "a b"}, "host"),
        ({"host": "a;reboot"}, "host"),
        ({"host": "$(id)"}, "host"),
        ({"host": "a\nb"}, "host"),
        ({"host": "x" * 300}, "host"),
        ({"host": ""}, "host"),
        ({"host": None}, "host"),
        ({"port": 0}, "port"),
        ({"port": 70000}, "port"),
        ({"port": "5201"}, "port"),
        ({"bitrate_mbps": 0}, "bitrate_mbps"),
        ({"bitrate_mbps": 100_000}, "bitrate_mbps"),
        ({"bitrate_mbps": "10"}, "bitrate_mbps"),
        ({"duration_s": 0}, "duration_s"),
        ({"duration_s": 3600}, "duration_s"),
        ({"lowest_latency_ms": 5}, "lowest_latency_ms"),
        ({"protocol": "sctp"}, "protocol"),
        ({"direction": "up"}, "direction"),
        ({"mode": "random"}, "mode"),
        ({"shell": "sh"}, "shell"),
        ({"mode": "closest", "protocol": "udp"}, "protocol"),
        ({"mode": "regional"}, "region"),
        ({"mode": "regional", "region": "x" * 100}, "region"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_beside_its_field(
    script: FlaskClient, tools: FakeTools, change: dict[str, Any], field: str
) -> None:
    tools.pretend("ping", "silence")
    answer = script.post("/api/network-tests", json={**MANUAL, **change})
    assert answer.status_code == 400
    error = answer.get_json()["error"]
    assert error["code"] == "invalid_input"
    assert field in error["fields"]
    assert tools.pids("ping") == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'"x"', b'{"bitrate_mbps": 1e999, "mode": "manual"}'])
def test_a_body_that_is_no_order_is_refused(script: FlaskClient, body: bytes) -> None:
    assert script.post("/api/network-tests", data=body, content_type="application/json").status_code == 400


def test_an_unknown_test_is_not_found(script: FlaskClient) -> None:
    assert script.get("/api/network-tests/none").status_code == 404
    assert script.delete("/api/network-tests/none").status_code == 404


def test_strangers_neither_start_nor_see_tests(stranger: FlaskClient) -> None:
    assert stranger.post("/api/network-tests", json=MANUAL).status_code == 401
    assert stranger.get("/api/network-tests").status_code == 401
    assert stranger.delete("/api/network-tests/x").status_code == 401


def test_a_browser_needs_its_token_to_start_one(browser: FlaskClient) -> None:
    token = browser.environ_base.pop("HTTP_X_CSRFTOKEN")
    assert browser.post("/api/network-tests", json=MANUAL).status_code == 401
    browser.environ_base["HTTP_X_CSRFTOKEN"] = token
    view = start(browser, **{**MANUAL, "host": "no-such-host.invalid"})
    assert ended(browser, view["id"])["state"] == "failed"


def test_the_page_is_there_at_once_and_calls_nobody_offline(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.network.fetch.fetch", lambda *_, **__: pytest.fail("the internet was called"))
    monkeypatch.setattr("app.network.iperf_servers.fetch", lambda *_, **__: pytest.fail("the internet was called"))
    answer = browser.get("/network_test")
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert "Europe" in page
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>|\son[a-z]+=|style=", page), "nothing inline"


@pytest.mark.parametrize("path", ["/", "/caller"])
def test_a_link_of_the_recommendation_fills_the_form_in(browser: FlaskClient, path: str) -> None:
    page = browser.get(f"{path}?latency_ms=437&overhead_percent=37").get_data(as_text=True)
    assert re.search(r'name="latency_ms"[^>]*value="437"', page)
    assert re.search(r'name="overhead_percent"[^>]*value="37"', page)
