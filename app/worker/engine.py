"""What a worker needs of an engine. It does not mention GStreamer.

Every engine fulfils it and passes the same tests.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.figures.debug import EngineDebug
from app.domain.figures.relay import RelayFigures
from app.domain.figures.sample import Applied, Input, Peer
from app.domain.impairment.model import CutDirection, Impairment
from app.protocol import Picture, Received


class Sender(Protocol):
    """A source on its way to SRT. Used from one thread; `Notify` may be called from any."""

    def start(self) -> None:
        """Bind the port or send the call out. Raises CannotSend."""

    def poll(self) -> None:
        """Handle what happened since the last call. Raises Finished when the sender has ended."""

    def wake_fd(self) -> int:
        """A file descriptor that is readable when `poll` has something to do."""

    def is_on_its_way(self) -> bool:
        """Whether the sender waits for the far end's answer and wants `poll` soon."""

    def read_peers(self) -> list[Peer]:
        """The present connections."""

    def read_input(self) -> Input:
        """What came in from the source so far."""

    def read_applied(self) -> Applied:
        """The settings in force, read back from the library and not from the spec."""

    def read_debug(self) -> EngineDebug:
        """Raw values for the debug view; allow-listed, nothing secret."""

    def engine_name(self) -> str:
        """Libraries and versions in use, as `GStreamer 1.22.0, libsrt 1.5.1`."""

    def stop(self) -> None:
        """Close the connections and release everything; may be called at any time, also twice."""


@runtime_checkable
class ReceivingEngine(Protocol):
    """What an engine provides as well that receives a stream and measures its delivery."""

    def read_received(self, *, is_last: bool = False) -> Received:
        """The account of the last second, and what is in the stream.

        The last one holds everything that was received.
        """

    def read_picture(self) -> Picture | None:
        """The newest key frame, None while there is none."""

    def reset(self) -> None:
        """Count from zero."""


@runtime_checkable
class Halting(Protocol):
    """A sender that can stop sending and keep its figures readable, so that the last ones are final."""

    def halt(self) -> None:
        """Send nothing more. `stop` still closes the connections."""


@runtime_checkable
class Relaying(Protocol):
    """What a relay provides as well."""

    def read_relay(self) -> RelayFigures:
        """What was done to each direction so far."""

    def impair(self, impairment: Impairment) -> None:
        """Change to another impairment without interruption."""

    def cut(self, direction: CutDirection, for_ms: float) -> None:
        """Block all datagrams for a time, from now on."""
