"""The door of a listener: it accepts callers, and reports each refused caller with the reason.

libsrt asks about a caller in its own thread, before it checks the passphrase. If the check then refuses the caller, its
socket ends. Only libsrt's log has the reason, in the line after the query.
"""

from __future__ import annotations

import re
import threading
import time
from typing import Final

from app.domain.constants import LATENCY_MS_HIGHEST
from app.domain.endings import CannotSend
from app.domain.events import NoticeCode, PeerChange
from app.domain.spec import ListenerEndpoint, SendSpec
from app.domain.status import Reason
from app.engines.direct.door import BACKLOG, Standing
from app.engines.direct.options import make_socket, reason_of_error
from app.engines.direct.receiver import Receiver
from app.machine.steady_clock import unix_now
from app.protocol import Job, Notice, Notify, PeerEvent
from app.srt.addresses import host_of
from app.srt.admission import BOGUS_ACK, Admission, DenialReport
from app.srt.binding import SrtError
from app.srt.log import LogLevel, hear_log
from app.srt.options import Option
from app.srt.rejections import Reject, reason_of_rejection
from app.srt.sockets import ENDED, Call, SrtSocket

_REJECTED: Final = re.compile(r"processConnectRequest: rsp\(REJECT\): (\d+)")
_UNDECIDED_S: Final = 5.0
_CHECK_EVERY_US: Final = 1_000_000


class ListenerDoor:
    """A Door that listens for callers."""

    def __init__(self, job: Job, spec: SendSpec, endpoint: ListenerEndpoint, notify: Notify) -> None:
        """Make the socket. Raises CannotSend."""
        self._port = endpoint.port
        self._is_waiting = spec.begins_with_receiver
        self._notify = notify
        self._standing = Standing(notify)
        self._lock = threading.Lock()  # guards data that libsrt's threads share with the sender's thread
        self._admission = Admission(job.receivers_max)
        self._denials = DenialReport()
        self._pending: dict[int, tuple[float, Call]] = {}
        self._latest: Call | None = None
        self._codes: dict[int, int] = {}
        self._bogus: list[tuple[int, str]] = []
        self._checked_us = 0
        self._latency_max_ms = max(LATENCY_MS_HIGHEST, spec.latency_ms)
        hear_log(self._on_log, LogLevel.WARNING)
        self._bind_address = job.bind_address
        self.main = make_socket(job, spec)

    def open(self) -> None:
        """Bind the port and listen. Raises CannotSend."""
        try:
            self.main.bind(self._bind_address, self._port)
            self.main.on_call(self._on_call)
            self.main.listen(BACKLOG)
        except SrtError as error:
            raise CannotSend(reason_of_error(error), f"cannot listen on port {self._port}: {error.text}") from None
        self._standing.watch_for_callers(self.main)

    def is_waiting(self) -> bool:
        """Whether a file that is played once waits for its first receiver. Other sources play without receivers."""
        return self._is_waiting

    def receivers(self) -> tuple[Receiver, ...]:
        """The connected receivers."""
        return self._standing.all

    def lose(self, receiver: Receiver, reason: Reason | None = None) -> None:
        """Close a connection and report that it left."""
        self._standing.lose(receiver, reason)

    def serve(self, now_us: int) -> None:
        """Accept waiting callers, remove receivers that left, and report refused callers."""
        if self._standing.serve():
            while (sock := self.main.accept()) is not None:
                self._let_in(sock)
            self._is_waiting = self._is_waiting and not self._standing.all
        if self._pending:
            self._settle()
        if self._bogus:
            self._punish()
        if now_us - self._checked_us >= _CHECK_EVERY_US:
            self._checked_us = now_us
            self._check(now_us)

    def _on_call(self, call: Call) -> int:
        """Decide about a caller. Runs in libsrt's thread."""
        now, host = time.monotonic(), host_of(call.address)
        with self._lock:
            standing = len(self._standing.all) + len(self._pending)
            denial = self._admission.decide(host, standing, now)
            if denial is None:
                self._pending[call.number] = (now, call)
                self._latest = call
                return 0
            self._latest = None
            is_reported = self._denials.is_reported(host, denial, now)
        if is_reported:
            self._notify(
                PeerEvent(unix_now(), PeerChange.REFUSED, call.address, Reason.CONNECTION_REJECTED, call.stream_id)
            )
        return Reject.OVERLOAD

    def _on_log(self, text: str) -> None:
        """Read the reason of a refusal, or a sign of an attack, from a log line. Runs in libsrt's thread."""
        if (match := _REJECTED.search(text)) is not None:
            with self._lock:
                if self._latest is not None and self._latest.number in self._pending:
                    self._codes[self._latest.number] = int(match[1])
                self._latest = None
        elif (match := BOGUS_ACK.search(text)) is not None:
            self._ban(int(match[1]))

    def _ban(self, number: int) -> None:
        """Refuse the host of a connection from now on. libsrt itself ends the connection, often before `serve`."""
        receiver = self._standing.of(number)
        with self._lock:
            _, call = self._pending.get(number, (0.0, None))
            address = receiver.agreed.address if receiver else call.address if call else ""
            if address:
                self._admission.ban(host_of(address), time.monotonic())
                self._bogus.append((number, host_of(address)))

    def _let_in(self, sock: SrtSocket) -> None:
        with self._lock:
            _, call = self._pending.pop(sock.number, (0.0, None))
        address = (call.address if call else sock.peer_address()) or ""
        latency_ms = sock.option(Option.PEERLATENCY) or 0
        if latency_ms > self._latency_max_ms:
            sock.close()
            stream_id = call.stream_id if call else ""
            self._notify(PeerEvent(unix_now(), PeerChange.REFUSED, address, Reason.CONNECTION_REJECTED, stream_id))
            return
        self._standing.add(sock, address)

    def _settle(self) -> None:
        """Report callers that were refused after libsrt had asked about them."""
        now, refused = time.monotonic(), list[tuple[Call, int | None]]()
        with self._lock:
            for number, (at, call) in list(self._pending.items()):
                if SrtSocket(number).state() in ENDED or now - at > _UNDECIDED_S:
                    del self._pending[number]
                    refused.append((call, self._codes.pop(number, None)))
        for call, code in refused:
            reason = None if code is None else reason_of_rejection(code)
            self._notify(PeerEvent(unix_now(), PeerChange.REFUSED, call.address, reason, call.stream_id))

    def _punish(self) -> None:
        """Disconnect a caller that acknowledges unsent packets: each such packet holds up libsrt's receiving thread."""
        with self._lock:
            banned, self._bogus = self._bogus, []
        for number, host in banned:
            if (receiver := self._standing.of(number)) is not None:
                self._standing.lose(receiver, Reason.CONNECTION_REJECTED)
            text = f"{host} acknowledged packets that were never sent; its calls are refused for one hour"
            self._notify(Notice(unix_now(), NoticeCode.CALLERS_LIMITED, text))

    def _check(self, now_us: int) -> None:
        """Once a second, remove receivers that acknowledge nothing or too much, and report the summary of denials."""
        for receiver in self._standing.all:
            if receiver.acknowledges_unsent():
                self._ban(receiver.socket.number)
            elif receiver.has_gone_silent(now_us):
                self._standing.lose(receiver, Reason.NO_ACKNOWLEDGEMENT)
        with self._lock:
            summary = self._denials.summary(time.monotonic())
        if summary is not None:
            self._notify(Notice(unix_now(), NoticeCode.CALLERS_LIMITED, summary))

    def close(self) -> None:
        """Stop listening and close all connections."""
        self._standing.close()
        self.main.close()
