"""The estimate of what a receiver misses, against the receiver; benchmarks/receiver_loss.py has the whole table."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.verdict import Severity, loss_severity
from benchmarks.receiver_loss import estimated, holds
from tests.instruments.durations import seconds
from tests.instruments.residual_loss import Case, measure
from tests.instruments.sample import make_sample

RTT_MS = 40
# Both cases are chances: beyond four deviations once in 16,000 runs of a right estimate.
DEVIATIONS = 4.0


@pytest.mark.precise
@pytest.mark.parametrize("overhead_percent", [5, 25])
def test_what_the_receiver_misses_is_estimated_and_never_looks_good(overhead_percent: int, tmp_path: Path) -> None:
    case = Case(6.0, RTT_MS, 2 * RTT_MS, overhead_percent, seconds(6, long=30))
    run = measure(case, make_sample(tmp_path / "bars.ts"))
    # Packets that a busy machine disturbed are left out, and the fewer remain, the wider is the range of the count.
    assert holds(run, deviations=DEVIATIONS), (run.lost, run.packets, run.left_out, estimated(run))
    assert loss_severity(estimated(run)) is Severity.FAULT
    assert run.samples[-1].point.is_held_back is (overhead_percent == 5)
