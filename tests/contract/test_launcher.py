"""What the supervisor may expect of a launcher: that of this host, with pretended workers, and the tests' own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.spec import BarsSource
from app.protocol import Job
from app.supervisor.launchers.base import Launcher, WorkerHandle, wait_dead
from app.supervisor.launchers.local import LocalLauncher
from tests.instruments.pretended_launcher import PretendedLauncher
from tests.instruments.waiting import free_port, wait_for
from tests.instruments.worker import FAKE, job_for


@pytest.fixture(params=["pretended", "local"])
def launcher(request: pytest.FixtureRequest) -> Iterator[Launcher]:
    if request.param == "pretended":
        yield PretendedLauncher()
        return
    folder = Path(tempfile.mkdtemp(prefix="mcr-"))
    made = LocalLauncher(folder, command=FAKE)
    yield made
    left_over = made.keys()
    for key in left_over:
        if (left := made.adopt(key)) is not None:
            left.kill()
            wait_dead([left], 10)
    shutil.rmtree(folder)


@pytest.fixture
def job() -> Job:
    return job_for(BarsSource(), port=free_port())


def connected(worker: WorkerHandle) -> None:
    """Wait until the worker serves."""
    made = wait_for(worker.connect, deadline_s=20, what="a link to the worker")
    assert made is not None
    made.close()


def test_a_launched_worker_lives_and_serves(launcher: Launcher, job: Job) -> None:
    worker = launcher.launch(job)
    assert worker.pid > 0
    assert worker.is_alive()
    connected(worker)
    assert worker.can_be_heard()
    assert worker.last_word() is None


def test_a_worker_that_lives_is_known_by_its_key_and_can_be_adopted(launcher: Launcher, job: Job) -> None:
    worker = launcher.launch(job)
    connected(worker)
    assert launcher.keys() == [job.key]
    adopted = launcher.adopt(job.key)
    assert adopted is not None
    assert adopted.pid == worker.pid


def test_a_killed_worker_is_dead_and_its_end_has_a_reason(launcher: Launcher, job: Job) -> None:
    worker = launcher.launch(job)
    connected(worker)
    worker.kill()
    assert wait_dead([worker], 10) == []
    assert worker.end().reason is not None
    launcher.discard(job.key)
    assert launcher.adopt(job.key) is None
    assert launcher.keys() == []


def test_a_worker_leaves_when_asked_by_a_signal(launcher: Launcher, job: Job) -> None:
    worker = launcher.launch(job)
    connected(worker)
    worker.terminate()
    assert wait_dead([worker], 10) == []


def test_an_announced_worker_is_known_until_its_order_is_acknowledged(launcher: Launcher) -> None:
    assert not launcher.is_announced("abcdef")
    launcher.announce("abcdef")
    assert launcher.is_announced("abcdef")
    assert not launcher.is_announced("others")
    launcher.acknowledge("abcdef")
    assert not launcher.is_announced("abcdef")


def test_nothing_is_known_of_a_worker_that_never_was(launcher: Launcher) -> None:
    assert launcher.adopt("abcdef") is None
    assert launcher.last_word("abcdef") is None
    assert launcher.problem() is None
    launcher.discard("abcdef")
