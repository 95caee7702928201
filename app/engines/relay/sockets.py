"""UDP sockets with kernel times of arrival, for the relay."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import time
from typing import Any, Final

SocketAddress = tuple[Any, ...]

BIGGEST_DATAGRAM: Final = 65_535
ANCILLARY_BYTES: Final = 64
_SO_TIMESTAMPNS: Final = 35  # asm-generic/socket.h
_TIMESPEC: Final = struct.Struct("@qq")
_SOCKET_BUFFER_BYTES: Final = 8 * 1024 * 1024
_OLDEST_NS: Final = 1_000_000_000
_STEP_NS: Final = 100_000_000  # more than the time between two readings on a busy machine
_SRT_HANDSHAKE: Final = b"\x80\x00"  # control packet of type 0 (draft-sharabayko-srt, section 3.2.1)
_SRT_HANDSHAKE_BYTES: Final = 64


def open_udp(family: int) -> socket.socket:
    """Make a non-blocking socket with large buffers and times of arrival."""
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        made.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BUFFER_BYTES)
    made.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return made


def open_front(host: str, port: int) -> socket.socket:
    """Make the socket that callers use, on one address or, for an empty `host`, on all. Raises OSError."""
    is_v6 = ":" in host
    if not host:
        with contextlib.suppress(OSError):  # a host without IPv6
            return _bound(socket.AF_INET6, "::", port)
    return _bound(socket.AF_INET6 if is_v6 else socket.AF_INET, host, port)


def _bound(family: int, host: str, port: int) -> socket.socket:
    made = open_udp(family)
    try:
        if host == "::":
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made


class ArrivalClock:
    """The present time and the kernel's times of arrival on one clock that does not follow steps of the host's clock.

    It is Unix time, as the kernel stamps datagrams, less every step that the host's clock has made.
    """

    def __init__(self) -> None:
        self._stepped_ns = 0
        self._apart_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Return the present time."""
        return time.time_ns() - self._stepped_ns

    def check_for_step(self) -> None:
        """Compare with the monotonic clock. Call it about once a second."""
        apart_ns = time.time_ns() - time.monotonic_ns()
        if abs(step_ns := apart_ns - self._apart_ns) > _STEP_NS:
            self._stepped_ns += step_ns
            self._apart_ns = apart_ns

    def arrived_ns(self, ancillary: list[tuple[int, int, bytes]], now_ns: int) -> int:
        """Return when a datagram arrived; the present time if the kernel's time is wrong after a step of the clock."""
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIMESPEC.unpack_from(data)
                arrived_ns = int(seconds) * 1_000_000_000 + int(nanoseconds) - self._stepped_ns
                if 0 <= now_ns - arrived_ns < _OLDEST_NS:
                    return arrived_ns
        return now_ns


def is_handshake(datagram: memoryview) -> bool:
    """Whether a datagram begins an SRT connection."""
    return len(datagram) >= _SRT_HANDSHAKE_BYTES and bytes(datagram[:2]) == _SRT_HANDSHAKE


def address_text(address: SocketAddress) -> str:
    """Return `192.0.2.10:5000`, also for an IPv4 address in IPv6 form."""
    host, port = str(address[0]).partition("%")[0], address[1]
    parsed = ipaddress.ip_address(host)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return f"[{parsed}]:{port}"
        parsed = parsed.ipv4_mapped
    return f"{parsed}:{port}"
