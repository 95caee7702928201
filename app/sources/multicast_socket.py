"""A socket for a UDP or RTP multicast group: a chosen interface, optionally one sender, kernel times of arrival.

GStreamer's multicast source receives on the same socket: udpsrc of 1.22 cannot join source-specific groups, and cannot
exclude datagrams that another program's membership brings to this host.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from typing import Final, NamedTuple

from app.domain.endings import CannotSend
from app.domain.events import NoticeCode
from app.domain.spec import MulticastSource
from app.domain.status import Reason
from app.machine.steady_clock import unix_now
from app.protocol import Notice, Notify

# 50 Mb/s for 300 ms; the kernel books about 2300 bytes of its memory for each datagram of seven packets.
RECEIVE_BUFFER_BYTES: Final = 4 * 1024 * 1024
_SO_RCVBUFFORCE: Final = 33  # asm-generic/socket.h
_SO_TIMESTAMPNS: Final = 35  # asm-generic/socket.h, SO_TIMESTAMPNS_OLD
_IP_MULTICAST_ALL: Final = 49  # linux/in.h
_MCAST_JOIN_SOURCE_GROUP: Final = 46  # linux/in.h
_SOCKADDR_STORAGE_BYTES: Final = 128
_TIMESPEC: Final = struct.Struct("@ll")
_CONTROL_BYTES: Final = socket.CMSG_SPACE(_TIMESPEC.size)
_DATAGRAM_BYTES: Final = 65_536


class Datagram(NamedTuple):
    """A datagram and its time of arrival in the kernel, in nanoseconds of the Unix clock."""

    data: bytes
    received_ns: int


class MulticastSocket:
    """A joined group. Raises CannotSend if it cannot be joined."""

    def __init__(self, source: MulticastSource, notify: Notify) -> None:
        self._source = source
        self._card = card_of(source)
        if source.interface != "auto" and self._card is None:
            raise CannotSend(Reason.INTERFACE_MISSING, f"this host has no interface {source.interface}")
        self.socket = _bind(source.address, source.port)
        join(self.socket, source)
        _size_buffer(self.socket, notify)

    def stamp_datagrams(self) -> None:
        """Request the kernel's time for each datagram, and make reading non-blocking."""
        self.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)

    def receive(self, most: int) -> list[Datagram]:
        """Return the waiting datagrams, oldest first, `most` at most."""
        found: list[Datagram] = []
        while len(found) < most:
            try:
                data, control, _, _ = self.socket.recvmsg(_DATAGRAM_BYTES, _CONTROL_BYTES)
            except BlockingIOError:
                break
            except OSError:  # for example, the card went down: the group is silent
                break
            found.append(Datagram(data, _received_ns(control)))
        return found

    def follow_card(self) -> None:
        """Join again if the network card was removed and put back: the new card does not have the membership."""
        card = card_of(self._source)
        if card in (None, self._card):
            return
        with contextlib.suppress(CannotSend):  # it may not be up yet, and is checked again each second
            join(self.socket, self._source)
            self._card = card

    def close(self) -> None:
        """Leave the group."""
        self.socket.close()


def join(receiver: socket.socket, source: MulticastSource) -> None:
    """Join the group, from one sender only if the source names one. Raises CannotSend."""
    card = card_of(source) or 0  # 0 selects the interface of the route
    group = socket.inet_aton(source.address)
    try:
        if source.source_ip is None:
            request = group + bytes(4) + struct.pack("@i", card)  # struct ip_mreqn
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        else:
            # struct group_source_req: the interface, the group's address, the sender's address.
            addresses = (_storage(group), _storage(socket.inet_aton(source.source_ip)))
            request = struct.pack("@I4x", card) + b"".join(addresses)
            receiver.setsockopt(socket.IPPROTO_IP, _MCAST_JOIN_SOURCE_GROUP, request)
    except OSError as error:
        where = "the interface of the route; choose an interface by name" if not card else source.interface
        raise CannotSend(
            Reason.INTERFACE_MISSING, f"cannot join {source.address} on {where}: {error.strerror}"
        ) from None


def card_of(source: MulticastSource) -> int | None:
    """Return the kernel's number of the chosen interface, None if it does not exist or the routing table chooses."""
    # Not /sys/class/net, which shows the interfaces of the namespace that mounted it, perhaps another one.
    with contextlib.suppress(OSError):
        return None if source.interface == "auto" else socket.if_nametoindex(source.interface)
    return None


def _storage(address: bytes) -> bytes:
    return (struct.pack("@HH", socket.AF_INET, 0) + address).ljust(_SOCKADDR_STORAGE_BYTES, b"\0")


def _bind(group: str, port: int) -> socket.socket:
    """Bind to a group and port that other sockets may bind to as well.

    SO_REUSEPORT is not set: with it, Linux 6.18 passes a group's datagrams to one socket of that port, chosen by a hash
    of the sender, whether or not it has joined on that interface.
    """
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Receive only what this socket joined, on its interface, from the requested sender.
        receiver.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        receiver.bind((group, port))
    except OSError as error:
        receiver.close()
        raise CannotSend(Reason.ENGINE_ERROR, f"cannot receive on {group}:{port}: {error.strerror}") from None
    return receiver


def _size_buffer(receiver: socket.socket, notify: Notify) -> None:
    """Request a large receive buffer, check what was granted, and report if it is too small."""
    try:
        receiver.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except OSError:  # needs CAP_NET_ADMIN; without it net.core.rmem_max is the limit
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    granted = receiver.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # the kernel doubles the requested size
    if granted < RECEIVE_BUFFER_BYTES:
        text = (
            f"The kernel granted {granted // 1024} kB of receive buffer, but 50 Mb/s needs "
            f"{RECEIVE_BUFFER_BYTES // 1024} kB: sysctl -w net.core.rmem_max={RECEIVE_BUFFER_BYTES}"
        )
        notify(Notice(unix_now(), NoticeCode.SMALL_RECEIVE_BUFFER, text))


def _received_ns(control: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS) and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return time.time_ns()
