"""The list of network tests: a test that has ended is still there after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app import network_test
from app.domain.network_order import NetworkTestOrder
from app.machine.atomic_file import write_atomically
from app.network.findings import Findings
from app.network.measure import Measurer
from app.network_test import NetworkTester, TestState
from tests.instruments.waiting import wait_for

NO_SERVERS: Any = None  # a manual test asks for none


class Measured(Measurer):
    """A measurer that has measured already."""

    def __init__(self) -> None:
        """Without tools."""

    def measure(self, *_: Any, **__: Any) -> Findings:
        return Findings(problems=("nothing was measured",))


def test_a_test_is_shown_as_ended_only_once_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tests.json"
    tester = NetworkTester(Measured(), NO_SERVERS, history_file=file)
    write, shown = write_atomically, list[TestState]()

    def slow_disk(path: Path, body: bytes) -> None:
        shown.extend(test.state for test in tester.list())
        write(path, body)

    monkeypatch.setattr(network_test, "write_atomically", slow_disk)
    record = tester.start(NetworkTestOrder(mode="manual", host="192.0.2.1", bitrate_mbps=8.0))
    wait_for(lambda: tester.get(record.id).state is TestState.PARTIAL, deadline_s=10, what="the end of the test")
    assert shown == [TestState.RUNNING]
    assert NetworkTester(Measured(), NO_SERVERS, history_file=file).get(record.id) == tester.get(record.id)
