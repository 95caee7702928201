"""Forwards the datagrams of one SRT caller to two listeners. Receivers that count correctly then count the same.

With two connections, each has a separate handshake. At a latency close to the RTT, the handshake decides which
retransmissions are in time, so the losses differ. Here both listeners receive the same datagrams at the same time.
Only the answers of the first listener reach the caller. The handshake with the second listener is completed with the
cookie and the socket id that this listener chose.

`python -m tests.instruments.mirror --to 10001 --second 10002` prints `{"port": …}`: the port that a caller calls.
"""

from __future__ import annotations

import argparse
import os
import select
import socket
import struct
import sys
from typing import Final, Self

from tests.instruments.child import JsonChild, be_punctual, say
from tests.instruments.srt_header import HEADER_BYTES, Control, read_header

_DESTINATION: Final = slice(12, HEADER_BYTES)
_TYPE: Final = slice(HEADER_BYTES + 20, HEADER_BYTES + 24)
_NUMBER: Final = slice(HEADER_BYTES + 24, HEADER_BYTES + 28)
_COOKIE: Final = slice(HEADER_BYTES + 28, HEADER_BYTES + 32)
_CONCLUSION: Final = struct.pack(">I", 0xFFFFFFFF)
_NONE: Final = bytes(4)
_LARGEST: Final = 2048


class Mirror:
    """A mirror in a separate process: `with Mirror(port, second=other_port) as mirror:`."""

    def __init__(self, to_port: int, *, second: int) -> None:
        """Start a mirror that forwards to the listener on `to_port` and to the listener on `second`."""
        self._child = JsonChild("tests.instruments.mirror", "--to", str(to_port), "--second", str(second))
        self.port = int(self._child.wait_for_line("port", deadline_s=10)["port"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._child.close()


class _Second:
    """The listener whose answers are dropped. Its cookie and socket id replace those of the first listener."""

    def __init__(self, port: int) -> None:
        self.socket = _socket_to(port)
        self._cookie = self._number = _NONE

    def hear(self) -> None:
        """Read the cookie or the socket id from a handshake of this listener. Drop all its other packets."""
        packet = self.socket.recv(_LARGEST)
        if _kind(packet) == Control.HANDSHAKE:
            if packet[_TYPE] == _CONCLUSION:
                self._number = packet[_NUMBER]
            else:
                self._cookie = packet[_COOKIE]

    def send(self, packet: bytes) -> None:
        """Forward the caller's packet, except ACKACK: it answers an acknowledgement of the first listener."""
        kind = _kind(packet)
        if kind == Control.ACKACK:
            return
        changed = bytearray(packet)
        if kind == Control.HANDSHAKE and packet[_COOKIE] != _NONE:
            changed[_COOKIE] = self._cookie
        elif packet[_DESTINATION] != _NONE:
            changed[_DESTINATION] = self._number
        self.socket.send(changed)


def _kind(packet: bytes) -> int | None:
    header = read_header(packet)
    return None if header is None else header.control_type


def _socket_to(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.connect(("127.0.0.1", port))
    return opened


def main() -> None:
    """Forward packets until standard input ends."""
    be_punctual()
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--to", type=int, required=True, help="port of the listener that answers")
    parser.add_argument("--second", type=int, required=True, help="port of the listener that only hears")
    asked = parser.parse_args()
    front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    front.bind(("127.0.0.1", 0))
    first, second = _socket_to(asked.to), _Second(asked.second)
    caller = None
    say(port=front.getsockname()[1], pid=os.getpid())
    while True:
        for ready in select.select([front, first, second.socket, sys.stdin], [], [])[0]:
            if ready is sys.stdin:
                return
            if ready is front:
                packet, caller = front.recvfrom(_LARGEST)
                first.send(packet)
                second.send(packet)
            elif ready is first and caller is not None:
                front.sendto(first.recv(_LARGEST), caller)
            elif ready is second.socket:
                second.hear()


if __name__ == "__main__":
    main()
