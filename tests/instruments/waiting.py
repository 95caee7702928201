"""Waits for conditions, and finds free ports."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from typing import Literal, TypeVar

T = TypeVar("T")

# Below the kernel's ephemeral range (from 32768), so that no client socket gets a port before the test binds it.
_PORTS = (20_000, 32_000)


def wait_for(
    condition: Callable[[], T | Literal[False] | None], *, deadline_s: float, what: str, every_s: float = 0.05
) -> T:
    """Return the first true value of `condition`. Raises AssertionError that names `what` after `deadline_s`."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s:g} s: {what} (last seen: {value!r})")
        time.sleep(every_s)


def stays(condition: Callable[[], bool], *, for_s: float, what: str, every_s: float = 0.05) -> None:
    """Check for `for_s` that `condition` holds. Raises AssertionError that names `what` as soon as it does not."""
    end = time.monotonic() + for_s
    while time.monotonic() < end:
        if not condition():
            raise AssertionError(f"did not last {for_s:g} s: {what}")
        time.sleep(every_s)


def free_port() -> int:
    """Return a port that is free for UDP and for TCP on every IPv4 address of this host."""
    return free_ports(1).start


def free_ports(count: int) -> range:
    """Return `count` consecutive ports, each free for UDP and for TCP."""
    chance = random.Random()
    for _ in range(200):
        first = chance.randrange(_PORTS[0], _PORTS[1] - count)
        ports = range(first, first + count)
        if all(_is_free(port, kind) for port in ports for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)):
            return ports
    raise AssertionError(f"no {count} free ports in a row between {_PORTS[0]} and {_PORTS[1]}")


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
