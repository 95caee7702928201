"""A host that restarts: every process is killed and the runtime folder is empty. The history lacks 10 s at most.

It takes 22 s, because a loss of more than 10 s can only be seen in a longer history.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instruments.child import is_alive
from tests.instruments.product import Product
from tests.instruments.waiting import wait_for

SECONDS = 19


@pytest.fixture
def product(sample: Path) -> Iterator[Product]:
    with Product(sample) as running:
        yield running


def seconds_of(product: Product, key: str) -> list[float]:
    samples = product.get(f"/api/streams/{key}/history?seconds=300").document["samples"]
    return [sample["at"] for sample in samples]


def test_a_restart_of_the_host_costs_ten_seconds_of_history_at_most(product: Product) -> None:
    key = product.start()["key"]
    known = wait_for(
        lambda: found if len(found := seconds_of(product, key)) >= SECONDS else None,
        deadline_s=60,
        what=f"{SECONDS} s of history",
    )
    workers = product.worker_pids()
    product.kill_web()
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(map(is_alive, workers)), deadline_s=10, what="the end of the workers")
    for path in (product.folder / "runtime").iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    product.restart_web()
    end = int(known[-1]) + 1
    kept = product.get(f"/api/streams/{key}/history?from={int(known[0]) - 60}&to={end + 9}").document["summaries"]

    assert len(known) - sum(summary["seconds"] for summary in kept if summary["at"] - 10 < known[-1]) <= 10
