"""The SRT side of a receive stream: waits for a sender or calls one, and keeps one connection at a time."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Final

from app.domain.constants import CONNECT_TIMEOUT_MS
from app.domain.endings import CannotSend, Finished
from app.domain.events import PeerChange
from app.domain.spec import HostPort, ReceiveSpec
from app.domain.status import Reason
from app.machine.steady_clock import unix_now
from app.protocol import PeerEvent
from app.receiver.callers import Callers
from app.receiver.options import receiver_options, secret_options
from app.srt.binding import ErrorCode, SrtError
from app.srt.epoll import Epoll, Event
from app.srt.messages import Message, MessageReader
from app.srt.options import Option, OptionRefused
from app.srt.rejections import reason_of_rejection
from app.srt.sockets import ENDED, Call, SrtSocket, State

_BACKLOG: Final = 16
_MESSAGES_AT_ONCE: Final = 4096
_CALL_DEADLINE_S: Final = CONNECT_TIMEOUT_MS / 1000 + 1.0


class Connection:
    """An open connection with the results of its handshake."""

    def __init__(self, sock: SrtSocket, call: Call | None, called: str) -> None:
        self.sock = sock
        # libsrt 1.5.1 reports no peer address for a socket that called: it is the one that was called.
        self.address = sock.peer_address() or called
        self.connected_at = unix_now() - sock.connected_s()
        self.latency_ms = sock.option(Option.RCVLATENCY)
        self.peer_version = sock.option(Option.PEERVERSION)
        self.stream_id = call.stream_id if call else ""


class SrtInput:
    """One SRT input, used from one thread: `open`, then `poll` and `read` every few milliseconds, then `close`."""

    def __init__(self, spec: ReceiveSpec, dscp: int, notify: Callable[[PeerEvent], None]) -> None:
        self._spec = spec
        self._dscp = dscp
        self._notify = notify
        self._entry: SrtSocket | None = None
        self._callers: Callers | None = None
        self._epoll: Epoll | None = None
        self._reader = MessageReader()
        self._calling_until = 0.0
        self._called = ""
        self.connection: Connection | None = None

    def open(self) -> None:
        """Bind the port or start the call. Raises CannotSend."""
        self._epoll = Epoll()
        sock = self._entry = SrtSocket.create()
        try:
            sock.set_all(receiver_options(self._spec, dscp=self._dscp))
            sock.set_all(secret_options(self._spec))
            if self._spec.is_call and self._spec.stream_id:
                sock.set(Option.STREAMID, self._spec.stream_id)
        except OptionRefused as refusal:
            raise CannotSend(Reason.BAD_OPTION, str(refusal)) from None
        if (remote := self._spec.endpoint.remote()) is not None:
            self._call(sock, _resolved(remote.host), remote.port)
        else:
            self._listen(sock, self._spec.endpoint.port)

    def _listen(self, sock: SrtSocket, port: int) -> None:
        self._callers = Callers(lambda: self.connection is not None, self._refuse)
        try:
            sock.bind("", port)
            sock.on_call(self._callers.decide)
            sock.listen(_BACKLOG)
        except SrtError as error:
            # libsrt 1.5.1 reports SOCKET_SETUP for a port that another program uses.
            in_use = error.code in (ErrorCode.BIND_CONFLICT, ErrorCode.SOCKET_SETUP)
            raise CannotSend(Reason.PORT_IN_USE if in_use else Reason.ENGINE_ERROR, error.text) from None

    def _call(self, sock: SrtSocket, address: str, port: int) -> None:
        self._calling_until = time.monotonic() + _CALL_DEADLINE_S
        self._called = str(HostPort(address, port))
        try:
            sock.connect(address, port)
        except SrtError as error:
            raise CannotSend(Reason.NETWORK_UNREACHABLE, error.text) from None

    def poll(self) -> bool:
        """Follow callers and the call. Return True if a connection was just made. Raises Finished."""
        if self._callers is not None:
            self._callers.settle()
            if self.connection is not None and self._entry is not None and self._callers.are_pending():
                self._dismiss(self._entry, self._callers)
        if self.connection is not None or self._entry is None:
            return False
        made = self._follow_call(self._entry) if self._spec.is_call else self._accept(self._entry)
        if made is None or self._epoll is None:
            return False
        self._epoll.add(made, Event.IN | Event.ERROR)
        call = self._callers.accepted(made.number) if self._callers is not None else None
        self.connection = Connection(made, call, self._called)
        self._notify(
            PeerEvent(unix_now(), PeerChange.CONNECTED, self.connection.address, None, self.connection.stream_id)
        )
        return True

    def _accept(self, listener: SrtSocket) -> SrtSocket | None:
        sock = listener.accept()
        if sock is not None:
            sock.set(Option.RCVSYN, value=False)
        return sock

    def _dismiss(self, listener: SrtSocket, callers: Callers) -> None:
        """Close the connections of senders that called before the first connection was accepted."""
        while (sock := listener.accept()) is not None:
            call = callers.accepted(sock.number)
            sock.close()
            if call is not None:
                self._refuse(call, Reason.CONNECTION_REJECTED)

    def _follow_call(self, sock: SrtSocket) -> SrtSocket | None:
        state = sock.state()
        if state is State.CONNECTED:
            return sock
        if state in ENDED or time.monotonic() > self._calling_until:
            code = sock.reject_code()
            raise Finished(reason_of_rejection(code) if code else Reason.CONNECTION_TIMEOUT, f"reject reason {code}")
        return None

    def read(self) -> list[Message]:
        """Return what is due at the output now, oldest first. Raises Finished when a call has ended.

        Only packets that libsrt's epoll announces are read: its delivery thread announces packets late that it repaired
        late. A receiver with an event loop, as receivers in this field have, sees exactly that.
        """
        connection = self.connection
        if connection is None or self._epoll is None or not self._epoll.is_any_ready():
            return []
        try:
            messages = self._reader.read(connection.sock.number, _MESSAGES_AT_ONCE)
        except SrtError:
            self._lose(connection)
            return []
        if not messages and connection.sock.state() in ENDED:
            self._lose(connection)
        return messages

    def _lose(self, connection: Connection) -> None:
        if self.connection is None:
            return
        self.connection = None
        if self._epoll is not None:
            self._epoll.remove(connection.sock)
        connection.sock.close()
        self._notify(PeerEvent(unix_now(), PeerChange.DISCONNECTED, connection.address))
        if self._spec.is_call:
            raise Finished(Reason.CONNECTION_LOST, "the sender closed the connection or went silent")

    def _refuse(self, call: Call, reason: Reason | None) -> None:
        self._notify(PeerEvent(unix_now(), PeerChange.REFUSED, call.address, reason, call.stream_id))

    def entry(self) -> SrtSocket | None:
        """The listening or calling socket, which has the options of the stream."""
        return self._entry

    def close(self) -> None:
        """Close everything; may be called twice."""
        for sock in (self.connection.sock if self.connection else None, self._entry):
            if sock is not None:
                sock.close()
        self.connection = self._entry = None
        if self._epoll is not None:
            self._epoll.close()
            self._epoll = None


def _resolved(host: str) -> str:
    """Return the first address of a host. Raises CannotSend."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise CannotSend(Reason.HOST_NOT_FOUND, f"{host}: {error}") from None
    return str(found[0][4][0])
