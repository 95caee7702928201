"""The supervisor's thread: callers get a result, an error, or an answer in time that there is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.domain.errors import StreamsDoNotAnswer
from app.supervisor.thread import SupervisorThread
from tests.instruments.waiting import wait_for


class NoTurns:
    """Has nothing to do in a turn."""

    def tick(self, now: float, late_s: float) -> None:
        pass

    def follow_ready(self, keys: set[str], now: float) -> None:
        pass


@pytest.fixture
def thread() -> Iterator[SupervisorThread]:
    made = SupervisorThread(NoTurns(), time.monotonic, answer_within_s=0.2)
    made.start()
    yield made
    made.end()


def test_work_that_was_given_up_before_it_began_is_not_carried_out_later(thread: SupervisorThread) -> None:
    begun, go_on, done = threading.Event(), threading.Event(), list[str]()

    def block() -> None:
        begun.set()
        go_on.wait()

    blocking = threading.Thread(target=lambda: _give_up_on(thread, block))
    blocking.start()
    begun.wait(10)
    with pytest.raises(StreamsDoNotAnswer, match="try again"):
        thread.ask(lambda: done.append("order"))
    go_on.set()
    blocking.join()

    def is_answered() -> bool:
        try:
            thread.ask(lambda: done.append("later"))
        except StreamsDoNotAnswer:  # a busy machine
            return False
        return True

    wait_for(is_answered, deadline_s=10, what="an answer")
    assert set(done) == {"later"}


def test_a_time_limit_of_the_work_itself_is_the_error_of_the_work(thread: SupervisorThread) -> None:
    def work() -> None:
        raise TimeoutError("a socket")

    with pytest.raises(TimeoutError, match="a socket"):
        thread.ask(work)


def _give_up_on(thread: SupervisorThread, work: Callable[[], None]) -> None:
    with pytest.raises(StreamsDoNotAnswer):
        thread.ask(work)
