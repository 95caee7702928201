"""Rehearsals on the running product: copies of a stream through relays, and the lowest latency that held."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.instruments.product import Product
from tests.instruments.waiting import wait_for

WAY = {"delay_ms": 20, "outage": {"every_s": 4, "for_ms": 300}}
# A burst is survived up to latency x overhead: 2000 ms at 25 % outlast 300 ms. The gap is for a busy machine.
PLAN = {
    "impairment": {"seed": 7, "to_target": WAY, "to_caller": WAY},
    "latencies_ms": [60, 2000],
    "duration_s": 12,
    "output_gap_max_ms": 400,
}


@pytest.fixture(scope="module")
def own(sample: Path) -> Iterator[Product]:
    with Product(sample) as product:
        yield product


def rehearsal_streams(product: Product) -> list[str]:
    return [view["key"] for view in product.streams() if view["key"].startswith("rehearsal-")]


def wait_for_state(product: Product, run_id: str, *states: str) -> dict[str, Any]:
    def seen() -> dict[str, Any] | None:
        run = product.get(f"/api/rehearsals/{run_id}").document
        return run if run["state"] in states else None

    run = wait_for(seen, deadline_s=60, what=f"a rehearsal that is {' or '.join(states)}")
    assert run is not None
    return run


@pytest.mark.precise
def test_the_lowest_latency_that_held_is_the_one_that_outlasts_the_outage(own: Product) -> None:
    stream = own.start()
    answer = own.post("/api/rehearsals", {"stream": stream["key"], **PLAN})
    assert answer.status == 202, answer.document
    run_id = answer.document["id"]
    again = own.post("/api/rehearsals", {"stream": stream["key"], **PLAN})
    wait_for_state(own, run_id, "measuring")
    views = {view["name"]: view for view in own.streams() if view["key"].startswith("rehearsal-")}
    run = wait_for_state(own, run_id, "done", "failed")

    assert again.status == 409
    assert len(views) == 6
    assert all(views[f"Rehearsal 60 ms, {end}"]["impaired_by"] for end in ("receiver", "sender"))
    low, high = run["attempts"]
    assert run["lowest_held_ms"] == 2000, run
    assert (low["verdict"] == "held", high["verdict"]) == (False, "held")
    assert high["overhead_percent"] > 0
    assert (high["dropped"], high["gaps"], high["continuity_errors"]) == (0, 0, 0)
    assert rehearsal_streams(own) == []
    assert own.stream(stream["key"])["order"] == "run"

    table = list(csv.DictReader(io.StringIO(own.get(f"/api/rehearsals/{run_id}?format=csv").body.decode())))
    assert [row["latency_ms"] for row in table] == ["60", "2000"]
    assert own.delete(f"/api/rehearsals/{run_id}").status == 204
    assert own.get(f"/api/rehearsals/{run_id}").status == 404


def test_a_rehearsal_that_is_cancelled_keeps_what_it_measured_and_leaves_no_stream(own: Product) -> None:
    stream = own.start()
    run_id = own.post("/api/rehearsals", {"stream": stream["key"], **PLAN, "duration_s": 600}).document["id"]
    wait_for_state(own, run_id, "measuring")
    assert own.post(f"/api/rehearsals/{run_id}/cancel").status == 202
    wait_for_state(own, run_id, "cancelled")
    assert rehearsal_streams(own) == []


@pytest.mark.precise
def test_a_rehearsal_goes_on_when_the_web_process_is_killed_and_misses_no_second(own: Product) -> None:
    stream = own.start()
    plan = {"stream": stream["key"], "latencies_ms": [1000], "duration_s": 14, "output_gap_max_ms": 400}
    run_id = own.post("/api/rehearsals", plan).document["id"]
    wait_for_state(own, run_id, "measuring")
    workers = set(own.worker_pids())
    own.kill_web()
    own.restart_web()
    assert own.get(f"/api/rehearsals/{run_id}").document["state"] == "measuring"
    assert set(own.worker_pids()) == workers
    run = wait_for_state(own, run_id, "done", "failed")

    (attempt,) = run["attempts"]
    assert attempt["seconds"] >= 13, attempt
    assert attempt["packets"] > 0
    assert run["problem"] == ""
    assert rehearsal_streams(own) == []


def test_a_rehearsal_that_had_not_begun_to_measure_ends_with_a_reason_after_a_restart(own: Product) -> None:
    stream = own.start()
    run_id = own.post("/api/rehearsals", {"stream": stream["key"], **PLAN}).document["id"]
    assert own.get(f"/api/rehearsals/{run_id}").document["state"] == "starting"
    own.kill_web()
    own.restart_web()

    run = wait_for_state(own, run_id, "failed")
    assert run["headline"] == "The program ended before the measurement began."
    wait_for(lambda: not rehearsal_streams(own), deadline_s=20, what="the end of its streams")


def test_a_copy_through_a_relay_is_three_streams_or_none(own: Product) -> None:
    stream = own.start()
    before = len(own.streams())
    wrong = own.post("/api/rehearsed-paths", {"stream": stream["key"], "impairment": {"to_target": {"delay_ms": -5}}})
    unknown = own.post("/api/rehearsed-paths", {"stream": "nosuch"})
    assert (wrong.status, unknown.status, len(own.streams())) == (400, 400, before)

    made = own.post("/api/rehearsed-paths", {"stream": stream["key"], "impairment": {"to_target": {"delay_ms": 5}}})
    assert made.status == 201, made.document
    receiver, relay, sender = made.document["streams"]
    own.wait_for_phase(receiver["key"], "delivering")
    assert own.stream(sender["key"])["impaired_by"] == relay["key"]
    for view in (sender, relay, receiver):
        own.delete(f"/api/streams/{view['key']}")
