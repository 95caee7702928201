"""Measures the round-trip time with a TCP handshake, for hosts that do not answer ping."""

from __future__ import annotations

import socket
import time
from typing import Final

HANDSHAKE_TIMEOUT_S: Final = 2.0


def handshake_rtt_ms(address: str, port: int, *, timeout_s: float = HANDSHAKE_TIMEOUT_S) -> float | None:
    """Return the time from SYN to its answer in ms, None without an answer in time.

    A refusal is an answer too, because it made the same round trip. `address` must not be a name, so that no resolver
    delays this.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        started = time.perf_counter()
        try:
            connection.connect((address, port))
        except ConnectionRefusedError:
            pass
        except OSError:
            return None
        return (time.perf_counter() - started) * 1000
