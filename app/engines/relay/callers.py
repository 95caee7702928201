"""The callers of a relay. Each has its own socket to the target, so that the target can distinguish them."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from typing import Final

from app.engines.relay.sockets import SocketAddress, open_udp
from app.machine.steady_clock import unix_now

CALLERS_MAX: Final = 500
SILENT_AFTER_NS: Final = 10_000_000_000  # twice the time after which libsrt gives up a silent peer


class Caller:
    """One caller and its socket to the target."""

    def __init__(self, number: int, address: SocketAddress, back: socket.socket, now_ns: int) -> None:
        self.number = number
        self.address = address
        self.back = back
        self.came_at = unix_now()
        self.heard_ns = now_ns
        self.bytes_to_target = 0
        self.bytes_to_caller = 0


class Callers:
    """All callers, by their address and by the descriptor of their socket."""

    def __init__(self, target_family: int, target: SocketAddress) -> None:
        self._family = target_family
        self._target = target
        self._numbers = itertools.count(1)
        self._by_address: dict[SocketAddress, Caller] = {}
        self._by_descriptor: dict[int, Caller] = {}

    def __len__(self) -> int:
        return len(self._by_address)

    def __iter__(self) -> Iterator[Caller]:
        return iter(list(self._by_address.values()))

    def find(self, address: SocketAddress) -> Caller | None:
        """Return the caller with that address."""
        return self._by_address.get(address)

    def of_socket(self, descriptor: int) -> Caller | None:
        """Return the caller with that socket."""
        return self._by_descriptor.get(descriptor)

    def is_full(self) -> bool:
        """Whether the maximum number of callers is reached."""
        return len(self._by_address) >= CALLERS_MAX

    def add(self, address: SocketAddress, now_ns: int) -> Caller:
        """Add a new caller. Raises OSError when there is no route to the target."""
        caller = Caller(next(self._numbers), address, self._open_back(), now_ns)
        self._by_address[address] = self._by_descriptor[caller.back.fileno()] = caller
        return caller

    def rebind(self, caller: Caller) -> None:
        """Give a caller another source port, as a NAT does that lost its mapping. Raises OSError."""
        back = self._open_back()
        self._close_back(caller)
        caller.back = back
        self._by_descriptor[back.fileno()] = caller

    def remove(self, caller: Caller) -> None:
        """Forget a caller."""
        del self._by_address[caller.address]
        self._close_back(caller)

    def silent(self, now_ns: int) -> list[Caller]:
        """Return callers without a datagram from either side for a long time."""
        return [caller for caller in self._by_address.values() if now_ns - caller.heard_ns > SILENT_AFTER_NS]

    def _open_back(self) -> socket.socket:
        back = open_udp(self._family)
        try:
            back.connect(self._target)
        except OSError:
            back.close()
            raise
        return back

    def _close_back(self, caller: Caller) -> None:
        del self._by_descriptor[caller.back.fileno()]
        caller.back.close()
