"""The interface of a relay's observer. Called on the relay's thread; must not block."""

from __future__ import annotations

from app.domain.impairment.link import Direction
from app.engines.relay.callers import Caller
from app.engines.relay.sockets import SocketAddress


class RelayObserver:
    """Ignores every event; subclasses handle the events that they need."""

    def came(self, caller: Caller) -> None:
        """A caller sent its first datagram."""

    def left(self, caller: Caller) -> None:
        """A caller and its target were silent for a long time."""

    def refused(self, address: SocketAddress) -> None:
        """A caller came although the limit is reached."""

    def stranger(self, address: SocketAddress) -> None:
        """Something that is not an SRT handshake came from an unknown address."""

    def no_way(self, error: OSError) -> None:
        """There is no route to the target."""

    def not_sent(self, error: OSError) -> None:
        """A datagram could not be forwarded."""

    def rebound(self, callers: int) -> None:
        """All callers have other source ports."""

    def late(self, late_ns: int) -> None:
        """A datagram is sent late because the machine was busy."""

    def datagram(self, direction: Direction, datagram: memoryview, arrived_ns: int, leaves: int) -> None:
        """A datagram came in and is sent `leaves` times: 0 when it is lost, 2 with a duplicate."""
