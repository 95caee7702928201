"""Sends the received transport stream on as UDP or RTP datagrams, one for each SRT payload, evenly spaced.

SRT hands payloads out in groups. They wait here for a twentieth of a second on average and leave one at a time: with
`n` waiting, the next one leaves after the holding time divided by `n`. The spacing therefore follows any bitrate, and a
group is spread over the time until the next group.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from app.domain.figures.outputs import ForwardReport

HOLDING_S: Final = 0.05
# After a network outage, the burst that follows is sent at no more than this many times the usual rate.
_CATCH_UP: Final = 4
_USUAL_OVER_S: Final = 1.0
_WAITING_MAX: Final = 16_384
_STOP_WITHIN_S: Final = 2.0
_RTP_HEADER: Final = struct.Struct(">BBHII")
_RTP_VERSION: Final = 0x80
_RTP_MPEG2_TS: Final = 33  # RFC 3551, table 5
_RTP_CLOCK_HZ: Final = 90_000
_SEND_BUFFER_BYTES: Final = 1024 * 1024


class ForwardPlan(msgspec.Struct, frozen=True):
    """Where to send.

    `address` is a literal IP address; `interface` a name, or `auto` for the one that the routing table selects.
    """

    address: str
    port: int
    protocol: Literal["udp", "rtp"] = "udp"
    interface: str = "auto"
    ttl: int = 1
    dscp: int = 0


class Forwarding:
    """One forwarding. The receiver's thread calls `take`; call `stop` once. Raises OSError for an unknown interface."""

    def __init__(self, plan: ForwardPlan) -> None:
        self._target = (plan.address, plan.port)
        self._socket = open_socket(plan)
        self._rtp = RtpPacker() if plan.protocol == "rtp" else None
        self._condition = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._is_stopping = False
        self._report = ForwardReport()
        self._missing = 0
        self._pacer = Pacer(time.monotonic())
        self._thread = threading.Thread(target=self._run, name="forwarding", daemon=True)
        self._thread.start()

    def take(self, payloads: Sequence[bytes]) -> None:
        """Queue payloads for sending. Payloads that do not fit are left out and counted."""
        with self._condition:
            self._pacer.count(len(payloads), time.monotonic())
            room = _WAITING_MAX - len(self._waiting)
            self._waiting.extend(payloads[:room])
            self._missing += max(0, len(payloads) - room)
            self._condition.notify()

    def report(self) -> ForwardReport:
        """Return the state of the forwarding."""
        with self._condition:
            waiting, missing = len(self._waiting), self._missing
        return msgspec.structs.replace(self._report, waiting=waiting, datagrams_missing=missing)

    def stop(self) -> None:
        """Stop sending at once and close the socket."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify()
        self._thread.join(_STOP_WITHIN_S)
        self._socket.close()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._waiting and not self._is_stopping:
                    self._condition.wait()
                if self._is_stopping:
                    return
                waiting = len(self._waiting)
            delay_s = self._pacer.due(waiting) - time.monotonic()
            if delay_s > 0:
                time.sleep(delay_s)
            self._pacer.sent(waiting, time.monotonic())
            self._send(self._waiting.popleft())

    def _send(self, payload: bytes) -> None:
        datagram = payload if self._rtp is None else self._rtp.pack(payload, time.monotonic())
        report = self._report
        try:
            self._socket.sendto(datagram, self._target)
        except OSError as error:
            with self._condition:
                self._missing += 1
            self._report = msgspec.structs.replace(report, last_error=error.strerror or str(error))
            return
        self._report = msgspec.structs.replace(
            report, datagrams_total=report.datagrams_total + 1, bytes_total=report.bytes_total + len(payload)
        )


class Pacer:
    """Decides when each datagram leaves. Pure; times are seconds of any clock."""

    def __init__(self, now: float) -> None:
        # The usual interval, from the payloads of the last whole second. While it is 0, nothing limits the rate.
        self._usual_s = 0.0
        self._sent_at = self._counted_since = now
        self._counted = 0

    def count(self, payloads: int, now: float) -> None:
        """Note that payloads came in."""
        self._counted += payloads
        passed_s = now - self._counted_since
        if passed_s >= _USUAL_OVER_S:
            self._usual_s = passed_s / max(self._counted, 1)
            self._counted_since, self._counted = now, 0

    def due(self, waiting: int) -> float:
        """Return when the next datagram leaves while `waiting` datagrams are queued."""
        return self._sent_at + self._spacing(waiting)

    def sent(self, waiting: int, now: float) -> None:
        """Note that a datagram left. A late wake-up is compensated by at most one interval, a pause not at all."""
        due = self.due(waiting)
        self._sent_at = now if now - due > HOLDING_S else max(due, now - self._spacing(waiting))

    def _spacing(self, waiting: int) -> float:
        return max(HOLDING_S / max(waiting, 1), self._usual_s / _CATCH_UP)


class RtpPacker:
    """Adds RTP headers (RFC 3550, RFC 2250) to payloads."""

    def __init__(self) -> None:
        self._source, self._start, self._number = struct.unpack(">IIH", os.urandom(10))

    def pack(self, payload: bytes, at: float) -> bytes:
        """Return the payload with a header; `at` is the time of sending, in seconds of any clock."""
        self._number = (self._number + 1) & 0xFFFF
        ticks = (self._start + int(at * _RTP_CLOCK_HZ)) & 0xFFFFFFFF
        return _RTP_HEADER.pack(_RTP_VERSION, _RTP_MPEG2_TS, self._number, ticks, self._source) + payload


def open_socket(plan: ForwardPlan) -> socket.socket:
    """Make a socket that sends as planned. Raises OSError."""
    family = socket.AF_INET6 if ":" in plan.address else socket.AF_INET
    sender = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        index = 0 if plan.interface == "auto" else socket.if_nametoindex(plan.interface)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        if family == socket.AF_INET:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, plan.dscp << 2)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, plan.ttl)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, plan.ttl)
            if index:
                chosen = struct.pack("4s4si", b"", b"", index)
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, chosen)
        else:
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, plan.dscp << 2)
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, plan.ttl)
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, plan.ttl)
            if index:
                sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    except OSError:
        sender.close()
        raise
    return sender
