"""Line-up tests on the running product: a stream, a lossy path, a receive stream, and a verdict."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.instruments.product import Product
from tests.instruments.relay import Relay
from tests.instruments.waiting import wait_for

SECONDS = 10
PAUSE_S = 0.8
# The machine of a test may hold a receiver up for longer than a programme could bear.
LIMITS = {"output_gap_max_ms": 400, "headroom_min_percent": 0, "rtt_spread_max_ms": 1000}


@pytest.fixture(scope="module")
def own(sample: Path) -> Iterator[Product]:
    with Product(sample) as product:
        yield product


def pair(product: Product, target_port: int | None = None, **sender: Any) -> tuple[str, str]:
    """Return the keys of a send stream as listener and of a receive stream that calls it. Both deliver."""
    stream = product.start(latency_ms=250, **sender)
    port = stream["spec"]["endpoint"]["port"] if target_port is None else target_port
    received = product.post(
        "/api/streams",
        {
            "direction": "receive",
            "name": "Far end",
            "endpoint": {"mode": "caller", "host": "127.0.0.1", "port": port},
            "latency_ms": 250,
        },
    )
    assert received.status in (200, 201), received.document
    product.wait_for_phase(stream["key"], "delivering", deadline_s=20)
    product.wait_for_phase(received.document["key"], "delivering", deadline_s=20)
    return stream["key"], received.document["key"]


def start(product: Product, sender: str, receiver: str) -> dict[str, Any]:
    plan = {
        "stream": sender,
        "receiver": {"kind": "local", "key": receiver},
        "profile": "quick",
        "duration_s": SECONDS,
        "far_end": "Åre, 東京",
        "limits": LIMITS,
    }
    answer = product.post("/api/line-ups", plan)
    assert answer.status == 202, answer.document
    return dict(answer.document)


def finished(product: Product, run_id: str) -> dict[str, Any]:
    def is_over() -> bool:
        return not product.get(f"/api/line-ups/{run_id}").document["is_running"]

    wait_for(is_over, deadline_s=SECONDS + 40, what="the end of the line-up test")
    return dict(product.get(f"/api/line-ups/{run_id}").document)


def figures(run: dict[str, Any]) -> dict[str, Any]:
    return {line["name"]: line["got"] for line in run["lines"]}


def assert_csv_has_the_figures(table: str, run: dict[str, Any]) -> None:
    rows = {row["figure"]: row for row in csv.DictReader(io.StringIO(table))}
    for line in run["lines"]:
        figures = [line["got"], line["limit"], line["margin"]]
        cells = [rows[line["title"]][column] for column in ("measured", "limit", "margin", "verdict")]
        assert cells == [*("" if figure is None else str(figure) for figure in figures), line["verdict"]]
    for check in run["checks"]:
        cells = [rows[check["title"]][column] for column in ("measured", "limit", "verdict")]
        assert cells == [check["got"], check["limit"], check["verdict"]]


@pytest.mark.precise
def test_a_clean_link_passes_and_every_form_of_the_report_has_the_same_figures(own: Product) -> None:
    sender, receiver = pair(own)
    begun = start(own, sender, receiver)
    again = own.post("/api/line-ups", {"stream": sender, "receiver": {"kind": "none"}})
    assert again.status == 409
    own.kill_web()  # the run goes on, and the workers remember the seconds in between
    own.restart_web()
    run = finished(own, begun["id"])
    assert run["verdict"] == "pass", run["headline"]
    assert figures(run)["lost_packets_max"] == 0
    assert figures(run)["seconds_measured"] >= SECONDS - 1
    # 8 Mb/s in packets of 1316 bytes: 760 a second.
    stored = json.loads(own.get(f"/api/line-ups/{run['id']}?format=stored").body)
    packets = sum(second[1] for second in stored["measured"]["receiver"])
    assert packets == pytest.approx(760 * SECONDS, rel=0.15)

    assert_csv_has_the_figures(own.get(f"/api/line-ups/{run['id']}?format=csv").body.decode(), run)
    junit = ElementTree.fromstring(own.get(f"/api/line-ups/{run['id']}?format=junit").body)
    pdf = own.get(f"/api/line-ups/{run['id']}?format=pdf").body
    page = own.get(f"/line-up/{run['id']}/report").body.decode()
    for line in run["lines"]:
        assert line["got_text"] in page
    assert junit.get("failures") == "0"
    assert len(junit) == len(run["lines"]) + len(run["checks"])
    assert pdf.startswith(b"%PDF-")
    assert run["sha256"] in page
    assert "東京" in page
    assert run["previous"] is None
    cancelled = start(own, sender, receiver)["id"]
    assert own.post(f"/api/line-ups/{cancelled}/cancel").status == 202
    after = finished(own, cancelled)
    assert after["previous"]["id"] == run["id"], "a test that was cancelled is compared with the last whole one"
    assert {line["name"]: line["before_text"] for line in after["lines"]}["lost_packets_max"] == "0 packets"
    for key in (sender, receiver):
        own.dismiss(key)


def test_a_receiver_that_restarts_within_a_second_is_an_interruption(own: Product) -> None:
    sender, receiver = pair(own)
    run_id = start(own, sender, receiver)["id"]
    wait_for(
        lambda: own.get(f"/api/line-ups/{run_id}").document["seconds"] >= 2, deadline_s=20, what="two measured seconds"
    )
    assert own.post(f"/api/streams/{receiver}/start").status == 200
    run = finished(own, run_id)
    assert (run["verdict"], figures(run)["interruptions_max"]) == ("fail", 1), run["events"]
    assert "The connection was lost once." in run["headline"]
    for key in (sender, receiver):
        own.dismiss(key)


@pytest.mark.parametrize(
    ("index", "words"),
    [(0, "The sending host was too busy and delayed the stream."), (1, "The receiving host was too busy")],
    ids=["sender", "receiver"],
)
def test_a_pause_of_either_host_is_named_and_the_encoder_is_not(own: Product, index: int, words: str) -> None:
    keys = pair(own)
    run_id = start(own, *keys)["id"]
    wait_for(
        lambda: own.get(f"/api/line-ups/{run_id}").document["seconds"] >= 2, deadline_s=20, what="two measured seconds"
    )
    pid = own.stream(keys[index])["worker"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    time.sleep(PAUSE_S)
    os.kill(pid, signal.SIGCONT)
    run = finished(own, run_id)
    assert run["verdict"] == "fail"
    assert words in run["headline"], (run["headline"], run["events"])
    assert "encoder" not in run["headline"]
    for key in keys:
        own.dismiss(key)


def test_loss_at_a_short_latency_fails_and_names_the_lost_packets(own: Product) -> None:
    stream = own.start(latency_ms=40)
    with Relay(stream["spec"]["endpoint"]["port"], loss_to_caller=5, rtt_ms=40, seed=3) as relay:
        received = own.post(
            "/api/streams",
            {
                "direction": "receive",
                "endpoint": {"mode": "caller", "host": "127.0.0.1", "port": relay.port},
                "latency_ms": 40,
            },
        ).document
        own.wait_for_phase(received["key"], "delivering", deadline_s=20)
        run = finished(own, start(own, stream["key"], received["key"])["id"])
    assert run["verdict"] == "fail"
    assert "lost" in run["headline"]
    assert figures(run)["lost_packets_max"] > 20
    # The receive stream goes on counting after the end of the test.
    assert 1 <= figures(run)["priority_1_error_seconds_max"] <= SECONDS
    for key in (stream["key"], received["key"]):
        own.dismiss(key)


def test_a_cancelled_run_keeps_what_it_measured_and_can_be_deleted(own: Product) -> None:
    sender, receiver = pair(own)
    run_id = start(own, sender, receiver)["id"]

    def has_measured() -> bool:
        return bool(own.get(f"/api/line-ups/{run_id}").document["seconds"] >= 2)

    wait_for(has_measured, deadline_s=20, what="two measured seconds")
    assert own.post(f"/api/line-ups/{run_id}/cancel").status == 202
    run = finished(own, run_id)
    assert (run["state"], run["seconds"] >= 2) == ("cancelled", True)
    assert own.delete(f"/api/line-ups/{run_id}").status == 204
    assert own.get(f"/api/line-ups/{run_id}").status == 404
    for key in (sender, receiver):
        own.dismiss(key)


@pytest.mark.precise
def test_a_posted_probe_is_judged_over_its_own_time_next_to_the_senders_seconds(own: Product, tmp_path: Path) -> None:
    stream = own.start(latency_ms=250)
    (tmp_path / "key").write_text(own.api_key)
    url = f"srt://127.0.0.1:{stream['spec']['endpoint']['port']}?latency=250"
    address = f"http://127.0.0.1:{own.port}"
    probe = (sys.executable, "-m", "app.cli", "probe", url, "--for", "5s", "--json", "--report", address)
    done = subprocess.run([*probe, "--api-key-file", tmp_path / "key"], capture_output=True, timeout=60, check=False)
    counted = json.loads(done.stdout)["reception"]
    (report,) = own.get("/api/probe_reports").document["reports"]
    plan = {"stream": stream["key"], "receiver": {"kind": "probe", "report": report["id"]}, "limits": LIMITS}
    run = finished(own, own.post("/api/line-ups", plan).document["id"])
    assert run["verdict"] != "fail", (run["headline"], run["lines"], run["checks"])
    assert figures(run)["lost_packets_max"] == 0
    stored = json.loads(own.get(f"/api/line-ups/{run['id']}?format=stored").body)["measured"]
    received, sent = (sum(second[1] for second in stored[end]) for end in ("receiver", "sender"))
    # The last, unfinished second of the probe is in its totals only.
    assert counted["packets_unique"] - 800 < received <= counted["packets_unique"]
    assert sent == pytest.approx(received, abs=800)
    assert figures(run)["priority_1_error_seconds_max"] == 0
    assert [check["verdict"] for check in run["checks"]] == ["pass", "skipped"]
    assert own.delete(f"/api/probe_reports/{report['id']}").status == 204
    again = own.post("/api/line-ups", plan)
    assert "there is no probe report" in again.error_fields()["receiver.report"]
    assert own.get(f"/api/line-ups/{run['id']}").document["verdict"] == run["verdict"]
    own.dismiss(stream["key"])


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"receiver": {"kind": "probe", "report": "nowhere"}}, "receiver.report"),
        ({"stream": "nowhere"}, "stream"),
        ({"stream": None, "receiver": {"kind": "local", "key": "nowhere"}}, "receiver.key"),
        ({"stream": None, "receiver": {"kind": "remote", "host": "moon", "key": "abc"}}, "receiver.host"),
        ({"stream": "x", "sound": "loud"}, "sound"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused_by_field(own: Product, plan: dict[str, Any], field: str) -> None:
    answer = own.post("/api/line-ups", plan)
    assert answer.status == 400
    assert field in answer.error_fields()
