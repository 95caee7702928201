"""Rehearsals: the plan, what is added up, and which latency held."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from app.domain.errors import InvalidInput
from app.domain.impairment.profiles import PROFILES
from app.domain.rehearsal.plan import RehearsalPlan, latencies_for, mean_rtt_ms, parse_rehearsal
from app.domain.rehearsal.run import Attempt, Rehearsal, RehearsalState, decode_rehearsal, encode_rehearsal
from app.domain.rehearsal.tally import (
    HeardSecond,
    LatencyVerdict,
    SentSecond,
    Tally,
    judge,
    reasons,
    with_heard,
    with_sent,
)

WAY = {"delay_ms": 50}


def plan(**fields: Any) -> RehearsalPlan:
    return parse_rehearsal({"stream": "abc234", "impairment": {"to_target": WAY, "to_caller": WAY}, **fields})


def heard(at: float, **figures: Any) -> HeardSecond:
    values = {"packets_unique": 760, "packets_lost": 0, "continuity_errors": 0, "gap_ms": 3.0, "is_connected": True}
    return HeardSecond(at=at, **{**values, "is_held_up": False, **figures})


def tally(*seconds: HeardSecond) -> Tally:
    return with_heard(Tally(relayed=10_000), seconds, gap_max_ms=40)


def test_the_latencies_are_multiples_of_the_rtt_of_the_path() -> None:
    assert plan().latencies_ms == (100, 200, 300, 400, 600)
    assert plan(rtt_ms=40).latencies_ms == (40, 80, 120, 160, 240)
    assert plan(latencies_ms=[500, 120, 120]).latencies_ms == (120, 500)


def test_half_of_the_jitter_counts_to_the_rtt() -> None:
    assert mean_rtt_ms(PROFILES["g1050-d"].impairment()) == 2 * (32 + 40 / 2)


def test_a_path_without_delay_and_one_to_the_moon_lead_to_latencies_that_a_stream_may_have() -> None:
    assert latencies_for(0) == (20, 40, 60, 80, 120)
    assert latencies_for(3000) == (3000, 6000, 8000)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"duration_s": 5}, "duration_s"),
        ({"duration_s": 1_000_000}, "duration_s"),
        ({"latencies_ms": [5]}, "latencies_ms"),
        ({"latencies_ms": list(range(100, 109))}, "latencies_ms"),
        ({"rtt_ms": -1}, "rtt_ms"),
        ({"rtt_ms": "far"}, "rtt_ms"),
        ({"output_gap_max_ms": 0}, "output_gap_max_ms"),
        ({"stream": 7}, "stream"),
        ({"impairment": {"to_target": {"loss_percent": 101}}}, "impairment.to_target.loss_percent"),
        ({"impairment": {"profile": "none such"}}, "impairment.profile"),
    ],
)
def test_a_wrong_field_of_a_plan_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        plan(**fields)
    assert list(refused.value.fields) == [field]


def test_every_second_counts_once() -> None:
    twice = with_heard(tally(heard(1), heard(2)), [heard(2.001), heard(3, gap_ms=50, packets_lost=2)], gap_max_ms=40)
    assert (twice.seconds, twice.packets_unique, twice.packets_lost) == (3, 3 * 760, 2)
    assert (twice.gaps, twice.longest_gap_ms) == (1, 50)


def test_the_overhead_is_what_was_sent_again_and_its_peak_the_worst_second() -> None:
    sums = with_sent(Tally(), [SentSecond(1, 900, 0), SentSecond(2, 100, 50)])
    assert (sums.overhead_percent(), sums.resent_peak_percent) == (5, 50)


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        (heard(2), LatencyVerdict.HELD),
        (heard(2, packets_lost=1), LatencyVerdict.FAILED),
        (heard(2, gap_ms=41), LatencyVerdict.FAILED),
        (heard(2, continuity_errors=1), LatencyVerdict.FAILED),
        (heard(2, is_connected=False), LatencyVerdict.FAILED),
        (heard(2, gap_ms=500, is_held_up=True), LatencyVerdict.HELD),
        (heard(2, packets_lost=1, is_held_up=True), LatencyVerdict.UNCLEAR),
    ],
)
def test_a_latency_holds_without_loss_gap_and_error(second: HeardSecond, verdict: LatencyVerdict) -> None:
    assert judge(tally(heard(1), second), elapsed_s=2) is verdict
    said = reasons(tally(heard(1), second), gap_max_ms=40, elapsed_s=2)
    assert bool(said) is (verdict is not LatencyVerdict.HELD or second.is_held_up)


def test_seconds_that_are_missing_prove_nothing() -> None:
    assert judge(tally(heard(1)), elapsed_s=60) is LatencyVerdict.UNCLEAR


def test_a_relay_that_was_late_makes_a_failure_unclear_and_not_a_success() -> None:
    late = msgspec.structs.replace(tally(heard(1, packets_lost=1)), late=2000)
    assert judge(late, elapsed_s=1) is LatencyVerdict.UNCLEAR
    assert judge(msgspec.structs.replace(tally(heard(1)), late=2000), elapsed_s=1) is LatencyVerdict.HELD


def rehearsal(*lost: int) -> Rehearsal:
    attempts = tuple(Attempt(100 * (n + 1), tally=tally(heard(1, packets_lost=each))) for n, each in enumerate(lost))
    return Rehearsal("20260131-081500-abcd", plan(), RehearsalState.DONE, 0, attempts, measured_from=0, finished_at=1)


def test_the_lowest_latency_that_held_has_none_above_it_that_did_not() -> None:
    assert rehearsal(3, 0, 0).lowest_held(1) == 200
    assert rehearsal(0, 3, 0).lowest_held(1) == 300
    assert rehearsal(0, 0, 3).lowest_held(1) is None


def test_a_rehearsal_is_read_as_it_was_stored() -> None:
    run = rehearsal(3, 0)
    assert decode_rehearsal(encode_rehearsal(run)) == run
