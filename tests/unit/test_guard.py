"""The guard against a runaway output of an engine: what it stops, and what it must not stop."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.domain.endings import Finished
from app.domain.spec import BarsSource, FileSource, ListenerEndpoint, MulticastSource, SendSpec
from app.domain.status import Reason
from app.worker.guard import RateGuard

TURN_S = 0.2
SOURCES = (FileSource("a.ts"), MulticastSource("239.1.1.1", 1234), BarsSource())
FILE, GROUP, BARS = (SendSpec(ListenerEndpoint(10001), source) for source in SOURCES)
MBPS = 125_000  # bytes a second


def run(
    guard: RateGuard, output: Callable[[float], float], inputs: Callable[[float], float], *, until_s: float
) -> float:
    """Return the time at which the guard stops a stream with these byte counters, or `until_s` if it does not."""
    for turn in range(round(until_s / TURN_S)):
        now = turn * TURN_S
        try:
            guard.check(now, output_bytes_total=round(output(now)), input_bytes_total=round(inputs(now)))
        except Finished as stopped:
            return now if stopped.reason is Reason.RUNAWAY else -1.0
    return until_s


def steady(mbps: float) -> Callable[[float], float]:
    return lambda now: now * mbps * MBPS


def runaway(mbps: float, *, at: float, to_mbps: float) -> Callable[[float], float]:
    return lambda now: now * mbps * MBPS + max(0.0, now - at) * to_mbps * MBPS


@pytest.mark.parametrize("mbps", [0.3, 3, 8, 20])
@pytest.mark.parametrize("spec", [FILE, BARS, GROUP], ids=lambda spec: type(spec.source).__name__)
def test_a_runaway_is_stopped_within_a_second(spec: SendSpec, mbps: float) -> None:
    guard = RateGuard(spec, None if spec is GROUP else round(mbps * 1e6))
    assert 10 < run(guard, runaway(mbps, at=10, to_mbps=800), steady(mbps), until_s=20) <= 11


@pytest.mark.parametrize("spec", [FILE, GROUP], ids=lambda spec: type(spec.source).__name__)
def test_a_steady_stream_is_let_pass(spec: SendSpec) -> None:
    assert run(RateGuard(spec, 8_000_000), steady(8), steady(8), until_s=60) == 60


def test_a_file_that_is_read_far_too_fast_is_stopped_without_a_receiver_too() -> None:
    guard = RateGuard(FILE, 3_000_000)
    assert run(guard, steady(0), runaway(3, at=10, to_mbps=1500), until_s=20) <= 11


def test_variable_bitrate_is_let_pass() -> None:
    def bursts(now: float) -> float:
        """5 Mb/s on average: each ten seconds one of 30 Mb/s and nine of 2.2."""
        seconds, rest = divmod(now, 10)
        return (seconds * 50 + 30 * min(rest, 1) + 2.2 * max(0.0, rest - 1)) * MBPS

    assert run(RateGuard(FILE, 5_000_000), bursts, bursts, until_s=60) == 60


def test_a_single_burst_of_one_turn_is_let_pass() -> None:
    def burst(now: float) -> float:
        return steady(8)(now) + (4_000_000 if now > 5 else 0)

    assert run(RateGuard(FILE, 8_000_000), burst, burst, until_s=20) == 20


def test_the_backlog_of_a_pause_of_the_whole_machine_is_let_pass() -> None:
    guard = RateGuard(FILE, 8_000_000)
    assert run(guard, steady(8), steady(8), until_s=10) == 10
    # For 30 s no process ran; what was due is sent within the following half second.
    for now, due_until in ((40.0, 10.0), (40.2, 20.0), (40.4, 30.0), (40.6, 40.6), (40.8, 40.8)):
        due = round(steady(8)(due_until))
        guard.check(now, output_bytes_total=due, input_bytes_total=due)


def test_a_pipeline_that_was_starved_for_some_seconds_may_catch_up() -> None:
    def starved(now: float) -> float:
        return steady(8)(now if not 10 < now < 14 else 10)

    assert run(RateGuard(FILE, 8_000_000), starved, starved, until_s=30) == 30


def test_new_contents_of_a_file_are_judged_by_the_highest_assumed_rate() -> None:
    usual, mad = RateGuard(FILE, 2_000_000), RateGuard(FILE, 2_000_000)
    for guard in (usual, mad):
        guard.forget_declared()
    assert run(usual, steady(60), steady(60), until_s=20) == 20
    assert run(mad, steady(900), steady(900), until_s=20) < 2


def test_a_group_that_suddenly_brings_more_is_no_runaway() -> None:
    step = runaway(1, at=10, to_mbps=80)
    assert run(RateGuard(GROUP, None), step, step, until_s=20) == 20


def test_only_a_source_without_a_declared_rate_needs_its_input_each_time() -> None:
    assert (RateGuard(GROUP, None).needs_input, RateGuard(FILE, 8_000_000).needs_input) == (True, False)


def test_a_worker_that_begins_again_from_zero_is_no_runaway() -> None:
    guard = RateGuard(FILE, 8_000_000)
    guard.check(0.0, output_bytes_total=9_000_000, input_bytes_total=9_000_000)
    guard.check(0.2, output_bytes_total=0, input_bytes_total=0)
    guard.check(0.4, output_bytes_total=200_000, input_bytes_total=200_000)
