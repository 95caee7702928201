"""The connections of a sender: arrivals, departures and refusals. Listeners and callers have a door each."""

from __future__ import annotations

import threading
from typing import Final, Protocol

from app.domain.events import PeerChange
from app.domain.status import Reason
from app.engines.direct.receiver import Receiver
from app.machine.steady_clock import unix_now
from app.protocol import Notify, PeerEvent
from app.srt.binding import time_now_us
from app.srt.epoll import Epoll, Event
from app.srt.peer_figures import read_agreed
from app.srt.sockets import ENDED, SrtSocket


class Door(Protocol):
    """The interface to the far ends. `serve` and `open` are called by the sender's thread and at the worker's start."""

    main: SrtSocket

    def open(self) -> None:
        """Bind or call. Raises CannotSend."""

    def serve(self, now_us: int) -> None:
        """Accept waiting callers and remove those that left. Raises Finished when that ends the stream."""

    def is_waiting(self) -> bool:
        """Whether nothing may be sent yet, because a call is not answered or the first receiver has not called."""

    def receivers(self) -> tuple[Receiver, ...]:
        """The connected receivers, oldest first; safe in any thread."""

    def lose(self, receiver: Receiver, reason: Reason | None = None) -> None:
        """Close a receiver's connection and report that it left."""

    def close(self) -> None:
        """Close everything."""


class Standing:
    """The connected receivers of a stream, used by both doors."""

    def __init__(self, notify: Notify) -> None:
        self._notify = notify
        self._lock = threading.Lock()
        self._by_number: dict[int, Receiver] = {}
        self.all: tuple[Receiver, ...] = ()  # the connected ones, oldest first; read in any thread
        self._count = 0
        self._epoll = Epoll()

    def add(self, sock: SrtSocket, address: str) -> Receiver:
        """Add a connection that was just made, and report it."""
        agreed = read_agreed(sock, address, unix_now())
        with self._lock:
            self._count += 1
            receiver = Receiver(sock, self._count, agreed, time_now_us())
            self._by_number[sock.number] = receiver
            self.all = tuple(self._by_number.values())
        self._epoll.add(sock, Event.ERROR)
        self._notify(PeerEvent(unix_now(), PeerChange.CONNECTED, address, None, agreed.stream_id))
        return receiver

    def lose(self, receiver: Receiver, reason: Reason | None = None) -> None:
        """Close a connection and report that it left; a connection that has already left is not reported again."""
        with self._lock:
            known = self._by_number.pop(receiver.socket.number, None)
            self.all = tuple(self._by_number.values())
        if known is None:
            return
        self._epoll.remove(receiver.socket)
        receiver.socket.close()
        self._notify(PeerEvent(unix_now(), PeerChange.DISCONNECTED, receiver.agreed.address, reason))

    def watch_for_callers(self, sock: SrtSocket) -> None:
        """Make `serve` report when a caller waits at a listening socket."""
        self._epoll.add(sock, Event.IN | Event.ERROR)

    def serve(self) -> bool:
        """Remove connections that have ended. Return whether something else happened, such as a new caller."""
        if not (ready := self._epoll.ready()):
            return False
        has_more = False
        for sock, _ in ready:
            receiver = self.of(sock.number)
            if receiver is None:
                has_more = True
            elif sock.state() in ENDED:
                self.lose(receiver)
        return has_more

    def of(self, number: int) -> Receiver | None:
        """Return the receiver with that socket number, None without one."""
        with self._lock:
            return self._by_number.get(number)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            leaving, self._by_number, self.all = self.all, {}, ()
        for receiver in leaving:
            receiver.socket.close()
        self._epoll.close()


BACKLOG: Final = 64
