"""Two minutes of what benchmarks/soak.py does for an hour."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.instruments.product import Product
from tests.instruments.sample import make_sample
from tests.instruments.soak import Moment, Plan, Result, history_cost_mb, soak, what_is_wrong
from tests.instruments.srt_receiver import Figures

Note = Callable[[str, object], None]  # pytest's record_property: figures for --junitxml

STREAMS = 10
PLAN = Plan(STREAMS, seconds=120, every_s=10, warm_up_s=30)
# An hour's growth told from ninety seconds: 0.5 MB in a worker, 2 MB in the web process. Less is for the hour to tell.
WORKER_GROWTH_MB = 20.0
WEB_GROWTH_MB = 80.0


@pytest.mark.timeout(400)
def test_ten_streams_go_on_without_a_drop_an_error_or_growth(tmp_path: Path, record_property: Note) -> None:
    light = make_sample(tmp_path / "light.ts", seconds=20, bitrate_bps=2_000_000)
    moments: list[Moment] = []
    with Product(light, MAX_STREAMS=str(STREAMS)) as product:
        result = soak(product, PLAN, moments.append)
    record_property("growth_mb_an_hour", result.growth_mb_an_hour())
    record_property("last", dataclasses.asdict(moments[-1]))
    assert what_is_wrong(result, worker_growth_mb=WORKER_GROWTH_MB, web_growth_mb=WEB_GROWTH_MB) == []
    assert all(figures.seconds == [] and figures.packets > 15_000 for figures in result.receivers)


def made_up(plan: Plan, **last: float | int) -> Result:
    """A soak in which memory grew by what history takes and nothing happened, but for the last moment's changes."""
    worker_mb, web_mb = history_cost_mb()
    moments = [
        Moment(
            at_s=at,
            worker_pss_mb=[17 + worker_mb * at / 3600] * plan.streams,
            web_pss_mb=67 + web_mb * plan.streams * at / 3600,
            worker_cpu_percent=2,
            web_cpu_percent=1,
            files=174,
            threads=82,
            drops_received=0,
            drops_told=0,
            errors=0,
            restarts=0,
            delivering=plan.streams,
            slowest_page_ms=10,
        )
        for at in range(60, 3601, 60)
    ]
    return Result(plan, [*moments[:-1], dataclasses.replace(moments[-1], **last)], [Figures(state="closed")])


HOUR = Plan(10, seconds=3600, every_s=60, warm_up_s=300)


def verdict(result: Result) -> list[str]:
    return what_is_wrong(result, worker_growth_mb=1, web_growth_mb=6)


def test_the_verdict_on_a_quiet_hour_is_that_nothing_is_wrong() -> None:
    assert verdict(made_up(HOUR)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"drops_told": 1}, "1 packets dropped by the senders"),
        ({"restarts": 1}, "1 restarts"),
        ({"delivering": 9}, "only 9 streams delivering"),
        ({"files": 178}, "open files grew from 174 to 178"),
        ({"threads": 85}, "threads grew from 82 to 85"),
    ],
)
def test_the_verdict_names_what_went_wrong_in_the_last_minute(change: dict[str, int], said: str) -> None:
    assert verdict(made_up(HOUR, **change)) == [said]


@pytest.mark.parametrize("field", ["packets_dropped", "gaps", "continuity_errors", "sync_errors"])
def test_the_verdict_counts_what_a_receiver_missed(field: str) -> None:
    result = made_up(HOUR)
    (found,) = verdict(dataclasses.replace(result, receivers=[Figures(state="closed", **{field: 2})]))
    assert found.startswith("2 ")


def test_the_verdict_counts_a_receiver_that_was_left_alone() -> None:
    lost = Figures(state="lost", error="connection was broken")
    assert verdict(dataclasses.replace(made_up(HOUR), receivers=[lost])) == [
        "receivers ended: ['connection was broken']"
    ]


def test_the_verdict_tells_growth_from_history_that_fills_up() -> None:
    quiet = made_up(HOUR)
    leaking = [
        dataclasses.replace(
            moment,
            worker_pss_mb=[mb + 1.2 * moment.at_s / 3600 for mb in moment.worker_pss_mb],
            web_pss_mb=moment.web_pss_mb + 7 * moment.at_s / 3600,
        )
        for moment in quiet.moments
    ]
    found = verdict(dataclasses.replace(quiet, moments=leaking))
    assert [sentence.split(" by ")[0] for sentence in found] == ["workers grow", "the web process grows"]
