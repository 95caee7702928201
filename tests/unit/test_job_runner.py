"""Jobs in the background: one at a time, in order, dropped at the end; one that fails does not stop the next."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from app.jobs.runner import JobRunner
from tests.instruments.waiting import wait_for


@pytest.fixture
def jobs() -> Iterator[JobRunner]:
    made = JobRunner("test")
    yield made
    made.close(10)


def test_jobs_run_one_at_a_time_in_the_order_asked(jobs: JobRunner) -> None:
    running, most, seen = 0, 0, []

    def job(number: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        seen.append(number)
        running -= 1

    for number in range(50):
        jobs.submit(lambda number=number: job(number))  # type: ignore[misc]
    wait_for(jobs.is_idle, deadline_s=10, what="the end of the jobs")
    assert seen == list(range(50))
    assert most == 1


def test_nothing_waits_for_a_job_that_hangs_but_the_jobs_behind_it(jobs: JobRunner) -> None:
    may_end, begun = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        may_end.wait(10)

    jobs.submit(hang)
    assert begun.wait(10)
    jobs.submit(lambda: None)
    assert jobs.waiting() == 1
    assert not jobs.is_idle()
    may_end.set()
    wait_for(jobs.is_idle, deadline_s=10, what="the end of the jobs")


def test_closing_forgets_what_waits_and_waits_for_what_runs(jobs: JobRunner) -> None:
    may_end, begun = threading.Event(), threading.Event()
    seen: list[str] = []

    def hang() -> None:
        begun.set()
        may_end.wait(10)
        seen.append("first")

    jobs.submit(hang)
    jobs.submit(lambda: seen.append("second"))
    assert begun.wait(10)
    threading.Timer(0.05, may_end.set).start()
    jobs.close(10)
    jobs.submit(lambda: seen.append("third"))
    assert seen == ["first"]


def test_a_job_that_fails_does_not_stop_the_next(jobs: JobRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    done, may_fail = threading.Event(), threading.Event()
    raised: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda failed: raised.append(str(failed.exc_value)))

    def fail() -> None:
        may_fail.wait(10)
        raise ValueError("of this job")

    jobs.submit(fail)
    jobs.submit(done.set)
    may_fail.set()
    assert done.wait(10)
    wait_for(lambda: raised == ["of this job"], deadline_s=10, what="the error")
