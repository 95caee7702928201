"""The verdict on a soak test, from made-up measurements."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tests.instruments.soak import Moment, Plan, Result, history_cost_mb, what_is_wrong
from tests.instruments.srt_receiver import Figures


def made_up(plan: Plan, **last: Any) -> Result:
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
            drops_reported=0,
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
        ({"drops_reported": 1}, "1 packets dropped by the senders"),
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
    missed: dict[str, Any] = {field: 2}
    (found,) = verdict(dataclasses.replace(result, receivers=[Figures(state="closed", **missed)]))
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
