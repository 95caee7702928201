"""The recommendation's predictions against streams of the product; benchmarks/recommendation_matrix.py has them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.recommendation_matrix import fraction_lost, holds, measure_until, predicted, recommended
from tests.instruments.durations import seconds
from tests.instruments.residual_loss import Case, Residue
from tests.instruments.sample import make_sample

RTT_MS = 100
PACKETS = 5000


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample(tmp_path_factory.mktemp("sample") / "bars.ts")


def measured(case: Case, sample: Path, packets: int = PACKETS) -> list[Residue]:
    """Runs until enough packets count; those on their way while the machine stalled do not."""
    runs = measure_until(packets, case, sample, runs=5)
    assert sum(run.packets for run in runs) >= packets, "this machine is too busy to be a path of known delay"
    return runs


@pytest.mark.precise
@pytest.mark.parametrize(("loss_percent", "k"), [(5.0, 2), pytest.param(10.0, 3, marks=pytest.mark.campaign)])
def test_what_is_never_repaired_is_what_was_predicted(sample: Path, loss_percent: float, k: int) -> None:
    case = Case(loss_percent, RTT_MS, k * RTT_MS, round(100 / k), seconds(12, long=60))
    # Of 20 packets that should be lost, chance alone does not leave a third.
    runs = measured(case, sample, round(20 / predicted(case)))
    assert {run.latency_ms for run in runs} == {case.latency_ms}
    assert all(run.loss_percent == pytest.approx(loss_percent, rel=0.2) for run in runs)
    assert fraction_lost(runs) > 0, "at a latency this short some packets must be missing"
    assert holds("", case, fraction_lost(runs)), (runs, predicted(case))


@pytest.mark.precise
def test_at_ten_percent_the_recommended_settings_leave_nothing_lost(sample: Path) -> None:
    case = recommended(10.0, RTT_MS, seconds(9, long=60), seed=1)  # 760 packets a second: enough in one run
    assert (case.latency_ms, case.overhead_percent) == (800, 20)
    runs = measured(case, sample)
    assert sum(run.lost for run in runs) == 0
