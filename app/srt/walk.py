"""Finds the SRT sockets of a process that made them through another library, such as GStreamer's srtsink.

Socket numbers count down from a random start. SocketWalk therefore takes a number before the pipeline starts and checks
the numbers below it.
"""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import Final, Protocol

from app.srt.binding import library
from app.srt.sockets import State

_EMPTY_IDS_AFTER_LAST: Final = 64
_LOOK_EVERY_S: Final = 0.9
_NONEXIST: Final = int(State.NONEXIST)


class Sockets(Protocol):
    """The sockets of a process by their numbers."""

    def take_id(self) -> int:
        """A number above those of all sockets that will be made."""

    def exists(self, number: int) -> bool:
        """Whether a socket has the number."""

    def state(self, number: int) -> State:
        """Return the state of the socket with that number, NONEXIST without one."""


class ProcessSockets:
    """The sockets of this process."""

    def __init__(self) -> None:
        self._srt = library()
        self._state_of = self._srt.state_of

    def take_id(self) -> int:
        """Create and close a socket, and return its number: the next sockets have numbers below it."""
        number = self._srt.checked(self._srt.c.srt_create_socket())
        self._srt.c.srt_close(number)
        return number

    def exists(self, number: int) -> bool:
        """Whether a socket has the number. It is called hundreds of times a second, so it makes the C call directly."""
        return self._state_of(number) != _NONEXIST

    def state(self, number: int) -> State:
        """Return the socket's state."""
        return State(self._state_of(number))


class SocketWalk:
    """Finds the process's SRT sockets from their numbers. Make it before the pipeline starts."""

    def __init__(self, lib: Sockets) -> None:
        self._lib = lib
        self.first_id = lib.take_id() - 1
        self._next = self.first_id
        self._unseen_attempts = 0
        self._live: set[int] = set()
        self._called_at = self._looked_at = -inf

    def sockets(self, attempts: int = 0) -> dict[int, State]:
        """Return the present sockets.

        `attempts` is the number of calls since the last walk, each of which took a number.

        New sockets are searched while there are none, for a while after each call (its socket appears only after it was
        admitted), and otherwise about once a second: each search checks 64 numbers.
        """
        self._unseen_attempts += attempts
        now = monotonic()
        if attempts:
            self._called_at = now
        is_due = now - self._looked_at >= _LOOK_EVERY_S
        if is_due or now - self._called_at < _LOOK_EVERY_S or not self._live:
            self._looked_at = now
            self._look_for_new()
        return self.known()

    def _look_for_new(self) -> None:
        empty = 0
        candidate = self._next
        while empty < _EMPTY_IDS_AFTER_LAST + self._unseen_attempts and candidate > 0:
            if self._lib.exists(candidate):
                empty = self._unseen_attempts = 0
                self._live.add(candidate)
                self._next = candidate - 1
            else:
                empty += 1
            candidate -= 1

    def known(self) -> dict[int, State]:
        """Return the sockets of the last walk that still exist."""
        states = {socket: self._lib.state(socket) for socket in self._live}
        present: dict[int, State] = {socket: state for socket, state in states.items() if state is not State.NONEXIST}
        self._live = set(present)
        return present
