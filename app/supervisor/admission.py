"""Decides whether a stream may start, by the number of running streams and its port. Supervisor's thread only."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Final, Protocol

from app.domain.errors import LimitReached, PortInUse
from app.domain.spec import JobSpec, RelaySpec
from app.domain.status import Order, Phase, Status
from app.machine.udp_ports import is_bound

_KEY_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # without letters that are easily confused over the phone
_KEY_LENGTH: Final = 6
# No other key has a hyphen, so a rehearsal's streams are recognised by their keys, also after a restart.
_OF_REHEARSAL: Final = "rehearsal-"


class Admitted(Protocol):
    """The attributes of an existing stream that admission needs."""

    @property
    def key(self) -> str:
        """Its identity."""

    @property
    def spec(self) -> JobSpec:
        """Its settings."""

    @property
    def status(self) -> Status:
        """Its order and phase."""


class Admission:
    """The rules of one installation."""

    def __init__(self, max_streams: int, *, is_port_bound: Callable[[int], bool] = is_bound) -> None:
        self._max_streams = max_streams
        self._is_port_bound = is_port_bound

    def check_limit(self, others: Collection[Admitted]) -> None:
        """Raise LimitReached when the allowed number of streams runs; those of a rehearsal do not count."""
        running = sum(is_wanted(other.status) and not is_rehearsal(other.key) for other in others)
        if running >= self._max_streams:
            raise LimitReached(f"{running} of {self._max_streams} streams are on air; stop one, or raise MAX_STREAMS")

    def check_change(self, stream: Admitted, spec: JobSpec, others: Collection[Admitted]) -> None:
        """Raise LimitReached or PortInUse when a stream cannot run by another spec."""
        if stream.status.order is Order.RUN:
            self.check_limit(others)
        if spec.local_port() != stream.spec.local_port():
            self.check_port(spec, others)

    def check_port(self, spec: JobSpec, others: Collection[Admitted]) -> None:
        """Raise PortInUse when another stream or another program holds the port that a listener needs."""
        if (port := spec.local_port()) is None:
            return
        if port in listener_ports_of(others):
            raise _port_in_use(spec, port, "another stream holds it")
        if self._is_port_bound(port):
            raise _port_in_use(spec, port, "another program holds it")


def is_rehearsal(key: str) -> bool:
    """Whether a stream belongs to a rehearsal, which has its own limit and is not the operator's."""
    return key.startswith(_OF_REHEARSAL)


def new_key(taken: Mapping[str, object], *, for_rehearsal: bool = False) -> str:
    """Return a short key that no stream has."""
    while True:
        key = "".join(secrets.choice(_KEY_LETTERS) for _ in range(_KEY_LENGTH))
        key = f"{_OF_REHEARSAL}{key}" if for_rehearsal else key
        if key not in taken:
            return key


def listener_ports_of(streams: Collection[Admitted]) -> set[int]:
    """Return the ports that streams use, or will use without a new order."""
    return {port for stream in streams if (port := stream.spec.local_port()) is not None and is_wanted(stream.status)}


def is_wanted(status: Status) -> bool:
    """Whether the stream has a worker or will get one without a new order. A failed stream waits for the operator."""
    return status.order is Order.RUN and status.phase is not Phase.FAILED


def _port_in_use(spec: JobSpec, port: int, who: str) -> PortInUse:
    field = "listen_port" if isinstance(spec, RelaySpec) else "endpoint.port"
    return PortInUse(f"port {port} is taken: {who}", {field: f"{port} is taken: {who}; choose another or stop it"})
