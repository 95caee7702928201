"""Workers as processes of this host: found, adopted and launched whatever happens to the runtime folder."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.snapshot import Snapshot
from app.domain.spec import BarsSource
from app.domain.status import Phase, Reason
from app.supervisor.launchers.base import NoRuntime
from app.supervisor.launchers.local import LocalLauncher
from app.supervisor.launchers.local_worker import ChildWorker
from app.supervisor.launchers.own_workers import own_workers
from tests.instruments.child import is_alive
from tests.instruments.manager import OwnManager
from tests.instruments.waiting import wait_for
from tests.instruments.worker import FAKE, job_for

PREVIOUS = (
    "import socket, sys, time\ns = socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen(1)\ntime.sleep(60)"
)


@pytest.fixture
def own() -> Iterator[OwnManager]:
    """A manager with pretended workers and room for three streams."""
    with OwnManager(command=FAKE) as made:
        yield made


def on_air(own: OwnManager, number: int = 0) -> Snapshot:
    started = own.manager.start(own.spec(port=own.ports[number], source=BarsSource()))
    return own.wait(started.key, lambda seen: seen.status.phase is Phase.WAITING and seen.worker_pid)


@pytest.fixture
def previous(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that looks like a worker of the previous version, with its socket in a folder of the test."""
    module = tmp_path / "old" / "app" / "engine" / "worker.py"
    module.parent.mkdir(parents=True)
    module.write_text(PREVIOUS)
    folder = tmp_path / "run"
    folder.mkdir()
    argv = [sys.executable, "-S", "-m", "app.engine.worker", str(folder / "abcdef.sock")]
    with subprocess.Popen(argv, cwd=tmp_path / "old", env={**os.environ, "PYTHONPATH": str(tmp_path / "old")}) as made:
        wait_for((folder / "abcdef.sock").exists, deadline_s=10, what="the socket of the worker")
        yield made
        made.kill()


def test_a_worker_of_the_previous_version_is_found_without_its_socket(
    previous: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.rmtree(folder)
    folder.mkdir()
    assert (previous.pid, folder / "abcdef.sock") in own_workers()
    launcher = LocalLauncher(folder)
    assert launcher.keys() == ["abcdef"]
    found = launcher.adopt("abcdef")
    assert found is not None
    assert (found.pid, found.is_alive(), found.connect(), found.can_be_heard()) == (previous.pid, True, None, False)
    found.terminate()
    assert previous.wait(5) == -signal.SIGTERM
    assert not found.is_alive()


def test_a_worker_is_found_in_another_runtime_folder_by_its_key(
    previous: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    launcher = LocalLauncher(elsewhere)
    assert launcher.keys() == []  # what lies elsewhere is not ours to judge, unless the store knows its key
    found = launcher.adopt("abcdef")
    assert found is not None
    connection = found.connect()
    assert connection is not None
    connection.close()


def test_a_worker_whose_backlog_is_full_holds_nobody_up(previous: subprocess.Popen[bytes], tmp_path: Path) -> None:
    waiting = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(8)]
    for each in waiting:
        each.setblocking(False)
        each.connect_ex(str(tmp_path / "run" / "abcdef.sock"))
    found = LocalLauncher(tmp_path / "run").adopt("abcdef")
    assert found is not None
    assert (found.pid, found.connect(), found.can_be_heard()) == (previous.pid, None, True)
    for each in waiting:
        each.close()


def test_processes_that_are_no_workers_are_not_found() -> None:
    assert os.getpid() not in {worker.pid for worker in own_workers()}


def test_the_socket_of_another_user_is_not_adopted(
    previous: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert LocalLauncher(tmp_path / "run").adopt("abcdef") is None


def test_streams_are_controlled_though_the_runtime_folder_was_removed(own: OwnManager) -> None:
    first, second = on_air(own), on_air(own, 1)
    shutil.rmtree(own.settings.runtime_folder)
    third = on_air(own, 2)
    assert third.status.reason is None
    assert own.manager.runtime_problem() is None
    own.manager.restart(first.key)
    own.wait(first.key, lambda seen: seen.status.phase is Phase.WAITING and seen.worker_pid != first.worker_pid)
    own.manager.detach()
    own.manager = own.new_manager()
    own.wait(second.key, lambda seen: seen.worker_pid == second.worker_pid and seen.sample is not None)
    own.manager.stop(second.key)
    assert second.worker_pid is not None
    pid = second.worker_pid
    assert pid is not None
    wait_for(lambda: not is_alive(pid), deadline_s=5, what="the end of the worker")


def test_a_runtime_folder_that_cannot_be_made_is_the_reason_and_is_tried_again(own: OwnManager) -> None:
    folder = own.settings.runtime_folder
    stream = on_air(own)
    own.manager.stop(stream.key)
    shutil.rmtree(folder)
    folder.write_text("in the way")
    assert "File exists" in (own.manager.runtime_problem() or "")
    again = own.manager.restart(stream.key)
    assert (again.status.phase, again.status.reason) == (Phase.BACKING_OFF, Reason.NO_RUNTIME)
    assert str(folder) in again.detail
    folder.unlink()
    own.wait(stream.key, lambda seen: seen.status.phase is Phase.WAITING)
    assert own.manager.runtime_problem() is None


def test_a_file_system_without_inodes_is_no_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = LocalLauncher(tmp_path)
    really = os.open

    def refuse(path: object, *rest: int) -> int:
        if str(path).endswith(".log"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return really(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(NoRuntime, match="No space left"):
        launcher.launch(job_for(BarsSource(), port=1))


def test_a_worker_that_cannot_make_its_socket_says_so(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)  # the name of a Unix socket has 108 bytes at most
    folder.mkdir()
    worker = LocalLauncher(folder, command=FAKE).launch(job_for(BarsSource(), port=1))
    wait_for(lambda: not worker.is_alive(), deadline_s=10, what="the end of the worker")
    assert worker.end().reason is Reason.NO_RUNTIME


@pytest.mark.parametrize(("number", "name"), [(signal.SIGKILL, "SIGKILL"), (signal.SIGRTMIN + 5, "39")])
def test_the_signal_that_ended_a_worker_is_named(tmp_path: Path, number: int, name: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdin=subprocess.PIPE)
    worker = ChildWorker(child, tmp_path / "abcdef.sock")
    child.send_signal(number)
    wait_for(lambda: not worker.is_alive(), deadline_s=10, what="the end of the worker")
    assert worker.end().detail == f"signal {name}"
