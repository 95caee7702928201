"""The network test against real iperf3 servers: on loopback, and behind paths whose loss and delay are known."""

from __future__ import annotations

import contextlib
import dataclasses
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.domain.secret import Secret
from app.settings import Settings, make_folders
from app.web.services import services_of
from tests.instruments.child import Child, is_alive
from tests.instruments.far_hosts import Host, run_network_test
from tests.instruments.waiting import free_port, wait_for
from tests.web.fake_manager import FakeManager

FAR = "10.77.0.11"


def manual(**order: Any) -> dict[str, Any]:
    return {"mode": "manual", "host": FAR, "duration_s": 4, **order}


@pytest.mark.precise
def test_udp_loss_of_three_percent_reads_three_and_the_rtt_is_right() -> None:
    outcome = run_network_test(
        [Host(FAR, rtt_ms=20, loss_percent=3, seed=5)], manual(protocol="udp", bitrate_mbps=10.0)
    )
    loss = outcome.figure("loss_percent")
    assert loss["basis"] == "measured"
    assert loss["value"] == pytest.approx(3, abs=1)
    # What the path really did, not its order: a busy machine adds to it.
    echoes = outcome.carried[FAR].echo_delays_ms
    true_rtt_ms = 2 * statistics.fmean(echoes)
    assert outcome.figure("rtt_ms")["value"] == pytest.approx(true_rtt_ms, abs=1)
    assert outcome.figure("rtt_min_ms")["value"] >= 20
    recommendation = outcome.view["recommendation"]
    assert recommendation["row"]["k"] == (4 if loss["value"] <= 3 else 6)
    assert outcome.figure("jitter_ms")["value"] > 0


def test_tcp_bandwidth_is_what_the_server_received() -> None:
    outcome = run_network_test([Host(FAR, rtt_ms=10, mbps=20)], manual(bitrate_mbps=10.0))
    bandwidth = outcome.figure("bandwidth_mbps")
    assert bandwidth["value"] == pytest.approx(outcome.servers[FAR]["bits_per_second"] / 1e6, rel=0.1)
    assert 10 < bandwidth["value"] < 20, "the path carries 20 Mb/s with headers"
    assert bandwidth["basis"] == "measured"
    assert outcome.figure("loss_percent")["basis"] == "estimated"
    assert outcome.view["recommendation"]["recommended"]["bandwidth"] == "enough"


def test_a_path_too_narrow_for_the_stream_is_told() -> None:
    outcome = run_network_test([Host(FAR, rtt_ms=10, mbps=5)], manual(bitrate_mbps=10.0, duration_s=3))
    assert outcome.view["recommendation"]["recommended"]["bandwidth"] == "too_little"
    assert any("too little for the stream" in sentence for sentence in outcome.view["recommendation"]["working"])


def test_closest_takes_the_nearest_of_four_servers_and_passes_over_the_dead_one() -> None:
    hosts = [
        Host("10.77.0.60", rtt_ms=60),
        Host("10.77.0.5", rtt_ms=5, mbps=20),
        Host("10.77.0.20", rtt_ms=20),
        Host("10.77.0.66", loss_percent=100, serves=False),
    ]
    view = run_network_test(hosts, {"mode": "closest", "duration_s": 1}).view
    assert view["target"]["host"] == "10.77.0.5"
    attempts = [attempt["host"] for attempt in view["attempts"]]
    assert attempts == ["10.77.0.5", "10.77.0.20", "10.77.0.60", "10.77.0.66"]
    assert view["attempts"][-1]["problem"] == "no answer to ping or TCP"
    assert view["state"] == "done"
    assert any("OFFLINE=1" in note for note in view["notes"]), "says that only own servers were considered"


def test_a_server_that_answers_ping_only_gives_way_to_the_next() -> None:
    hosts = [Host("10.77.0.5", rtt_ms=5, serves=False), Host("10.77.0.20", rtt_ms=20, mbps=20)]
    view = run_network_test(hosts, {"mode": "closest", "duration_s": 1}).view
    assert view["target"]["host"] == "10.77.0.20"
    assert "refused" in view["attempts"][0]["problem"]


def test_with_no_network_at_all_closest_says_why_not() -> None:
    view = run_network_test([], {"mode": "closest"}, own_servers=False).view
    assert view["state"] == "failed"
    assert "location of this host is unknown" in view["problem"]


def test_with_no_network_at_all_this_host_can_still_be_tested() -> None:
    outcome = run_network_test([], manual(host="127.0.0.1"), own_servers=False)
    assert outcome.view["state"] == "partial"
    assert outcome.figure("rtt_ms")["value"] < 5
    assert any("Connection refused" in problem for problem in outcome.view["problems"])
    assert outcome.view["recommendation"]["assumptions"] == ["loss is assumed: loss was not measured"]


def test_with_no_network_at_all_a_name_ends_in_a_sentence() -> None:
    view = run_network_test([], manual(host="receiver.example"), own_servers=False).view
    assert view["state"] == "failed"
    assert "receiver.example has no address" in view["problem"]


def test_a_host_that_never_answers_ends_in_a_sentence() -> None:
    outcome = run_network_test([Host(FAR, loss_percent=100, serves=False)], manual())
    assert outcome.view["state"] == "failed"
    assert "iperf3 failed" in outcome.view["problem"]
    assert any("neither ping nor TCP" in problem for problem in outcome.view["problems"])


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    settings = Settings(
        secret_key=Secret("s" * 32),
        data_folder=tmp_path / "data",
        runtime_folder=tmp_path / "run",
        media_folder=tmp_path / "media",
        log_file=tmp_path / "log",
        database_url="sqlite://",
        api_key=Secret("key"),
        offline=True,
    )
    make_folders(settings)
    made = create_app(dataclasses.replace(settings), manager=FakeManager())
    yield made
    services_of(made).network.shutdown()


@pytest.fixture
def script(app: Flask) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer key"
    return client


@pytest.fixture
def server() -> Iterator[int]:
    port = free_port()
    with Child(["iperf3", "-s", "-B", "127.0.0.1", "-p", str(port)]) as child:
        wait_for(
            lambda: any(
                found.laddr.port == port and found.status == psutil.CONN_LISTEN
                for found in psutil.Process(child.pid).net_connections("tcp")
            ),
            deadline_s=10,
            what="iperf3 listens",
        )
        yield port


def started(script: FlaskClient, port: int, **order: Any) -> str:
    answer = script.post("/api/network-tests", json={"mode": "manual", "host": "127.0.0.1", "port": port, **order})
    assert answer.status_code == 202
    return str(answer.get_json()["id"])


def ended(script: FlaskClient, test_id: str) -> dict[str, Any]:
    def view() -> dict[str, Any]:
        shown = dict(script.get(f"/api/network-tests/{test_id}").get_json())
        return {} if shown["state"] == "running" else shown

    return wait_for(view, deadline_s=40, what="the test ended", every_s=0.1)


@pytest.mark.parametrize("direction", ["send", "receive"])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_loopback_is_measured_both_ways(script: FlaskClient, server: int, protocol: str, direction: str) -> None:
    order = {"protocol": protocol, "direction": direction, "duration_s": 1, "bitrate_mbps": 5.0}
    view = ended(script, started(script, server, **order))
    figures = {figure["name"]: figure for figure in view["figures"]}
    assert view["state"] == "done", view["problems"]
    assert figures["rtt_ms"]["value"] < 5
    assert ("sending" if direction == "send" else "receiving") in figures["bandwidth_mbps"]["source"]
    if protocol == "udp":
        assert figures["bandwidth_mbps"]["value"] == pytest.approx(5, rel=0.1)
        assert figures["loss_percent"]["basis"] == "measured"
    assert view["recommendation"]["recommended"]["latency_ms"] == 80


def test_cancel_ends_a_real_iperf3_and_the_server_serves_the_next(script: FlaskClient, server: int) -> None:
    test_id = started(script, server, duration_s=30, protocol="udp", bitrate_mbps=1.0)

    def client_pid() -> int:
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.NoSuchProcess):  # a ping that ended meanwhile
                if child.name() == "iperf3" and "-c" in child.cmdline():
                    return int(child.pid)
        return 0

    pid = wait_for(client_pid, deadline_s=20, what="the iperf3 client")
    script.delete(f"/api/network-tests/{test_id}")
    assert ended(script, test_id)["state"] == "cancelled"
    assert not is_alive(pid)

    def next_one() -> bool:
        view = ended(script, started(script, server, duration_s=1, protocol="udp", bitrate_mbps=1.0))
        return bool(view["state"] == "done")

    wait_for(next_one, deadline_s=30, what="the server took another test")


def test_a_busy_server_is_told(script: FlaskClient, server: int) -> None:
    argv = ["iperf3", "-c", "127.0.0.1", "-p", str(server), "-t", "60", "-u", "-b", "100K"]
    with Child(argv) as other:
        wait_for(
            lambda: len(psutil.Process(other.pid).net_connections("udp")) == 1,
            deadline_s=10,
            what="the other test runs",
        )
        view = ended(script, started(script, server, duration_s=1))
    assert view["state"] == "partial"
    assert any("busy with another test" in problem for problem in view["problems"])
    assert view["recommendation"]["assumptions"]
