"""Line-up tests and rehearsals while the streams do not answer, as after a long pause of the host."""

from __future__ import annotations

from builtins import list as list_of
from pathlib import Path
from typing import Any

from app.domain.errors import StreamsDoNotAnswer
from app.domain.impairment.model import Impairment
from app.domain.lineup.measured import Measured
from app.domain.lineup.plan import NotOurs, Plan
from app.domain.lineup.run import RUNNING, Run, RunState, encode_run
from app.domain.rehearsal.plan import RehearsalPlan
from app.domain.rehearsal.run import UNDER_WAY, Attempt, Rehearsal, RehearsalState, encode_rehearsal
from app.lineup.probe_reports import ProbeReports
from app.lineup.receivers import Installations
from app.lineup.runner import LineUpRunner
from app.rehearsal.runner import RehearsalRunner
from tests.instruments.waiting import wait_for

RUN_ID = "20261124-190000-abcd"


class SilentStreams:
    """A stream manager that does not answer."""

    def list(self) -> list_of[Any]:
        return []

    def events(self, **_: Any) -> list_of[Any]:
        raise StreamsDoNotAnswer("the streams do not answer")

    def history(self, key: str, seconds: int) -> list_of[Any]:
        raise StreamsDoNotAnswer("the streams do not answer")

    deliveries = history


def test_a_line_up_test_ends_and_notes_that_the_streams_did_not_answer(tmp_path: Path) -> None:
    plan = Plan(stream="abc234", receiver=NotOurs(), duration_s=60)
    run = Run(RUN_ID, plan, RunState.PERFORMANCE, 1000.0, performance_at=1000.0, measured=Measured())
    (tmp_path / f"line_up-{run.id}.json").write_bytes(encode_run(run))
    streams: Any = SilentStreams()
    rehearsals: Any = None
    runner = LineUpRunner(Installations(streams, (), ProbeReports(tmp_path)), rehearsals, tmp_path, hostname="here")
    wait_for(lambda: runner.get(RUN_ID).state not in RUNNING, deadline_s=20, what="the end of the line-up test")
    runner.close()
    over = runner.get(RUN_ID)
    assert over.state is RunState.DONE
    assert [event.text for event in over.events] == ["the streams do not answer"]


def test_a_rehearsal_ends_although_the_streams_did_not_answer(tmp_path: Path) -> None:
    plan = RehearsalPlan(stream="abc234", impairment=Impairment(), latencies_ms=(120,), duration_s=60)
    run = Rehearsal(
        RUN_ID, plan, RehearsalState.MEASURING, 1000.0, (Attempt(120, "a", "b", "c"),), measured_from=1000.0
    )
    (tmp_path / f"rehearsal-{run.id}.json").write_bytes(encode_rehearsal(run))
    streams: Any = SilentStreams()
    runner = RehearsalRunner(streams, tmp_path)
    wait_for(lambda: runner.get(RUN_ID).state not in UNDER_WAY, deadline_s=20, what="the end of the rehearsal")
    runner.close()
    assert runner.get(RUN_ID).state is RehearsalState.DONE
