"""The margin test of a line-up from made-up seconds: which link, which latencies, and what follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain.errors import InvalidInput, LimitReached, NotFound
from app.domain.impairment.my_link import profile_of
from app.domain.lineup.conclusion import Conclusion, Verdict, conclude
from app.domain.lineup.line_link import link_of_run
from app.domain.lineup.lines import Line
from app.domain.lineup.margin import Margin, TriedLatency, margin_latencies
from app.domain.lineup.measured import CheckVerdict, IndicatorSeconds, Measured, ReceiverSecond, SenderSecond
from app.domain.lineup.plan import LocalReceiver, Plan, parse_plan
from app.domain.lineup.run import RUNNING, Run, RunState, decode_run, encode_run
from app.domain.rehearsal.plan import RehearsalPlan
from app.domain.rehearsal.run import Attempt, Rehearsal, RehearsalState
from app.domain.rehearsal.tally import LatencyVerdict, Tally
from app.lineup.margin import begin_margin, read_margin
from app.lineup.probe_reports import ProbeReports
from app.lineup.receivers import Installations
from app.lineup.runner import LineUpRunner
from tests.instruments.waiting import wait_for

PLAN = Plan(stream="abc234", receiver=LocalReceiver("def567"), duration_s=60, margin=True, margin_s=30)
WHOLE = Tally(seconds=30, packets_unique=22_800, relayed=23_000)
HELD, FAILED, UNCLEAR = LatencyVerdict.HELD, LatencyVerdict.FAILED, LatencyVerdict.UNCLEAR


def measured(**more: Any) -> Measured:
    """Sixty clean seconds of 760 packets, 40 of them resent, at an RTT of 20 ms and a latency of 250 ms."""
    whole = Measured(
        sender=tuple(SenderSecond(1000.0 + at, 760, 40, peers=1, rtt_ms=20.0) for at in range(1, 61)),
        receiver=tuple(
            ReceiverSecond(1000.0 + at, 760, latency_ms=250, headroom_ms=200, rtt_ms=20.0) for at in range(1, 61)
        ),
        indicators=(IndicatorSeconds("pat_error_2", 1, 0), IndicatorSeconds("pts_error", 2, 0)),
    )
    return msgspec.structs.replace(whole, **more)


def run_of(seconds: Measured) -> Run:
    return Run("20261124-190000-abcd", PLAN, RunState.MARGIN, 1000.0, performance_at=1000.0, measured=seconds)


def tried(**verdicts: LatencyVerdict) -> Margin:
    """Return a margin at a line of 250 ms, with verdicts such as `at_125`."""
    each = tuple(TriedLatency(int(name.removeprefix("at_")), verdict) for name, verdict in verdicts.items())
    return Margin(250, "The line showed RTT 20.0 ms", "r-1", tried=each)


def line_of(conclusion: Conclusion) -> Line:
    return next(each for each in conclusion.lines if each.name == "margin_latency_ms")


class Rehearsals:
    """Rehearsals that begin, or that refuse with the error that they were made with."""

    def __init__(self, now: Rehearsal | None = None, refusal: LimitReached | None = None) -> None:
        self.plans: list[RehearsalPlan] = []
        self._now = now
        self._refusal = refusal

    def start(self, plan: RehearsalPlan, *, actor: str) -> Rehearsal:
        if self._refusal is not None:
            raise self._refusal
        self.plans.append(plan)
        return Rehearsal("r-1", plan, RehearsalState.STARTING, 0.0, (), actor=actor)

    def get(self, run_id: str) -> Rehearsal:
        if self._now is None:
            raise NotFound(f"there is no rehearsal {run_id}")
        return self._now

    def cancel(self, run_id: str) -> Rehearsal:
        return self.get(run_id)


def rehearsal(state: RehearsalState, **tallies: Tally) -> Rehearsal:
    plan = msgspec.convert({"stream": "abc234", "impairment": {}, "duration_s": 30}, RehearsalPlan)
    attempts = tuple(Attempt(int(name.removeprefix("at_")), tally=tally) for name, tally in tallies.items())
    over = None if state is RehearsalState.MEASURING else 2030.0
    return Rehearsal("r-1", plan, state, 1990.0, attempts, measured_from=2000.0, finished_at=over)


def test_the_latencies_are_shares_of_the_lines_within_what_a_stream_may_have() -> None:
    assert margin_latencies(250) == (125, 250, 375, 500)
    assert margin_latencies(20) == (20, 30, 40)
    assert margin_latencies(8000) == (4000, 8000)


def test_the_link_of_a_run_has_its_rtt_loss_and_longest_gap_once_in_the_time_of_the_margin() -> None:
    seconds = measured()
    frozen = msgspec.structs.replace(seconds.receiver[9], frozen_ms=120.0)
    link = link_of_run(msgspec.structs.replace(seconds, receiver=(frozen, *seconds.receiver)), within_s=30)
    assert link is not None
    assert (link.rtt_p50_ms, link.loss_percent, link.longest_gap_ms, link.seconds) == (20.0, 5.0, 120.0, 30.0)
    way = profile_of(link, times=2).to_target
    assert way is not None
    assert way.outage is not None
    assert (way.loss_percent, way.delay_ms, way.outage.for_ms, way.outage.every_s) == (10.0, 10.0, 240.0, 30.0)
    assert link_of_run(Measured(), within_s=30) is None


@pytest.mark.parametrize(
    ("margin", "lowest", "holds"),
    [
        (tried(at_125=HELD, at_250=HELD, at_375=HELD, at_500=HELD), 125, True),
        (tried(at_125=FAILED, at_250=HELD, at_375=UNCLEAR, at_500=HELD), 250, True),
        (tried(at_125=FAILED, at_250=FAILED, at_375=HELD, at_500=HELD), 375, False),
        (tried(at_125=HELD, at_250=FAILED, at_375=FAILED, at_500=FAILED), None, False),
        (tried(at_125=HELD, at_250=HELD, at_375=FAILED, at_500=HELD), 500, False),
        (tried(at_125=FAILED, at_250=UNCLEAR, at_375=HELD, at_500=HELD), 375, None),
        (tried(at_125=UNCLEAR, at_250=UNCLEAR, at_375=UNCLEAR, at_500=UNCLEAR), None, None),
    ],
)
def test_the_lowest_latency_that_held_decides(margin: Margin, lowest: int | None, holds: bool | None) -> None:
    assert (margin.lowest_held(), margin.holds()) == (lowest, holds)


def test_a_margin_that_holds_passes_and_one_that_breaks_is_a_remark_with_the_latency_that_held() -> None:
    good = conclude(PLAN, measured(margin=tried(at_125=HELD, at_250=HELD)))
    line = line_of(good)
    assert good.verdict is Verdict.PASS
    assert (line.got, line.limit, line.margin, line.verdict) == (125, 250, 125, CheckVerdict.PASS)
    assert line.note.startswith("Holds at the latency of the line, 250 ms. The line showed RTT 20.0 ms")

    small = conclude(PLAN, measured(margin=tried(at_125=FAILED, at_250=FAILED, at_375=HELD)))
    line = line_of(small)
    assert (small.verdict, small.headline) == (Verdict.REMARKS, "Check: Latency for the link × 2 (375 ms, limit 250).")
    assert (line.got, line.limit, line.margin, line.verdict) == (375, 250, -125, CheckVerdict.REMARK)
    assert "Tried: 125 ms failed, 250 ms failed, 375 ms held." in line.note


def test_a_margin_that_cannot_be_judged_is_not_tested_and_changes_no_verdict() -> None:
    for margin in (tried(at_250=UNCLEAR, at_375=HELD), Margin(problem="The margin was not tested: this host is busy.")):
        conclusion = conclude(PLAN, measured(margin=margin))
        assert conclusion.verdict is Verdict.PASS
        assert line_of(conclusion).verdict is CheckVerdict.SKIPPED
        assert "busy" in line_of(conclusion).note
    assert not any(line.name == "margin_latency_ms" for line in conclude(PLAN, measured(margin=Margin(250))).lines)


def test_the_rehearsal_is_of_the_stream_at_the_lines_latency_by_the_limits_of_the_plan() -> None:
    rehearsals = Rehearsals()
    margin = begin_margin(run_of(measured()), None, rehearsals)  # type: ignore[arg-type] # the receiver knows it all
    (plan,) = rehearsals.plans
    assert (margin.latency_ms, margin.rehearsal, margin.is_over()) == (250, "r-1", False)
    assert (plan.stream, plan.latencies_ms, plan.duration_s) == ("abc234", (125, 250, 375, 500), 30)
    assert plan.output_gap_max_ms == PLAN.limits.output_gap_max_ms == 40
    assert plan.impairment.to_target is not None
    assert plan.impairment.to_target.loss_percent == 10.0


def test_what_cannot_be_started_or_measured_says_why() -> None:
    busy = Rehearsals(refusal=LimitReached("a rehearsal is running; wait for it or cancel it"))
    refused = begin_margin(run_of(measured()), None, busy)  # type: ignore[arg-type]
    assert refused.problem == "The margin was not tested: a rehearsal is running; wait for it or cancel it."
    assert "no RTT" in begin_margin(run_of(Measured()), None, busy).problem  # type: ignore[arg-type]
    began = Margin(250, rehearsal="r-1")
    assert "there is no rehearsal r-1" in read_margin(began, Rehearsals()).problem
    cancelled = read_margin(began, Rehearsals(rehearsal(RehearsalState.CANCELLED)))
    assert cancelled.problem == "The margin was not tested. It was cancelled."


def test_the_margin_ends_with_the_verdict_of_each_latency_and_why_it_failed() -> None:
    began = Margin(250, rehearsal="r-1")
    goes_on = read_margin(began, Rehearsals(rehearsal(RehearsalState.MEASURING, at_250=WHOLE)))
    assert (goes_on.ends_at, goes_on.is_over()) == (2030.0, False)
    lossy = msgspec.structs.replace(WHOLE, packets_lost=7)
    over = read_margin(began, Rehearsals(rehearsal(RehearsalState.DONE, at_125=lossy, at_250=WHOLE)))
    assert [(each.latency_ms, each.verdict) for each in over.tried] == [(125, FAILED), (250, HELD)]
    assert over.tried[0].reasons == ("7 packets were lost for good.",)
    assert (over.lowest_held(), over.holds()) == (250, True)


def test_a_run_in_its_margin_test_shows_that_tests_progress_and_survives_its_json() -> None:
    run = run_of(measured(margin=Margin(250, rehearsal="r-1", ends_at=2030.0)))
    assert (run.part_ends_at(), run.progress(2015.0), run.ends_at()) == (2030.0, 0.5, 1060.0)
    assert decode_run(encode_run(run)) == run
    assert run_of(measured()).progress(2015.0) == 0.0


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"stream": "abc", "margin": "yes"}, "margin"),
        ({"stream": "abc", "margin": True, "margin_s": 9}, "margin_s"),
        ({"receiver": {"kind": "local", "key": "abc"}, "margin": True}, "margin"),
    ],
)
def test_a_margin_that_cannot_be_asked_for_is_refused_by_field(document: object, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_plan(document)
    assert field in caught.value.fields


class Kept(Rehearsals):
    """A rehearsal that measures until it is cancelled."""

    def cancel(self, run_id: str) -> Rehearsal:
        self._now = rehearsal(RehearsalState.CANCELLED)
        return self._now


def resumed(folder: Path, rehearsals: Rehearsals) -> tuple[LineUpRunner, str]:
    """Return the line-up tests of a program that ended during a margin test and starts again."""
    run = run_of(measured(margin=Margin(250, rehearsal="r-1")))
    (folder / f"line_up-{run.id}.json").write_bytes(encode_run(run))
    known = Installations(None, (), ProbeReports(folder))  # type: ignore[arg-type] # the line is not read again
    return LineUpRunner(known, rehearsals, folder, hostname="here"), run.id


def wait_until_over(runner: LineUpRunner, run_id: str) -> Run:
    wait_for(lambda: runner.get(run_id).state not in RUNNING, deadline_s=20, what="the end of the line-up test")
    runner.close()
    return runner.get(run_id)


def test_a_restart_during_the_margin_test_goes_on_with_the_same_rehearsal(tmp_path: Path) -> None:
    done = rehearsal(RehearsalState.DONE, at_125=WHOLE, at_250=WHOLE)
    run = wait_until_over(*resumed(tmp_path, Rehearsals(done)))
    assert run.conclusion is not None
    assert (run.state, run.finished_at, line_of(run.conclusion).got) == (RunState.DONE, 1060.0, 125)
    assert decode_run((tmp_path / f"line_up-{run.id}.json").read_bytes()) == run


def test_a_cancelled_margin_test_leaves_the_verdict_of_the_line(tmp_path: Path) -> None:
    runner, run_id = resumed(tmp_path, Kept(rehearsal(RehearsalState.MEASURING)))
    runner.cancel(run_id)
    run = wait_until_over(runner, run_id)
    assert run.conclusion is not None
    assert (run.state, run.conclusion.verdict) == (RunState.DONE, Verdict.PASS)
    assert line_of(run.conclusion).note == "The margin was not tested. It was cancelled."
