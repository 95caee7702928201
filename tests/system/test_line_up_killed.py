"""A line-up test whose web process is killed three times: no second that the workers have is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.instruments.product import Product
from tests.instruments.waiting import wait_for
from tests.system.test_line_up import LIMITS, pair

KILLS = 3


@pytest.fixture(scope="module")
def own(sample: Path) -> Iterator[Product]:
    with Product(sample) as product:
        yield product


def begin(product: Product, profile: str) -> tuple[tuple[str, str], str]:
    sender, receiver = pair(product)
    plan = {
        "stream": sender,
        "receiver": {"kind": "local", "key": receiver},
        "profile": profile,
        "far_end": "killed",
        "limits": LIMITS,
    }
    return (sender, receiver), product.post("/api/line-ups", plan).document["id"]


def wait_until_measured(product: Product, run_id: str, seconds: int) -> None:
    wait_for(
        lambda: product.get(f"/api/line-ups/{run_id}").document["seconds"] >= seconds,
        deadline_s=seconds + 40,
        what=f"{seconds} measured seconds",
    )


def over(product: Product, run_id: str, *, within_s: float) -> dict[str, Any]:
    wait_for(
        lambda: not product.get(f"/api/line-ups/{run_id}").document["is_running"],
        deadline_s=within_s,
        what="the end of the run",
    )
    return dict(product.get(f"/api/line-ups/{run_id}").document)


def assert_complete(product: Product, run_id: str, keys: tuple[str, str], seconds: int) -> None:
    """Compare the run with the histories of the two workers, which no kill touched."""
    stored = json.loads(product.get(f"/api/line-ups/{run_id}?format=stored").body)
    for end, key, path in (("sender", keys[0], "history"), ("receiver", keys[1], "reception")):
        seen = [second[0] for second in stored["measured"][end]]
        samples = product.get(f"/api/streams/{key}/{path}?seconds={seconds + 300}").document["samples"]
        kept = [sample["at"] for sample in samples if stored["performance_at"] < sample["at"] <= seen[-1] + 0.01]
        missing = [at for at in kept if not any(abs(at - other) < 0.01 for other in seen)]
        assert missing == [], (end, stored["performance_at"], seen[0], kept[:2])
        assert seen == pytest.approx(kept, abs=0.01), (
            end,
            [each for each in pairwise(kept) if each[1] - each[0] < 0.5],
        )
        # A busy machine closes accounts late: they are fewer, and longer.
        assert seen[-1] - seen[0] >= 0.98 * seconds - 2, end
        assert max(after - before for before, after in pairwise(seen)) < 3, end


def test_a_run_that_is_cancelled_after_three_kills_has_every_second(own: Product) -> None:
    keys, run_id = begin(own, "quick")
    wait_until_measured(own, run_id, 1)
    for _ in range(KILLS):
        measured = own.get(f"/api/line-ups/{run_id}").document["seconds"]
        own.kill_web()
        own.restart_web()
        wait_until_measured(own, run_id, measured + 2)
    own.post(f"/api/line-ups/{run_id}/cancel")
    assert over(own, run_id, within_s=30)["state"] == "cancelled"
    assert_complete(own, run_id, keys, 7)
    for key in keys:
        own.dismiss(key)


@pytest.mark.campaign  # 15 minutes
@pytest.mark.timeout(1200)
def test_a_run_of_15_minutes_with_three_kills_completes_with_every_second(own: Product) -> None:
    keys, run_id = begin(own, "line-up")
    for kill in range(1, KILLS + 1):
        wait_until_measured(own, run_id, 225 * kill)
        own.kill_web()
        own.restart_web()
    run = over(own, run_id, within_s=400)
    assert run["state"] == "done", run["problem"]
    assert_complete(own, run_id, keys, 900)
    measured = next(line for line in run["lines"] if line["name"] == "seconds_measured")
    assert (measured["limit"], measured["verdict"]) == (900, "pass"), measured
    for key in keys:
        own.dismiss(key)
