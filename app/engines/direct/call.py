"""The door of a caller: it makes one call and has at most one receiver."""

from __future__ import annotations

import socket
import time
from typing import Final

from app.domain.constants import CONNECT_TIMEOUT_MS
from app.domain.endings import CannotSend, Finished
from app.domain.spec import CallerEndpoint, HostPort, SendSpec
from app.domain.status import Reason
from app.engines.direct.door import Standing
from app.engines.direct.options import make_socket, reason_of_error
from app.engines.direct.receiver import Receiver
from app.protocol import Job, Notify
from app.srt.binding import SrtError
from app.srt.log import LogLevel, hear_log
from app.srt.rejections import reason_of_rejection, text_of_rejection
from app.srt.sockets import ENDED, State

_CALL_DEADLINE_S: Final = CONNECT_TIMEOUT_MS / 1000 + 1.0


class CallDoor:
    """A Door that calls the far end."""

    def __init__(self, job: Job, spec: SendSpec, endpoint: CallerEndpoint, notify: Notify) -> None:
        """Make the socket. Raises CannotSend."""
        self._endpoint = endpoint
        self._standing = Standing(notify)
        self._calling_until: float | None = None
        hear_log(lambda _text: None, LogLevel.ERROR)
        self.main = make_socket(job, spec)

    def open(self) -> None:
        """Start the call. Raises CannotSend."""
        address = _resolved(self._endpoint)
        try:
            self.main.connect(address, self._endpoint.port)
        except SrtError as error:
            raise CannotSend(reason_of_error(error), f"cannot call {address}: {error.text}") from None
        self._calling_until = time.monotonic() + _CALL_DEADLINE_S

    def is_waiting(self) -> bool:
        """Whether the call is still unanswered."""
        return self._calling_until is not None

    def receivers(self) -> tuple[Receiver, ...]:
        """The far end, once it has answered."""
        return self._standing.all

    def lose(self, receiver: Receiver, reason: Reason | None = None) -> None:
        """Close the connection and report that it is gone."""
        self._standing.lose(receiver, reason)

    def serve(self, now_us: int) -> None:
        """Follow the call or the connection. Raises Finished when it was refused or lost."""
        if self._calling_until is not None:
            self._follow_call(self._calling_until)
            return
        self._standing.serve()
        if not self._standing.all:
            raise Finished(Reason.CONNECTION_LOST, "the connection was broken")

    def _follow_call(self, deadline: float) -> None:
        state = self.main.state()
        if state is State.CONNECTED:
            self._calling_until = None
            # libsrt 1.5.1 reports no peer address for a socket that called.
            self._standing.add(self.main, str(HostPort(self._endpoint.host, self._endpoint.port)))
        elif state in ENDED:
            code = self.main.reject_code()
            raise Finished(reason_of_rejection(code), text_of_rejection(code))
        elif time.monotonic() > deadline:
            raise Finished(Reason.CONNECTION_TIMEOUT, "no answer to the call")

    def close(self) -> None:
        """Close the connection, or cancel the call."""
        self._standing.close()
        self.main.close()


def _resolved(endpoint: CallerEndpoint) -> str:
    """Return a numeric address of the host, IPv4 if there is one. Raises CannotSend."""
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise CannotSend(Reason.HOST_NOT_FOUND, f"cannot find {endpoint.host}: {error.strerror}") from None
    return str(min(found, key=lambda it: it[0] != socket.AF_INET)[4][0])
