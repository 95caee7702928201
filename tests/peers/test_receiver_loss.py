"""The estimate of what a receiver misses, against the receiver; benchmarks/receiver_loss.py has the whole table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.verdict import Severity, loss_severity
from benchmarks.receiver_loss import estimated, holds
from tests.instruments.durations import seconds
from tests.instruments.residual_loss import Case, Residue, measure
from tests.instruments.sample import make_sample

RTT_MS = 40
RUNS = 4


def undisturbed(case: Case, sample: Path) -> Residue:
    """A run in which the machine hardly held up the relay or an end, so that the path was the one asked for."""
    for number in range(RUNS):
        run = measure(replace(case, seed=case.seed + number), sample)
        if run.left_out < run.packets / 5:
            return run
    raise AssertionError("this machine is too busy to be a path of known delay")


@pytest.mark.parametrize("overhead_percent", [5, 25])
def test_what_the_receiver_misses_is_estimated_and_never_looks_good(overhead_percent: int, tmp_path: Path) -> None:
    case = Case(6.0, RTT_MS, 2 * RTT_MS, overhead_percent, seconds(6, long=30))
    run = undisturbed(case, make_sample(tmp_path / "bars.ts"))
    assert run.lost > 0
    assert holds(run), (run.lost, run.packets, estimated(run))
    assert loss_severity(estimated(run)) is Severity.FAULT
    assert run.samples[-1].point.is_held_back is (overhead_percent == 5)
