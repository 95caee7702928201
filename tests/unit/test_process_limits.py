"""Limits and folders of the web process: open files, core files, accepting connections, one instance."""

from __future__ import annotations

import errno
import logging
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.machine.instance import AlreadyRunning, sole_instance
from app.machine.udp_ports import bound_ports, is_bound
from app.web.acceptor import pause_when_refused
from tests.instruments.waiting import free_port


def test_the_process_raises_its_file_limit_and_leaves_no_core() -> None:
    code = (
        "import resource as r\nr.setrlimit(r.RLIMIT_NOFILE, (64, 900))\n"
        "from app.machine.limits import limit_process\nlimit_process()\n"
        "print(r.getrlimit(r.RLIMIT_NOFILE), r.getrlimit(r.RLIMIT_CORE))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert answer.stdout.strip() == "(900, 900) (0, 0)"
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] != 900


class Listener:
    """The part of Waitress's listening socket that its loop uses."""

    def __init__(self) -> None:
        self.refuses = True
        self.asked = 0

    def accept_connections(self) -> None:
        """Marks it as a listener."""

    def accept(self) -> str:
        self.asked += 1
        if self.refuses:
            raise OSError(errno.EMFILE, "Too many open files")
        return "a connection"

    def readable(self) -> bool:
        return True


def test_accepting_pauses_when_it_is_refused_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    listener = Listener()
    pause_when_refused(listener)
    with caplog.at_level(logging.ERROR):
        for _ in range(100):
            if listener.readable():
                assert listener.accept() is None
            now += 0.1
    assert 5 < listener.asked < 15
    assert len(caplog.records) == 1
    listener.refuses = False
    now += 1.1
    assert listener.readable()
    assert listener.accept() == "a connection"
    assert listener.readable()


def test_two_processes_with_one_data_folder_are_one_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.machine.instance._WAIT_S", 0.1)
    for name in ("run", "other run", "data", "other data"):
        (tmp_path / name).mkdir()
    with sole_instance(tmp_path / "run", tmp_path / "data"):
        for runtime, data in (("run", "other data"), ("other run", "data")):
            with pytest.raises(AlreadyRunning), sole_instance(tmp_path / runtime, tmp_path / data):
                pass
        with sole_instance(tmp_path / "other run", tmp_path / "other data"):
            pass
    with sole_instance(tmp_path / "other run", tmp_path / "data"):
        pass


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "::"])
def test_a_taken_port_is_seen_without_binding_it(address: str) -> None:
    port = free_port()
    assert not is_bound(port)
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as taken:
        if ":" in address:
            taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        taken.bind((address, port))
        assert is_bound(port)
        assert port in bound_ports()
    assert not is_bound(port)
