"""How a supervised stream stops: asked, terminated, killed; and what a start during that does."""

from __future__ import annotations

import pytest

from app.domain.status import Phase, Reason
from app.protocol import Stop
from tests.instruments.pretended_launcher import Stage, phase


@pytest.fixture
def stage() -> Stage:
    """A stream that was ordered to run, its worker launched."""
    made = Stage()
    made.order_start()
    return made


def test_a_stop_asks_then_terminates_then_kills(stage: Stage) -> None:
    stage.worker.obeys = {"KILL"}
    stage.come_up()
    stage.stream.stop(stage.now, "operator")
    assert phase(stage) == (Phase.STOPPING, None)
    assert stage.worker.orders() == [Stop()]
    stage.pass_time(1.8)
    assert stage.worker.signals == []
    stage.pass_time(0.5)
    assert set(stage.worker.signals) == {"TERM"}
    assert stage.worker.is_alive()
    stage.pass_time(2)
    assert stage.worker.signals[-1] == "KILL"
    assert phase(stage) == (Phase.STOPPED, None)


def test_a_worker_that_obeys_is_not_signalled(stage: Stage) -> None:
    stage.come_up()
    stage.stream.stop(stage.now, "operator")
    stage.end_worker(None)
    assert phase(stage) == (Phase.STOPPED, None)
    assert stage.worker.signals == []
    assert stage.launcher.discarded[-1] == "test"


def test_a_stop_before_the_worker_listens_reaches_it_when_it_does(stage: Stage) -> None:
    stage.worker.serves = False
    stage.stream.link.connection = None
    stage.stream.stop(stage.now, "operator")
    stage.worker.serves = True
    stage.pass_time(0.1)
    stage.worker.say(stage.hello())
    stage.pass_time(0.1)
    assert stage.worker.orders() == [Stop()]


def test_a_start_during_a_stop_waits_for_the_old_worker_to_leave(stage: Stage) -> None:
    stage.come_up()
    stage.stream.stop(stage.now, "operator")
    stage.stream.start(stage.now, "operator")
    stage.pass_time(0.3)
    assert len(stage.launcher.workers) == 1
    stage.end_worker(None)
    stage.pass_time(0.3)
    assert len(stage.launcher.workers) == 2
    stage.come_up()
    assert phase(stage) == (Phase.WAITING, None)


def test_a_stop_while_backing_off_is_the_end_of_retries(stage: Stage) -> None:
    stage.come_up()
    stage.end_worker(Reason.CONNECTION_LOST)
    stage.stream.stop(stage.now, "operator")
    stage.pass_time(100, step_s=1)
    assert phase(stage)[0] is Phase.STOPPED
    assert len(stage.launcher.workers) == 1
