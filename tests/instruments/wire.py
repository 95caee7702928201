"""Captures a network interface, usually loopback: each UDP packet of a port with its time, TOS byte and SRT header.

A separate process reads a packet socket with a kernel filter, so that a busy test loses no packets. If the kernel
drops a packet nevertheless, reading the capture fails. Needs CAP_NET_RAW.
"""

from __future__ import annotations

import ctypes
import os
import select
import socket
import struct
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.instruments.child import JsonChild, be_punctual, say
from tests.instruments.srt_header import HEADER_BYTES, Control, SrtHeader, read_header, read_loss_report

# linux/if_packet.h, linux/filter.h, asm-generic/socket.h
_SOL_PACKET, _PACKET_STATISTICS, _PACKET_OUTGOING = 263, 6, 4
_SO_ATTACH_FILTER, _SO_RCVBUFFORCE, _SO_TIMESTAMPNS = 26, 33, 35
_ETH_P_IP = 0x0800
_TIMESPEC = struct.Struct("@qq")
# Time (Unix, ns), TOS byte, source and destination port, bytes of the IP packet, source address, bytes kept.
_RECORD = struct.Struct("<qBHHH4sH")
_IP_UDP_BYTES = 28
_STDIN = 0


@dataclass(frozen=True)
class Packet:
    """One UDP packet. `size_bytes` is the size of the IP packet. `datagram` may be cut after the SRT header."""

    at_ns: int
    tos: int
    source_port: int
    destination_port: int
    size_bytes: int
    datagram: bytes
    source_address: str = ""

    def dscp(self) -> int:
        """Return the differentiated services code point: the upper six bits of the TOS byte."""
        return self.tos >> 2

    def header(self) -> SrtHeader | None:
        """Return the SRT header, or None if the packet is too short for one."""
        return read_header(self.datagram)

    def is_data(self) -> bool:
        """Whether this is an SRT data packet."""
        header = self.header()
        return header is not None and header.control_type is None

    def named_as_lost(self) -> list[int]:
        """Return the sequence numbers that an SRT loss report contains; empty for any other packet."""
        header = self.header()
        is_report = header is not None and header.control_type == Control.NAK
        return read_loss_report(self.datagram) if is_report else []

    def payload(self) -> bytes:
        """Return the payload of an SRT data packet."""
        return self.datagram[HEADER_BYTES:]


class Wire:
    """A running capture of one or several ports: `with Wire(port) as wire: …; packets = wire.packets()`."""

    def __init__(
        self, port: int | range, *, with_payload: bool = False, card: str = "lo", within: Sequence[str] = ()
    ) -> None:
        """Start the capture and wait until it runs. `card` is the network interface.

        `within` is as for JsonChild, for an interface of another namespace.
        """
        ports = port if isinstance(port, range) else range(port, port + 1)
        self._folder = tempfile.TemporaryDirectory(prefix="wire-")
        self._file = Path(self._folder.name) / "packets"
        self._child = JsonChild(
            "tests.instruments.wire",
            *(f"{ports[0]}-{ports[-1]}", str(self._file), "2000" if with_payload else str(HEADER_BYTES), card),
            within=within,
        )
        self._child.wait_for_line("capturing", deadline_s=10)

    def packets(self) -> list[Packet]:
        """Return all packets so far, in order. Raises AssertionError if the kernel dropped any."""
        answer = self._child.ask()
        assert answer["dropped"] == 0, f"the capture itself lost {answer['dropped']} packets"
        return list(_read(self._file.read_bytes()[: answer["bytes"]]))

    def close(self) -> None:
        """End the capture."""
        self._child.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def bits_by_second(packets: Iterable[Packet]) -> list[int]:
    """Return the IP bits in each second after the first packet. The incomplete last second is left out."""
    seconds: list[int] = []
    start_ns = None
    for packet in packets:
        start_ns = packet.at_ns if start_ns is None else start_ns
        second = (packet.at_ns - start_ns) // 1_000_000_000
        seconds.extend([0] * (second + 1 - len(seconds)))
        seconds[second] += packet.size_bytes * 8
    return seconds[:-1]


def _read(data: bytes) -> Iterable[Packet]:
    offset = 0
    while offset < len(data):
        at_ns, tos, source, destination, size, address, kept = _RECORD.unpack_from(data, offset)
        offset += _RECORD.size
        datagram = data[offset : offset + kept]
        yield Packet(at_ns, tos, source, destination, size, datagram, socket.inet_ntoa(address))
        offset += kept


def _filter(first: int, last: int, snap_bytes: int) -> bytes:
    """Return a classic BPF program that keeps UDP over IPv4 from or to one of the ports.

    The packet socket has type SOCK_DGRAM, so byte 0 is the first byte of the IP header.
    """
    program = [
        (0x30, 0, 0, 9),  # A = protocol
        (0x15, 0, 8, 17),  # UDP, else drop
        (0xB1, 0, 0, 0),  # X = length of the IP header
        (0x48, 0, 0, 0),  # A = source port
        (0x35, 0, 1, first),  # at least the first
        (0x25, 0, 3, last),  # above the last: check the destination port; else keep
        (0x48, 0, 0, 2),  # A = destination port
        (0x35, 0, 2, first),
        (0x25, 1, 0, last),
        (0x06, 0, 0, snap_bytes),
        (0x06, 0, 0, 0),
    ]
    return b"".join(struct.pack("@HBBI", *step) for step in program)


def _packet_socket(ports: tuple[int, int], snap_bytes: int, card: str) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    program = ctypes.create_string_buffer(_filter(*ports, snap_bytes))
    made.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HL", len(program.raw) // 8, ctypes.addressof(program))
    )
    made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 64 * 1024 * 1024)
    made.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    made.bind((card, _ETH_P_IP))
    made.setblocking(False)
    return made


class _Capture:
    """The capture in its separate process."""

    def __init__(self, ports: tuple[int, int], path: Path, keep_bytes: int, card: str) -> None:
        self._socket = _packet_socket(ports, _IP_UDP_BYTES + keep_bytes, card)
        self._keep = keep_bytes
        self._out = path.open("wb")
        self._dropped = 0

    def run(self) -> None:
        """Capture until standard input ends. Answer its lines when all earlier packets are in the file."""
        while True:
            readable, _, _ = select.select([self._socket.fileno(), _STDIN], [], [])
            self._take_all()
            if _STDIN in readable:
                lines = os.read(_STDIN, 65536)
                if not lines:
                    return
                self._answer(lines)

    def _answer(self, lines: bytes) -> None:
        self._out.flush()
        _, dropped = struct.unpack("@II", self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
        self._dropped += dropped  # reading the statistics resets them
        number = int(lines.split(b'"number": ')[-1].split(b"}")[0])
        say(number=number, dropped=self._dropped, bytes=self._out.tell())

    def _take_all(self) -> None:
        while True:
            try:
                packet, ancillary, _, address = self._socket.recvmsg(65536, 64)
            except BlockingIOError:
                return
            # A packet socket on loopback gets each packet twice: as outgoing and as incoming.
            if address[2] != _PACKET_OUTGOING:
                self._write(packet, ancillary)

    def _write(self, packet: bytes, ancillary: list[tuple[int, int, bytes]]) -> None:
        seconds, nanoseconds = _TIMESPEC.unpack_from(ancillary[0][2])
        ip_bytes = (packet[0] & 15) * 4
        size, source, destination = (
            struct.unpack_from("!H", packet, 2)[0],
            *struct.unpack_from("!HH", packet, ip_bytes),
        )
        datagram = packet[ip_bytes + 8 : ip_bytes + 8 + self._keep]
        at_ns = seconds * 1_000_000_000 + nanoseconds
        head = _RECORD.pack(at_ns, packet[1], source, destination, size, packet[12:16], len(datagram))
        self._out.write(head + datagram)


def main() -> None:
    """Capture the ports FIRST-LAST (argv[1]) to the file argv[2].

    argv[3] is the number of bytes kept of each datagram, argv[4] the network interface.
    """
    be_punctual()
    first, last = map(int, sys.argv[1].split("-"))
    capture = _Capture((first, last), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    say(capturing=True)
    capture.run()


if __name__ == "__main__":
    main()
