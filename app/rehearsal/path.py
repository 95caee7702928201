"""Starts a path for a rehearsal: a receive stream, a relay to it, and a copy of a send stream that calls the relay."""

from __future__ import annotations

import contextlib
import socket
from builtins import list as list_of
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final, Protocol

import msgspec

from app.domain.errors import InvalidInput, LimitReached, NotFound, ProductError
from app.domain.figures.history import Second
from app.domain.figures.reception import DeliveryPoint
from app.domain.impairment.model import Impairment
from app.domain.snapshot import Snapshot
from app.domain.spec import CallerEndpoint, JobSpec, ListenerEndpoint, ReceiveSpec, RelaySpec, SendSpec, Target

_THIS_HOST: Final = "127.0.0.1"


class Streams(Protocol):
    """The methods of the stream manager that a rehearsal needs."""

    def start(self, spec: JobSpec, *, actor: str = ..., for_rehearsal: bool = ...) -> Snapshot:
        """Put a stream on air. Raises a ProductError if that fails."""

    def dismiss(self, key: str, *, actor: str = ...) -> None:
        """Take it off air and forget it. Raises NotFound."""

    def list(self) -> list_of[Snapshot]:
        """Return all streams, oldest first."""

    def get(self, key: str) -> Snapshot:
        """Return a stream. Raises NotFound."""

    def history(self, key: str, seconds: int, /) -> list_of[Second]:
        """Return a send stream's last seconds, oldest first. Raises NotFound."""

    def deliveries(self, key: str, seconds: int, /) -> list_of[DeliveryPoint]:
        """Return a receive stream's last seconds, oldest first. Raises NotFound."""


class PathOrder(msgspec.Struct, frozen=True):
    """The streams to start. `ports` are the receiver's and the relay's."""

    sender: SendSpec
    impairment: Impairment
    latency_ms: int
    ports: tuple[int, int]
    name: str


class RehearsalPath(msgspec.Struct, frozen=True):
    """The three streams, as they started."""

    receiver: Snapshot
    relay: Snapshot
    sender: Snapshot


def send_spec(streams: Streams, key: str) -> SendSpec:
    """Return the spec of the send stream to copy. Raises InvalidInput if the key names no send stream."""
    try:
        spec = streams.get(key).spec
    except NotFound:
        raise InvalidInput.of({"stream": f"there is no stream {key}"}) from None
    if not isinstance(spec, SendSpec):
        raise InvalidInput.of({"stream": "this stream does not send; choose a send stream"})
    return spec


def start_path(streams: Streams, order: PathOrder, *, actor: str, for_rehearsal: bool) -> RehearsalPath:
    """Start receiver, relay and sender, in this order. If one cannot start, the earlier ones are deleted again.

    The copy is not encrypted, because its passphrase would be stored in one more stream. Raises what `start` raises.
    """
    with ExitStack() as undo:

        def start(spec: JobSpec) -> Snapshot:
            snapshot = streams.start(spec, actor=actor, for_rehearsal=for_rehearsal)
            undo.callback(dismiss, streams, snapshot.key, actor=actor)
            return snapshot

        path = RehearsalPath(receiver=start(_receiver(order)), relay=start(_relay(order)), sender=start(_sender(order)))
        undo.pop_all()
    return path


def _receiver(order: PathOrder) -> ReceiveSpec:
    return ReceiveSpec(ListenerEndpoint(order.ports[0]), name=f"{order.name}, receiver", latency_ms=order.latency_ms)


def _relay(order: PathOrder) -> RelaySpec:
    receive_port, relay_port = order.ports
    target = Target(_THIS_HOST, receive_port)
    return RelaySpec(relay_port, target, name=f"{order.name}, relay", impairment=order.impairment)


def _sender(order: PathOrder) -> SendSpec:
    copy: SendSpec = msgspec.structs.replace(
        order.sender,
        endpoint=CallerEndpoint(_THIS_HOST, order.ports[1]),
        latency_ms=order.latency_ms,
        encryption=None,
        receivers_expected=None,
        name=f"{order.name}, sender",
    )
    return copy


def dismiss(streams: Streams, key: str, *, actor: str) -> None:
    """Take a stream off air and delete it, if it is there."""
    with contextlib.suppress(ProductError):
        streams.dismiss(key, actor=actor)


def free_port_pairs(count: int) -> list_of[tuple[int, int]]:
    """Return pairs of free UDP ports outside the listener ports, which are for the operators' streams.

    Raises LimitReached if there are none.
    """
    try:
        with ExitStack() as sockets:
            ports = list(_bound_ports(sockets, 2 * count))
    except OSError as error:
        raise LimitReached(f"this host has no free UDP ports: {error}") from None
    return list(zip(ports[::2], ports[1::2], strict=True))


def _bound_ports(sockets: ExitStack, count: int) -> Iterator[int]:
    for _ in range(count):
        bound = sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        bound.bind(("", 0))
        yield int(bound.getsockname()[1])
