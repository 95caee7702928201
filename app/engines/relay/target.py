"""Resolves the target of a relay and checks it against the allowed networks and the relay itself."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Collection

from app.domain.endings import CannotSend
from app.domain.impairment.targets import Network, problem_with_target
from app.domain.status import Reason
from app.engines.relay.sockets import SocketAddress


def find_target(host: str, port: int, allowed: Collection[Network], *, listen_port: int) -> tuple[int, SocketAddress]:
    """Return the family and address of the target. Raises CannotSend. Resolving a name may take seconds."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (socket.gaierror, UnicodeError) as error:
        raise CannotSend(Reason.HOST_NOT_FOUND, f"{host}: {error}") from None
    family, _, _, _, address = found[0]
    if problem := problem_with_target(str(address[0]), allowed):
        raise CannotSend(Reason.TARGET_REFUSED, problem)
    if port == listen_port and _is_of_this_host(family, str(address[0])):
        raise CannotSend(Reason.TARGET_REFUSED, f"{host} port {port} is this relay; choose the port of the SRT end")
    return family, address


def _is_of_this_host(family: int, address: str) -> bool:
    """Return whether an address is one of this host's: only those can be bound."""
    with contextlib.closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
