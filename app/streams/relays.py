"""Finds relays of this host that form a ring, and streams that run through a relay."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Collection, Sequence
from typing import assert_never

import msgspec

from app.domain.errors import InvalidInput, WrongState
from app.domain.impairment.targets import parse_relay_targets, problem_with_target
from app.domain.snapshot import Snapshot
from app.domain.spec import JobSpec, ReceiveSpec, RelaySpec, SendSpec
from app.domain.status import ALIVE
from app.protocol import Job


def check_relay(spec: JobSpec, others: Collection[Snapshot], allowed: str) -> None:
    """Refuse a relay that may not send to its target, or whose datagrams would come back to it."""
    if not isinstance(spec, RelaySpec):
        return
    target = spec.target
    if (problem := _problem_with_address(target.host, allowed)) is not None:
        raise InvalidInput.of({"target.host": problem})
    next_ports = {
        relay.listen_port: relay.target.port
        for snapshot in others
        if isinstance(relay := snapshot.spec, RelaySpec) and is_this_host(relay.target.host)
    }
    next_ports[spec.listen_port] = target.port
    port, seen = target.port, {spec.listen_port}
    while is_this_host(target.host):
        if port in seen:
            raise InvalidInput.of(
                {"target.port": f"{port} leads back to this relay; choose the port of the SRT endpoint"}
            )
        seen.add(port)
        if port not in next_ports:
            return
        port = next_ports[port]


def relay_spec(job: Job) -> RelaySpec:
    """Return the spec of a relay's job. Raises WrongState for another kind of stream."""
    if not isinstance(job.spec, RelaySpec):
        raise WrongState(f"{job.key} is not a relay; only a relay can impair")
    return job.spec


def mark_impaired(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """Return the snapshots. A stream that runs through a relay of this host has that relay's key."""
    relays = [
        (snapshot.key, snapshot.spec)
        for snapshot in snapshots
        if isinstance(snapshot.spec, RelaySpec) and snapshot.status.phase in ALIVE
    ]
    if not relays:
        return list(snapshots)
    return [msgspec.structs.replace(one, impaired_by=_relay_of(one.spec, relays)) for one in snapshots]


def is_this_host(host: str) -> bool:
    """Whether an address belongs to this host: only those can be bound. Of names, only `localhost` does."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host.lower() == "localhost"
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True


def _relay_of(spec: JobSpec, relays: Collection[tuple[str, RelaySpec]]) -> str:
    return next((key for key, relay in relays if _runs_through(spec, relay)), "")


def _runs_through(spec: JobSpec, relay: RelaySpec) -> bool:
    match spec:
        case RelaySpec():
            return spec == relay
        case SendSpec() | ReceiveSpec():
            if (remote := spec.endpoint.remote()) is None:
                return spec.endpoint.port == relay.target.port and is_this_host(relay.target.host)
            return remote.port == relay.listen_port and is_this_host(remote.host)
        case _:
            assert_never(spec)


def _problem_with_address(host: str, allowed: str) -> str | None:
    """Return what is wrong with an address. The worker resolves a name and checks the result."""
    try:
        return problem_with_target(host, parse_relay_targets(allowed))
    except ValueError:
        return None
