"""The margin test of a line-up on the running product: copies through twice the loss, and not over the line."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from tests.instruments.product import Product
from tests.instruments.relay import Relay
from tests.instruments.waiting import wait_for

SECONDS = 10
LOSS_PERCENT = 1
# A latency that outlasts what the machine of a test may hold a process up for.
LATENCY_MS = 1000
LIMITS = {"output_gap_max_ms": 400, "headroom_min_percent": 0, "rtt_spread_max_ms": 1000}


def receiver_of(product: Product, port: int) -> str:
    endpoint = {"mode": "caller", "host": "127.0.0.1", "port": port}
    spec = {"direction": "receive", "endpoint": endpoint, "latency_ms": LATENCY_MS}
    return str(product.post("/api/streams", spec).document["key"])


def wait_for_run(product: Product, run_id: str, is_so: str) -> dict[str, Any]:
    def seen() -> dict[str, Any] | None:
        run = product.get(f"/api/line-ups/{run_id}").document
        return run if run["state"] == is_so else None

    run = wait_for(seen, deadline_s=SECONDS + 60, what=f"a line-up test that is {is_so}")
    assert run is not None
    return run


def lost_share(seconds: list[list[float]]) -> float:
    """Return the resent packets as a share of all packets, from the figures of the line's sender."""
    unique, again = (sum(second[at] for second in seconds) for at in (1, 2))
    return again / (unique + again)


def rehearsal_views(product: Product) -> list[dict[str, Any]]:
    return [view for view in product.streams() if view["key"].startswith("rehearsal-")]


def begin(product: Product, sender: str, receiver: str) -> str:
    """Start a line-up test with a margin; its ID."""
    for key in (sender, receiver):
        product.wait_for_phase(key, "delivering", deadline_s=20)
    plan = {
        "stream": sender,
        "receiver": {"kind": "local", "key": receiver},
        "duration_s": SECONDS,
        "margin": True,
        "margin_s": SECONDS,
        "limits": LIMITS,
    }
    answer = product.post("/api/line-ups", plan)
    assert answer.status == 202, answer.document
    return str(answer.document["id"])


def ports_of_copies(product: Product, run_id: str) -> set[int]:
    """Return the ports of the copies, once their measurement has begun."""
    wait_for_run(product, run_id, "margin")
    wait_for(lambda: len(rehearsal_views(product)) == 12, deadline_s=30, what="four paths of three streams")
    wait_for(
        lambda: product.get(f"/api/line-ups/{run_id}").document["remaining_s"] is not None,
        deadline_s=40,
        what="a margin test that measures",
    )
    specs = [view["spec"] for view in rehearsal_views(product)]
    return {spec["endpoint"]["port"] for spec in specs if "endpoint" in spec}


@pytest.mark.precise
def test_the_margin_holds_at_twice_the_loss_although_the_web_process_is_killed(own: Product) -> None:
    stream = own.start(latency_ms=LATENCY_MS)
    line_port = stream["spec"]["endpoint"]["port"]
    with Relay(line_port, loss_to_caller=LOSS_PERCENT, rtt_ms=20, seed=3) as line:
        run_id = begin(own, stream["key"], receiver_of(own, line.port))
        assert not ports_of_copies(own, run_id) & {line_port, line.port}, "the margin test uses the line"
        own.kill_web()  # the margin test goes on, and the workers remember the seconds in between
        own.restart_web()
        run = wait_for_run(own, run_id, "done")

    assert rehearsal_views(own) == []
    (margin,) = (each for each in run["lines"] if each["name"] == "margin_latency_ms")
    stored = json.loads(own.get(f"/api/line-ups/{run_id}?format=stored").body)
    rehearsal = own.get(f"/api/rehearsals/{stored['measured']['margin']['rehearsal']}").document
    assert [each["latency_ms"] for each in rehearsal["attempts"]] == [500, 1000, 1500, 2000]
    assert (margin["limit"], margin["verdict"]) == (LATENCY_MS, "pass"), margin
    assert margin["got"] == rehearsal["lowest_held_ms"] <= LATENCY_MS
    lost = lost_share(stored["measured"]["sender"])
    assert 0.4 * LOSS_PERCENT < 100 * lost < 2 * LOSS_PERCENT
    for each in rehearsal["attempts"]:
        again = 2 * lost / (1 - 2 * lost)  # of the packets that the copies sent for the first time
        spread = 5 * math.sqrt(again / each["packets"]) + 0.003  # a report of losses that is lost itself is repeated
        assert each["overhead_percent"] / 100 == pytest.approx(again, abs=spread), each
    # The performance test is judged by its own time only.
    assert stored["finished_at"] - stored["performance_at"] == pytest.approx(SECONDS, abs=0.5)
    assert_every_form_has(own, run_id, margin)


def assert_every_form_has(product: Product, run_id: str, margin: dict[str, Any]) -> None:
    csv, junit, pdf = (product.get(f"/api/line-ups/{run_id}?format={kind}").body for kind in ("csv", "junit", "pdf"))
    page = product.get(f"/line-up/{run_id}/report").body.decode()
    assert all(margin["title"] in form for form in (csv.decode(), junit.decode(), page))
    assert margin["got_text"] in page
    assert f"Holds at the latency of the line, {LATENCY_MS} ms." in page
    assert pdf.startswith(b"%PDF-")
