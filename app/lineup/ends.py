"""The interfaces of a run to its two ends, and the sending end; `receivers` has the receiving ends."""

from __future__ import annotations

from builtins import list as list_of
from typing import Final, Protocol

from app.domain.errors import InvalidInput, NotFound
from app.domain.events import LogEntry
from app.domain.figures.history import Second
from app.domain.figures.reception import DeliveryPoint
from app.domain.lineup.content import Content
from app.domain.lineup.measured import IndicatorSeconds, ReceiverSecond, SenderSecond
from app.domain.lineup.plan import Plan
from app.domain.snapshot import Snapshot
from app.domain.spec import JobSpec, SendSpec

# The newest second of another host is up to 2 s old, so it cannot show a smaller difference of the clocks.
CLOCKS_AGREE_S: Final = 2.5


class Streams(Protocol):
    """The methods of the stream manager that a run needs."""

    def get(self, key: str) -> Snapshot:
        """Return a stream. Raises NotFound."""

    def history(self, key: str, seconds: int, /) -> list_of[Second]:
        """Return a send stream's last seconds, oldest first."""

    def deliveries(self, key: str, seconds: int, /) -> list_of[DeliveryPoint]:
        """Return a receive stream's last seconds, oldest first."""

    def events(self, *, key: str | None = ..., limit: int = ...) -> list_of[LogEntry]:
        """Return the event log, newest first."""

    def restart(self, key: str, *, actor: str = ...) -> Snapshot:
        """Restart a stream."""

    def note(self, text: str) -> None:
        """Write a warning that concerns no single stream into the event log."""

    def start(self, spec: JobSpec, *, actor: str = ...) -> Snapshot:
        """Put a stream on air. Raises a ProductError when it cannot be."""

    def stop(self, key: str, *, actor: str = ...) -> Snapshot:
        """Take a stream off air; it stays listed. Raises NotFound."""

    def dismiss(self, key: str, *, actor: str = ...) -> None:
        """Take a stream off air and forget it. Raises NotFound."""

    def list(self) -> list_of[Snapshot]:
        """Return all streams."""

    def free_ports(self) -> list_of[int]:
        """Return the listener ports that nothing holds."""


class CannotRead(Exception):
    """An end cannot be read now; the text says why. The run continues and reads the missing seconds later."""


class ReceiverEnd(Protocol):
    """The receiving end of a run."""

    def check(self) -> str:
        """Return the end's name. Raises CannotRead or InvalidInput if it cannot measure."""

    def read(self, seconds: int) -> list[ReceiverSecond]:
        """Return the last seconds, oldest first. Raises CannotRead."""

    def indicators(self) -> tuple[IndicatorSeconds, ...] | None:
        """Return the error-seconds of each indicator since the stream's reset; None without analysis.

        Raises CannotRead.
        """

    def content(self) -> Content:
        """Return its findings on picture and sound since the stream's reset. Raises CannotRead."""


def sender_check(plan: Plan, streams: Streams) -> Snapshot | None:
    """Return the send stream under test, None without one. Raises InvalidInput if the key names no send stream."""
    if plan.stream is None:
        return None
    try:
        snapshot = streams.get(plan.stream)
    except NotFound:
        raise InvalidInput.of({"stream": f"there is no stream {plan.stream}"}) from None
    if not isinstance(snapshot.spec, SendSpec):
        raise InvalidInput.of({"stream": "this stream does not send; choose a send stream"})
    return snapshot


def sender_seconds(streams: Streams, key: str, seconds: int) -> list[SenderSecond]:
    """Return the send stream's last seconds, oldest first. Raises CannotRead."""
    try:
        history = streams.history(key, seconds)
    except NotFound:
        raise CannotRead("the stream under test was removed") from None
    return [
        SenderSecond(
            at=second.at,
            packets_unique=second.rates.grown.packets_sent_unique_total,
            packets_retransmitted=second.rates.grown.packets_retransmitted_total,
            packets_dropped=second.rates.grown.packets_dropped_total,
            peers=second.peers,
            payload_mbps=round(second.rates.payload_mbps, 3),
            wire_mbps=round(second.rates.wire_mbps, 3),
            rtt_ms=second.rtt_ms,
        )
        for second in history
    ]
