"""The supervisor's end of a worker's link: lines whole or broken, and workers that hang, flood or never end a line."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from app import protocol
from app.domain.status import Phase, Reason
from app.machine.lines import LineReader, LineTooLong
from app.protocol import Ready
from app.supervisor.worker_link import TURN_BYTES_MAX, LinkAbused, NotUnderstood, WorkerLink
from tests.instruments.pretended_launcher import PretendedWorker, Stage

LINE = protocol.encode(Ready())


class Talker(PretendedWorker):
    """A worker whose far end has a large buffer, so that a test can say much at once."""

    def connect(self) -> socket.socket | None:
        near = super().connect()
        for end in (near, self._far):
            assert end is not None
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        return near

    def pour(self, data: bytes) -> int:
        """Send as much of it as goes."""
        assert self._far is not None
        try:
            return self._far.send(data)
        except BlockingIOError:
            return 0


@pytest.fixture
def talker() -> Iterator[Talker]:
    made = Talker(1)
    yield made
    made.hang_up()


def open_link(talker: Talker) -> WorkerLink:
    link = WorkerLink()
    link.open(talker)
    return link


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_are_the_same_however_they_are_cut(size: int) -> None:
    data = b"first\nsecond\n\nthird\nrest"
    reader = LineReader(100)
    found = [line for start in range(0, len(data), size) for line in reader.feed(data[start : start + size])]
    assert found == [b"first", b"second", b"", b"third"]
    assert reader.feed(b" of it\n") == [b"rest of it"]


@pytest.mark.parametrize("data", [b"x" * 101, b"x" * 101 + b"\n", b"ok\n" + b"x" * 101, b"x" * 101 + b"\nok\n"])
def test_a_line_that_is_too_long_is_refused_whether_it_ends_or_not(data: bytes) -> None:
    with pytest.raises(LineTooLong):
        LineReader(100).feed(data)


def test_what_is_not_understood_takes_the_place_of_its_line(talker: Talker) -> None:
    link = open_link(talker)
    talker.pour(b"{}\n" + LINE)
    stranger, known = link.read(0.0)
    assert isinstance(stranger, NotUnderstood)
    assert known == Ready()


def test_one_turn_reads_a_megabyte_and_a_little_at_most(talker: Talker) -> None:
    link = open_link(talker)
    line = json.dumps({"type": "notice", "at": 1.0, "code": "engine_warning", "text": "x" * 60_000}).encode() + b"\n"
    sent = sum(talker.pour(line) for _ in range(60))
    assert sent > 2 * TURN_BYTES_MAX
    taken = sum(len(protocol.encode(message)) for message in link.read(0.0) if not isinstance(message, NotUnderstood))
    assert TURN_BYTES_MAX // 2 < taken < 2 * TURN_BYTES_MAX


def test_a_line_without_end_is_abuse(talker: Talker) -> None:
    link = open_link(talker)

    def endless() -> None:
        for second in range(100):
            talker.pour(b"x" * TURN_BYTES_MAX)
            link.read(float(second))

    with pytest.raises(LinkAbused, match="line"):
        endless()


def test_a_flood_is_abuse_and_the_most_that_a_healthy_worker_says_is_none(talker: Talker) -> None:
    link = open_link(talker)
    line = LINE * 2000
    for second in range(60):  # some 400 kB a second: samples of hundreds of receivers
        for _ in range(9):
            talker.pour(line)
        link.read(float(second))

    def flood() -> None:
        for turn in range(10_000):
            while talker.pour(line):
                pass
            link.read(60.0 + turn / 1000)

    with pytest.raises(LinkAbused, match="sent too much"):
        flood()


@pytest.mark.parametrize("endless", [b"x" * 65536, LINE * 3000], ids=["a line without end", "a flood"])
def test_a_mad_worker_costs_its_own_stream(endless: bytes) -> None:
    stage = Stage()
    stage.order_start()
    stage.come_up()
    assert stage.worker._far is not None
    stage.worker._far.setblocking(False)
    for _ in range(20_000):
        if not stage.worker.is_alive():
            break
        try:
            stage.worker._far.send(endless)
        except BlockingIOError:
            stage.stream.read(stage.now)
        except OSError:
            break
    stage.pass_time(0.1)
    assert (stage.stream.status.phase, stage.stream.status.reason) == (Phase.BACKING_OFF, Reason.WORKER_HUNG)
    assert stage.worker.signals == ["KILL"]
    assert "worker" in stage.stream.snapshot(stage.now).detail


def test_the_silence_of_a_worker_that_cannot_be_reached_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    stage.order_start()
    stage.worker.serves = False
    monkeypatch.setattr(stage.worker, "can_be_heard", lambda: False)
    stage.stream.link.close()
    stage.pass_time(60, step_s=1)
    assert stage.worker.signals == []
    assert [text for text in stage.stream.snapshot(stage.now).notices if "worker's socket is gone" in text]
    stage.stream.stop(stage.now, "operator")
    stage.pass_time(3)
    assert stage.worker.signals[0] == "TERM"


def test_a_connection_that_does_not_take_a_whole_order_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = socket.socketpair()
    near.setblocking(False)
    link = WorkerLink()
    link.connection = near
    monkeypatch.setattr(protocol, "encode", lambda _: b"x" * 10_000_000)
    with far:
        link.say(protocol.Reset())
        assert far.recv(1) == b"x"
        assert link.connection is None
