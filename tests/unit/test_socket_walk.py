"""Finding SRT sockets by their ids: soon after a call, within a second in any case, and with few calls of libsrt."""

from __future__ import annotations

import pytest

from app.srt import walk as walk_module
from app.srt.sockets import State
from app.srt.walk import SocketWalk

FIRST = 1_000_000


class FakeLibSrt:
    """Sockets that are created and closed; counts the calls that ask for an ID."""

    def __init__(self) -> None:
        self.states: dict[int, State] = {}
        self.asked = 0

    def take_id(self) -> int:
        """Return the next socket ID above the first one of the stream."""
        return FIRST + 1

    def exists(self, socket: int) -> bool:
        """Whether the socket exists."""
        self.asked += 1
        return socket in self.states

    def state(self, socket: int) -> State:
        """Return the state of the socket."""
        return self.states.get(socket, State.NONEXIST)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the walk sees, in its only element."""
    now = [100.0]
    monkeypatch.setattr(walk_module, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def lib() -> FakeLibSrt:
    """A library whose listener is there."""
    made = FakeLibSrt()
    made.states[FIRST] = State.LISTENING
    return made


@pytest.fixture
def walk(lib: FakeLibSrt, clock: list[float]) -> SocketWalk:
    """A walk that has found the listener."""
    made = SocketWalk(lib)
    assert made.sockets() == {FIRST: State.LISTENING}
    return made


def test_a_socket_that_was_made_late_is_found_at_the_next_turn_while_there_is_none(clock: list[float]) -> None:
    lib = FakeLibSrt()
    walk = SocketWalk(lib)
    assert walk.sockets() == {}
    lib.states[FIRST] = State.CONNECTING
    assert walk.sockets() == {FIRST: State.CONNECTING}


def test_nothing_is_looked_for_within_a_second_when_nobody_called(
    walk: SocketWalk, lib: FakeLibSrt, clock: list[float]
) -> None:
    asked = lib.asked
    for _ in range(4):
        clock[0] += 0.2
        assert walk.sockets() == {FIRST: State.LISTENING}
    assert lib.asked == asked


def test_a_socket_that_nobody_told_of_is_found_within_a_second(
    walk: SocketWalk, lib: FakeLibSrt, clock: list[float]
) -> None:
    lib.states[FIRST - 1] = State.CONNECTED
    clock[0] += 1.0
    assert FIRST - 1 in walk.sockets()


@pytest.mark.parametrize("let_in_after_s", [0.0, 0.2, 0.8])
def test_a_caller_is_found_at_the_turn_after_it_was_let_in(
    let_in_after_s: float, walk: SocketWalk, lib: FakeLibSrt, clock: list[float]
) -> None:
    clock[0] += 0.1
    walk.sockets(attempts=1)
    clock[0] += let_in_after_s
    lib.states[FIRST - 1] = State.CONNECTED
    assert FIRST - 1 in walk.sockets()


def test_a_caller_behind_a_hundred_refused_ones_is_found(walk: SocketWalk, lib: FakeLibSrt, clock: list[float]) -> None:
    walk.sockets(attempts=100)
    lib.states[FIRST - 101] = State.CONNECTED
    assert FIRST - 101 in walk.sockets(attempts=1)


def test_a_socket_that_is_gone_leaves_the_list_at_once(walk: SocketWalk, lib: FakeLibSrt, clock: list[float]) -> None:
    walk.sockets(attempts=1)
    lib.states[FIRST - 1] = State.CONNECTED
    walk.sockets()
    del lib.states[FIRST - 1]
    assert walk.sockets() == {FIRST: State.LISTENING}
