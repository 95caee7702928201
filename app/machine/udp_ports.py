"""Finds which UDP ports of this host are taken. It does not bind them, so simultaneous checks do not collide."""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path
from typing import Final

# The kernel's lists of bound sockets (proc(5), proc_net_udp(5)): the second column is local address and port in hex.
_IPV4: Final = Path("/proc/net/udp")
_IPV6: Final = Path("/proc/net/udp6")


def bound_ports() -> set[int]:
    """Return the ports that a program holds on any IPv4 address, or on IPv6 in a way that excludes IPv4."""
    ipv4 = _ports_in(_IPV4)
    return ipv4 | {port for port in _ports_in(_IPV6) - ipv4 if _bind_is_refused(port)}


def is_bound(port: int) -> bool:
    """Whether a program holds the UDP port."""
    return port in _ports_in(_IPV4) or (port in _ports_in(_IPV6) and _bind_is_refused(port))


def _ports_in(path: Path) -> set[int]:
    try:
        lines = path.read_text().splitlines()[1:]
    except OSError:
        return set()
    return {int(line.split()[1].rpartition(":")[2], 16) for line in lines}


def _bind_is_refused(port: int) -> bool:
    """Try to bind the port: an IPv6 socket does not show whether it takes IPv4 too."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.bind(("", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False
