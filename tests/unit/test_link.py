"""The worker's end of the socket: it serves every client, and no client can block it."""

from __future__ import annotations

import selectors
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import protocol
from app.domain.events import NoticeCode
from app.protocol import Debug, FromWorker, Notice, Ready, Report, Stop, ToWorker
from app.worker.link import WorkerLink


class Served:
    """A link, the selector that drives it, and what it was ordered."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.orders: list[ToWorker] = []
        self.selector = selectors.DefaultSelector()
        self.link = WorkerLink(path, self.selector, greeting=lambda: [Ready()], on_order=self.orders.append)

    def turn(self, times: int = 3) -> None:
        """Let the link do what is due, without waiting."""
        for _ in range(times):
            for key, _ in self.selector.select(0):
                key.data()

    def connect(self) -> socket.socket:
        """Return a listener whose reads do not block."""
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.connect(str(self.path))
        made.setblocking(False)
        self.turn()
        return made


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A link on air."""
    made = Served(tmp_path / "worker.sock")
    yield made
    made.link.close()
    made.selector.close()


def heard_by(listener: socket.socket) -> list[FromWorker]:
    """Return the messages that wait for a listener."""
    data = b""
    try:
        while part := listener.recv(1 << 20):
            data += part
    except BlockingIOError:
        pass
    return [protocol.decode_from_worker(line) for line in data.splitlines()]


def notice(text: str) -> Notice:
    """Return an event."""
    return Notice(0.0, NoticeCode.ENGINE_WARNING, text)


def test_everyone_is_greeted_and_hears_what_is_said(served: Served) -> None:
    with served.connect() as one, served.connect() as two:
        served.link.say(notice("a"))
        assert heard_by(one) == heard_by(two) == [Ready(), notice("a")]


def test_events_without_a_listener_are_kept_for_the_next_one_only(served: Served) -> None:
    served.link.say(notice("a"))
    served.link.say(notice("b"))
    with served.connect() as one, served.connect() as two:
        assert heard_by(one) == [Ready(), notice("a"), notice("b")]
        assert heard_by(two) == [Ready()]


def test_what_is_not_worth_keeping_is_not_kept(served: Served) -> None:
    served.link.say(Debug({}), keep=False)
    with served.connect() as listener:
        assert heard_by(listener) == [Ready()]


def test_of_a_flood_of_events_without_a_listener_the_last_are_kept(served: Served) -> None:
    for number in range(2_000):
        served.link.say(notice(str(number)))
    with served.connect() as listener:
        served.turn(20)
        kept = heard_by(listener)[1:]
    assert 100 <= len(kept) <= 1_000
    assert kept[-1] == notice("1999")


def test_orders_are_taken_in_order_however_they_are_cut(served: Served) -> None:
    with served.connect() as manager:
        data = protocol.encode(Report()) + protocol.encode(Report()) + protocol.encode(Stop())
        for at in range(0, len(data), 5):
            manager.send(data[at : at + 5])
            served.turn()
    assert served.orders == [Report(), Report(), Stop()]


def test_a_line_that_is_no_order_is_passed_over(served: Served) -> None:
    with served.connect() as manager:
        manager.send(b"\n{}\nnonsense\n" + protocol.encode(Stop()))
        served.turn()
    assert served.orders == [Stop()]


def test_one_who_reads_slowly_gets_everything_once(served: Served) -> None:
    with served.connect() as listener:
        said = [notice(f"{number} {'x' * 20_000}") for number in range(100)]
        for message in said:
            served.link.say(message)
        heard = b""
        while heard.count(b"\n") < len(said) + 1:
            heard += listener.recv(1 << 16)
            served.turn()
    assert [protocol.decode_from_worker(line) for line in heard.splitlines()] == [Ready(), *said]


def test_one_who_never_reads_is_dropped_when_too_much_waits_and_the_others_hear_all(served: Served) -> None:
    with served.connect() as sleeper, served.connect() as listener:
        said = [notice(f"{number} {'x' * 100_000}") for number in range(120)]
        heard = []
        for message in said:
            served.link.say(message)
            heard += heard_by(listener)
        assert heard == [Ready(), *said]
        sleeper.setblocking(True)
        sleeper.settimeout(5)
        received = 0
        while part := sleeper.recv(1 << 20):  # ends, because it was hung up on
            received += len(part)
        assert received < 2_000_000


def test_one_who_leaves_is_forgotten(served: Served) -> None:
    served.connect().close()
    served.turn()
    served.link.say(notice("a"))
    with served.connect() as listener:
        assert heard_by(listener) == [Ready(), notice("a")]


def test_the_socket_is_for_its_own_user_and_gone_after_the_end(tmp_path: Path) -> None:
    path = tmp_path / "worker.sock"
    path.write_text("left by a worker that crashed")
    made = Served(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    listener = made.connect()
    made.link.say(notice("last word"))
    made.link.close()
    assert heard_by(listener)[-1] == notice("last word")
    listener.close()
    made.selector.close()
    assert not path.exists()


def test_a_socket_that_was_removed_is_made_again_and_another_worker_s_is_left_alone(served: Served) -> None:
    early = served.connect()
    served.link.serve_again()
    served.path.unlink()
    served.path.parent.rmdir()
    served.link.serve_again()
    late = served.connect()
    served.link.say(Notice(1.0, NoticeCode.ENGINE_WARNING, "to both"))
    assert [type(heard) for heard in heard_by(early)] == [Ready, Notice]
    assert [type(heard) for heard in heard_by(late)] == [Ready, Notice]
    served.path.unlink()
    served.path.write_text("another worker's")
    served.link.serve_again()
    assert served.path.read_text() == "another worker's"
