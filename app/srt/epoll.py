"""Waits for many SRT sockets at once, and for descriptors of the system such as an eventfd."""

from __future__ import annotations

import ctypes
from ctypes import c_int, c_int32
from enum import IntFlag
from typing import Final, Self

from app.srt.binding import ErrorCode, library
from app.srt.sockets import SrtSocket

_EVENTS_AT_ONCE: Final = 128
_ENABLE_EMPTY: Final = 1


class Event(IntFlag):
    """SRT_EPOLL_OPT: a waiting caller or data, room to send or an answered call, a connection that ended."""

    IN = 0x1
    OUT = 0x4
    ERROR = 0x8
    EDGE = 1 << 31


class _ReadyEvent(ctypes.Structure):
    _fields_ = (("fd", c_int32), ("events", c_int))


class Epoll:
    """A set of SRT sockets. `with Epoll() as epoll:` releases it at the end.

    `ready` is for SRT sockets alone. libsrt's wait sleeps in slices of 10 ms, which costs 100 wake-ups a second: an
    engine that wakes by its own timer therefore calls `ready(0)`.
    """

    def __init__(self) -> None:
        srt = library()
        self._srt = srt
        self._id = srt.checked(srt.c.srt_epoll_create())
        srt.checked(srt.c.srt_epoll_set(self._id, _ENABLE_EMPTY))
        self._found = (_ReadyEvent * _EVENTS_AT_ONCE)()
        self._wait, self._found_at = srt.c.srt_epoll_uwait, ctypes.addressof(self._found)

    def add(self, sock: SrtSocket, events: Event) -> None:
        """Watch a socket."""
        self._srt.checked(self._srt.c.srt_epoll_add_usock(self._id, sock.number, ctypes.byref(_mask(events))))

    def change(self, sock: SrtSocket, events: Event) -> None:
        """Watch it for other events."""
        self._srt.checked(self._srt.c.srt_epoll_update_usock(self._id, sock.number, ctypes.byref(_mask(events))))

    def remove(self, sock: SrtSocket) -> None:
        """Stop watching it. It may already be closed."""
        self._srt.c.srt_epoll_remove_usock(self._id, sock.number)

    def ready(self, timeout_ms: int = 0) -> list[tuple[SrtSocket, Event]]:
        """Return the sockets with an event; wait up to `timeout_ms` (-1: without end) for the first."""
        found = self._wait(self._id, self._found_at, _EVENTS_AT_ONCE, timeout_ms)
        if not found:
            return []
        if found < 0:
            if (error := self._srt.last_error()).code == ErrorCode.TIMED_OUT:
                return []
            raise error
        return [(SrtSocket(event.fd), Event(event.events)) for event in self._found[: min(found, _EVENTS_AT_ONCE)]]

    def is_any_ready(self) -> bool:
        """Whether a socket has an event, without waiting."""
        return bool(self._wait(self._id, self._found_at, _EVENTS_AT_ONCE, 0) > 0)

    def close(self) -> None:
        """Release the set; the sockets stay."""
        self._srt.c.srt_epoll_release(self._id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class EpollWithFds(Epoll):
    """SRT sockets to receive from or accept on, together with descriptors such as an eventfd that ends the wait."""

    def add_fd(self, fd: int) -> None:
        """Watch a descriptor until it can be read."""
        self._srt.checked(self._srt.c.srt_epoll_add_ssock(self._id, fd, ctypes.byref(c_int(Event.IN))))

    def readable(self, timeout_ms: int = -1) -> tuple[list[SrtSocket], list[int]]:
        """Return the readable or ended sockets and descriptors; wait up to `timeout_ms` (-1: without end)."""
        sockets, fds = (c_int32 * _EVENTS_AT_ONCE)(), (c_int * _EVENTS_AT_ONCE)()
        sockets_found, fds_found = c_int(_EVENTS_AT_ONCE), c_int(_EVENTS_AT_ONCE)
        count = (ctypes.byref(sockets_found), ctypes.byref(fds_found))
        done = self._srt.c.srt_epoll_wait(
            self._id, sockets, count[0], None, None, timeout_ms, fds, count[1], None, None
        )
        if done < 0:
            if (error := self._srt.last_error()).code == ErrorCode.TIMED_OUT:
                return [], []
            raise error
        return [SrtSocket(n) for n in sockets[: sockets_found.value]], list(fds[: fds_found.value])


def _mask(events: Event) -> c_int:
    return c_int(events.value - (1 << 32) if events.value >= 1 << 31 else events.value)
