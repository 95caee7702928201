"""The two ends of a run, read second by second: streams of this host, or of another one over its API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Protocol, TypeVar, assert_never
from urllib.parse import quote

import msgspec

from app.domain.errors import InvalidInput, NotFound
from app.domain.events import LogEntry
from app.domain.figures.history import Second
from app.domain.figures.reception import DeliveryPoint, ErrorKind
from app.domain.hosts import HostEntry
from app.domain.lineup.measured import IndicatorSeconds, ReceiverSecond, SenderSecond
from app.domain.lineup.plan import LocalReceiver, NotOurs, Plan, RemoteReceiver
from app.domain.snapshot import Snapshot
from app.domain.spec import ReceiveSpec, SendSpec
from app.fleet.client import NoAnswer, get
from app.machine.steady_clock import unix_now

_ANSWER_WITHIN_S: Final = 5.0
# The newest second of the other host is up to 2 s old; a smaller difference of the clocks cannot be seen in it.
_CLOCKS_AGREE_S: Final = 2.5
T = TypeVar("T")


class Streams(Protocol):
    """What a run asks of the stream manager."""

    def get(self, key: str) -> Snapshot:
        """One stream. Raises NotFound."""

    def history(self, key: str, seconds: int, /) -> list[Second]:
        """A send stream's last seconds, oldest first."""

    def deliveries(self, key: str, seconds: int, /) -> list[DeliveryPoint]:
        """A receive stream's last seconds, oldest first."""

    def events(self, *, key: str | None = ..., limit: int = ...) -> list[LogEntry]:
        """What happened, newest first."""

    def restart(self, key: str, *, actor: str = ...) -> Snapshot:
        """Restart a stream."""

    def note(self, text: str) -> None:
        """Write a warning that concerns no single stream into the event log."""


class CannotRead(Exception):
    """An end cannot be read now; the text says why. The run goes on and reads the missing seconds later."""


class ReceiverEnd(Protocol):
    """The receiving end of a run."""

    def check(self) -> str:
        """Return the end's name. Raises CannotRead or InvalidInput when it cannot measure."""

    def read(self, seconds: int) -> list[ReceiverSecond]:
        """The last seconds, oldest first. Raises CannotRead."""

    def indicators(self) -> tuple[IndicatorSeconds, ...] | None:
        """The error-seconds of each indicator since the stream's reset; None without an analysis. Raises CannotRead."""


def receiver_end(plan: Plan, streams: Streams, hosts: Sequence[HostEntry]) -> ReceiverEnd | None:
    """The receiving end that a plan names, None where it is not ours. Raises InvalidInput."""
    match plan.receiver:
        case LocalReceiver(key=key):
            return LocalEnd(streams, key)
        case RemoteReceiver(host=name, key=key):
            entry = next((entry for entry in hosts if entry.name == name), None)
            if entry is None:
                raise InvalidInput.of({"receiver.host": f"HOSTS names no host {name!r}; add it with its API key"})
            return RemoteEnd(entry, key)
        case NotOurs():
            return None
        case _:
            assert_never(plan.receiver)


class LocalEnd:
    """A receive stream of this installation."""

    def __init__(self, streams: Streams, key: str) -> None:
        self._streams = streams
        self._key = key

    def check(self) -> str:
        """Return the stream's label. Raises InvalidInput when the key names no receive stream."""
        try:
            snapshot = self._streams.get(self._key)
        except NotFound:
            raise InvalidInput.of({"receiver.key": f"there is no stream {self._key}"}) from None
        if not isinstance(snapshot.spec, ReceiveSpec):
            raise InvalidInput.of({"receiver.key": "this stream sends; choose a receive stream"})
        return snapshot.spec.label()

    def read(self, seconds: int) -> list[ReceiverSecond]:
        """The last seconds, from the worker's own history."""
        try:
            return [receiver_second(point) for point in self._streams.deliveries(self._key, seconds)]
        except NotFound:
            raise CannotRead("the receive stream was removed") from None

    def indicators(self) -> tuple[IndicatorSeconds, ...] | None:
        """From the live analysis of the worker."""
        try:
            analysis = self._streams.get(self._key).analysis
        except NotFound:
            raise CannotRead("the receive stream was removed") from None
        if analysis is None:
            return None
        return tuple(IndicatorSeconds(each.name, each.priority, each.error_seconds) for each in analysis.indicators)


def receiver_second(point: DeliveryPoint) -> ReceiverSecond:
    """A second of a reception as a run keeps it."""
    received, gauges = point.received, point.gauges
    is_encoder = ErrorKind.CONTINUITY_ENCODER in point.errors
    return ReceiverSecond(
        at=point.at,
        packets_unique=received.packets_unique,
        packets_lost=received.packets_dropped + received.packets_undecryptable,
        continuity_errors=received.continuity_errors,
        encoder_errors=received.continuity_errors if is_encoder else 0,
        gap_ms=point.gap_ms,
        frozen_ms=point.frozen_ms,
        latency_ms=gauges.latency_ms,
        headroom_ms=gauges.headroom_ms,
        rtt_ms=gauges.rtt_ms,
        lateness_ms=point.lateness_max_ms,
        is_connected=gauges.connections > 0,
    )


class _RemoteSecond(msgspec.Struct, frozen=True):
    at: float
    packets_unique: int = 0
    packets_dropped: int = 0
    packets_undecryptable: int = 0
    continuity_errors: int = 0
    gap_ms: float = 0.0
    frozen_ms: float = 0.0
    latency_ms: int | None = None
    headroom_ms: int | None = None
    rtt_ms: float | None = None
    lateness_ms: float | None = None
    errors: list[str] = []


class _RemoteHistory(msgspec.Struct, frozen=True):
    samples: Annotated[list[_RemoteSecond], msgspec.Meta(max_length=4000)]


class _RemoteIndicator(msgspec.Struct, frozen=True):
    priority: int = 3
    error_seconds: int = 0


class _RemoteReception(msgspec.Struct, frozen=True):
    tr101290: dict[str, _RemoteIndicator] = {}


class _RemoteStream(msgspec.Struct, frozen=True):
    label: str = ""
    reception: _RemoteReception | None = None


class RemoteEnd:
    """A receive stream of another installation, read over its API.

    Its times are turned into this host's: `clock_ahead_s` is how far its clock is ahead, None before the first second.
    """

    def __init__(self, host: HostEntry, key: str) -> None:
        self.clock_ahead_s: float | None = None
        self._host = host
        self._path = f"/api/streams/{quote(key, safe='')}"

    def check(self) -> str:
        """Return the stream's label and host. Raises InvalidInput when it is no receive stream there."""
        stream = self._stream()
        if stream.reception is None:
            raise InvalidInput.of({"receiver.key": f"{self._host.name} receives nothing under that key"})
        return f"{stream.label} on {self._host.name}"

    def read(self, seconds: int) -> list[ReceiverSecond]:
        """The last seconds, from the other host's history."""
        found = self._ask(f"{self._path}/reception?seconds={seconds}", _RemoteHistory)
        if self.clock_ahead_s is None and found.samples:
            ahead_s = found.samples[-1].at - unix_now()
            self.clock_ahead_s = 0.0 if abs(ahead_s) < _CLOCKS_AGREE_S else ahead_s
        return [
            ReceiverSecond(
                at=each.at - (self.clock_ahead_s or 0.0),
                packets_unique=each.packets_unique,
                packets_lost=each.packets_dropped + each.packets_undecryptable,
                continuity_errors=each.continuity_errors,
                encoder_errors=each.continuity_errors if ErrorKind.CONTINUITY_ENCODER in each.errors else 0,
                gap_ms=each.gap_ms,
                frozen_ms=each.frozen_ms,
                latency_ms=each.latency_ms,
                headroom_ms=each.headroom_ms,
                rtt_ms=each.rtt_ms,
                lateness_ms=each.lateness_ms,
                is_connected=ErrorKind.DISCONNECTED not in each.errors,
            )
            for each in found.samples
        ]

    def indicators(self) -> tuple[IndicatorSeconds, ...] | None:
        """From the other host's live analysis."""
        reception = self._stream().reception
        if reception is None or not reception.tr101290:
            return None
        return tuple(
            IndicatorSeconds(name, each.priority, each.error_seconds) for name, each in reception.tr101290.items()
        )

    def _stream(self) -> _RemoteStream:
        return self._ask(self._path, _RemoteStream)

    def _ask(self, path: str, kind: type[T]) -> T:
        try:
            status, body = get(self._host, path, within_s=_ANSWER_WITHIN_S)
        except NoAnswer as error:
            raise CannotRead(f"{self._host.name}: {error}") from None
        if status in (401, 403):
            raise CannotRead(f"{self._host.name} does not accept the API key that HOSTS has for it")
        if status == 404:
            raise CannotRead(f"{self._host.name} has no such stream")
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.DecodeError as error:
            raise CannotRead(f"{self._host.name} answers {status}, and not as this version does: {error}") from None


def sender_check(plan: Plan, streams: Streams) -> Snapshot | None:
    """The send stream under test, None without one. Raises InvalidInput when the key names none."""
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
    """The send stream's last seconds, oldest first. Raises CannotRead."""
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
