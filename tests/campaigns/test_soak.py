"""An hour of ten streams: benchmarks/soak.py as a test, with limits that find a leak."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.instruments.product import Product
from tests.instruments.sample import make_sample
from tests.instruments.soak import Moment, Plan, soak, what_is_wrong

Note = Callable[[str, object], None]  # pytest's record_property: figures for --junitxml

STREAMS = 10
PLAN = Plan(STREAMS, seconds=3600, every_s=60, warm_up_s=300)
WORKER_GROWTH_MB = 1.0
WEB_GROWTH_MB = 6.0


@pytest.mark.timeout(4200)
def test_ten_streams_go_on_for_an_hour_without_drop_or_growth(tmp_path: Path, record_property: Note) -> None:
    light = make_sample(tmp_path / "light.ts", seconds=20, bitrate_bps=2_000_000)
    moments: list[Moment] = []
    with Product(light, MAX_STREAMS=str(STREAMS)) as product:
        result = soak(product, PLAN, moments.append)
    record_property("growth_mb_an_hour", result.growth_mb_an_hour())
    record_property("last", dataclasses.asdict(moments[-1]))
    assert what_is_wrong(result, worker_growth_mb=WORKER_GROWTH_MB, web_growth_mb=WEB_GROWTH_MB) == []
    assert all(figures.seconds == [] and figures.packets > 400_000 for figures in result.receivers)
