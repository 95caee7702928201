"""An SRT caller (HSv5) that builds each datagram itself. It can send wrong or no acknowledgements, unlike libsrt.

It makes the handshake of draft-sharabayko-srt-01, section 4.3, and then sends the packets that the test orders. It has
no key, so an encrypted listener must refuse it.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from typing import Final, Literal, Self

from tests.instruments.srt_header import HEADER_BYTES, Control, read_header

_CONTROL: Final = 0x8000
_HEADER = struct.Struct(">HHIII")
# Version, encryption, extension, initial sequence number, MTU, flow window, type, socket, cookie, address.
_HANDSHAKE = struct.Struct(">IHHIIIIII16s")
_LATENCIES = struct.Struct(">HHIIHH")  # extension HSREQ, 3 words: version, flags, receiver's and sender's latency
_INDUCTION, _CONCLUSION = 1, 0xFFFFFFFF
_REJECTED_FROM, _REJECTED_TO = 1000, 3000
_LIBSRT: Final = 0x010501
_FLAGS: Final = 0xBF  # TSBPD both ways, encryption, too-late packet drop, NAK reports, retransmit flag, filter
_LOOPBACK: Final = bytes((1, 0, 0, 127)) + bytes(12)
_WORD: Final = 1 << 32
_SEQUENCE_NUMBERS: Final = 1 << 31

Answer = Literal["connected", "refused", "none"]


class RawCaller:
    """One call to a listener on this host, from a separate port."""

    def __init__(self, port: int, *, host: str = "127.0.0.1", latency_ms: int = 120) -> None:
        """Bind a free port of `host`, an address of this machine. Nothing is sent yet."""
        self._to = ("127.0.0.1", port)
        self._latency_ms = latency_ms
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._number = int.from_bytes(os.urandom(3), "big") + 1
        self._far_number = 0
        self._started = time.monotonic()
        self.first_sequence = int.from_bytes(os.urandom(3), "big")

    def call(self, *, deadline_s: float = 1.0) -> Answer:
        """Make the handshake and return its result: "none" if there is no final answer within the deadline."""
        ends = time.monotonic() + deadline_s
        cookie = 0
        while (left_s := ends - time.monotonic()) > 0:
            self._send(Control.HANDSHAKE, self._handshake(cookie))
            answer = self._await_handshake(min(left_s, 0.25))
            if answer is None:
                continue
            kind, far_number, far_cookie = answer
            if _REJECTED_FROM <= kind < _REJECTED_TO:
                return "refused"
            if kind == _INDUCTION:
                cookie = far_cookie
            elif kind == _CONCLUSION:
                self._far_number = far_number
                return "connected"
        return "none"

    def knock(self) -> None:
        """Send both handshake packets without waiting for the result. Only the listener spends resources."""
        self._send(Control.HANDSHAKE, self._handshake(0))
        if (answer := self._await_handshake(0.25)) is not None and answer[0] == _INDUCTION:
            self._send(Control.HANDSHAKE, self._handshake(answer[2]))

    def keep_alive(self) -> None:
        """Send a keep-alive packet."""
        self._send(Control.KEEPALIVE, bytes(4))

    def say_goodbye(self) -> None:
        """Close the connection with a shutdown packet."""
        self._send(Control.SHUTDOWN, bytes(4))

    def acknowledge(self, ahead: int, *, is_light: bool = False) -> None:
        """Acknowledge the sequence number that is `ahead` after the first one, whether it was sent or not."""
        sequence = (self.first_sequence + ahead) % _SEQUENCE_NUMBERS
        rest = b"" if is_light else struct.pack(">6I", 20_000, 5_000, 8192, 1000, 10_000, 1_000_000)
        self._send(Control.ACK, struct.pack(">I", sequence) + rest, 0 if is_light else 1)

    def close(self) -> None:
        """Release the port without closing the connection."""
        self._socket.close()

    def _handshake(self, cookie: int) -> bytes:
        body = _HANDSHAKE.pack(
            *(4, 0, 2) if not cookie else (5, 0, 1),
            self.first_sequence,
            *(1500, 8192),
            _CONCLUSION if cookie else _INDUCTION,
            *(self._number, cookie, _LOOPBACK),
        )
        return body + (_LATENCIES.pack(1, 3, _LIBSRT, _FLAGS, self._latency_ms, self._latency_ms) if cookie else b"")

    def _send(self, kind: Control, body: bytes, info: int = 0) -> None:
        passed_us = round((time.monotonic() - self._started) * 1e6) % _WORD
        header = _HEADER.pack(_CONTROL | kind, 0, info, passed_us, self._far_number)
        self._socket.sendto(header + body, self._to)

    def _await_handshake(self, deadline_s: float) -> tuple[int, int, int] | None:
        """Return the type, socket id and cookie of the next handshake, None without one. Drop other packets."""
        ends = time.monotonic() + deadline_s
        while select.select([self._socket], [], [], max(0.0, ends - time.monotonic()))[0]:
            packet = self._socket.recv(2048)
            header = read_header(packet)
            if header is not None and header.control_type == Control.HANDSHAKE:
                *_, kind, number, cookie, _ = _HANDSHAKE.unpack_from(packet, HEADER_BYTES)
                return kind, number, cookie
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
