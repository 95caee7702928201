"""The result of a rehearsal is repeatable: the lowest latency that held also holds alone and for longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.impairment.profiles import REHEARSAL_SPEED
from tests.instruments.product import Product
from tests.instruments.sample import make_sample
from tests.instruments.waiting import wait_for

Note = Callable[[str, object], None]  # pytest's record_property: figures for --junitxml
PROFILE = "g1050-d"
# Its link fails for 256 ms, once a minute at rehearsal speed. With an overhead of 25 % libsrt sends that again in about
# 2 s, some of it twice: 1,664 ms lost 5 of 144 packets in three failures.
LATENCIES_MS = (416, 2080, 3120)
GAP_MAX_MS = 200  # a failure that is not repaired stops the output for longer, a busy machine hardly
TABLE_S = 240
AGAIN_S = 300
SETTLING_S = 60


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Product]:
    with Product(make_sample(tmp_path / "light.ts", bitrate_bps=2_000_000)) as product:
        yield product


@pytest.mark.timeout(TABLE_S + AGAIN_S + 3 * SETTLING_S)
def test_the_lowest_latency_that_held_under_g1050_d_holds_again_for_five_minutes(
    own: Product, record_property: Note
) -> None:
    stream = own.start(overhead_percent=25)["key"]
    table = rehearsed(own, stream, LATENCIES_MS, TABLE_S)
    record_property("table", table)
    lowest_ms = table["lowest_held_ms"]
    assert lowest_ms is not None, table
    shortest = table["attempts"][0]
    assert shortest["latency_ms"] < lowest_ms
    assert shortest["dropped"] > 0, "an overhead of 25 % cannot repair a failure within 416 ms"

    again = rehearsed(own, stream, (lowest_ms,), AGAIN_S)
    record_property("again", again)
    (attempt,) = again["attempts"]
    assert attempt["seconds"] >= AGAIN_S - 3
    assert (attempt["dropped"], attempt["gaps"], attempt["continuity_errors"]) == (0, 0, 0), attempt
    assert attempt["verdict"] == "held"


def rehearsed(product: Product, stream: str, latencies_ms: tuple[int, ...], duration_s: int) -> dict[str, Any]:
    """Run a rehearsal to its end."""
    plan = {
        "stream": stream,
        "impairment": {"profile": PROFILE, "seed": 7, "event_speed": REHEARSAL_SPEED},
        "latencies_ms": list(latencies_ms),
        "duration_s": duration_s,
        "output_gap_max_ms": GAP_MAX_MS,
    }
    run_id = product.post("/api/rehearsals", plan).document["id"]

    def ended() -> dict[str, Any] | None:
        run: dict[str, Any] = product.get(f"/api/rehearsals/{run_id}").document
        return None if run["is_running"] else run

    run = wait_for(ended, deadline_s=duration_s + SETTLING_S, what="the end of a rehearsal", every_s=1)
    assert run is not None
    return run
