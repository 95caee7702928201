"""The interface between the worker and an engine. It does not depend on GStreamer.

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
    """Sends a source over SRT. One thread uses it; any thread may call `Notify`."""

    def start(self) -> None:
        """Bind the port or start the call. Raises CannotSend."""

    def poll(self) -> None:
        """Handle events since the last call. Raises Finished when the sender has ended."""

    def wake_fd(self) -> int:
        """A file descriptor that is readable when `poll` has something to do."""

    def is_on_its_way(self) -> bool:
        """Whether a call is unanswered or the last packets are being delivered, so that `poll` is needed soon."""

    def read_peers(self) -> list[Peer]:
        """Return the present connections."""

    def read_input(self) -> Input:
        """Return the input figures so far."""

    def read_applied(self) -> Applied:
        """Return the settings in force, read back from the library and not from the spec."""

    def read_debug(self) -> EngineDebug:
        """Return raw values for the debug view; allow-listed, nothing secret."""

    def engine_name(self) -> str:
        """Return the libraries and versions in use, such as `GStreamer 1.22.0, libsrt 1.5.1`."""

    def stop(self) -> None:
        """Close the connections and release everything; may be called at any time, also twice."""


@runtime_checkable
class ReceivingEngine(Protocol):
    """The additional methods of an engine that receives a stream and measures its delivery."""

    def read_received(self, *, is_last: bool = False) -> Received:
        """Return the account of the last second, and the contents of the stream.

        The last account includes everything that was received.
        """

    def read_picture(self) -> Picture | None:
        """Return the newest key frame, None while there is none."""

    def reset(self) -> None:
        """Count from zero."""


@runtime_checkable
class Halting(Protocol):
    """A sender that can stop sending and keep its figures readable, so that the last figures are final."""

    def halt(self) -> None:
        """Send nothing more. `stop` still closes the connections."""


@runtime_checkable
class Relaying(Protocol):
    """The additional methods of a relay."""

    def read_relay(self) -> RelayFigures:
        """Return the figures of each direction so far."""

    def impair(self, impairment: Impairment) -> None:
        """Change to another impairment without interruption."""

    def cut(self, direction: CutDirection, for_ms: float) -> None:
        """Block all datagrams for a time, from now on."""
