"""The recommendation's predictions against streams of the product; benchmarks/recommendation_matrix.py has them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.recommendation_matrix import holds, measure_in_peace, predicted, recommended
from tests.instruments.durations import seconds
from tests.instruments.residual_loss import Case
from tests.instruments.sample import make_sample

RTT_MS = 100


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample(tmp_path_factory.mktemp("sample") / "bars.ts")


@pytest.mark.parametrize(("loss_percent", "k"), [(5.0, 2), (10.0, 3)])
def test_what_is_never_repaired_is_what_was_predicted(sample: Path, loss_percent: float, k: int) -> None:
    case = Case(loss_percent, RTT_MS, k * RTT_MS, round(100 / k), seconds(10, long=60))
    residue = measure_in_peace("", case, sample)
    assert residue.latency_ms == case.latency_ms
    assert residue.loss_percent == pytest.approx(loss_percent, rel=0.2)
    assert residue.lost > 0, "at a latency this short some packets must be missing"
    assert holds("", case, residue), (residue, predicted(case))


def test_at_ten_percent_the_recommended_settings_leave_nothing_lost(sample: Path) -> None:
    case = recommended(10.0, RTT_MS, seconds(10, long=60), seed=1)
    assert (case.latency_ms, case.overhead_percent) == (800, 20)
    residue = measure_in_peace("recommended", case, sample)
    assert residue.packets > 5000
    assert residue.lost == 0
