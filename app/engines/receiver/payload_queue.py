"""Queues payloads for a slower thread, such as that of a disk or a decoder. The receiving thread never waits."""

from __future__ import annotations

import threading
from collections.abc import Sequence


class PayloadQueue:
    """A queue of at most `bytes_max` bytes. Payloads that do not fit are left out and counted. Safe for two threads."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._left_out = 0

    def put(self, payloads: Sequence[bytes]) -> None:
        """Add payloads, or leave all of them out."""
        size = sum(map(len, payloads))
        with self._lock:
            if self._waiting_bytes + size > self._bytes_max:
                self._left_out += size
                return
            self._waiting.extend(payloads)
            self._waiting_bytes += size

    def take(self) -> bytes:
        """Return everything that waits, which may be nothing."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._waiting_bytes = 0
        return b"".join(waiting)

    @property
    def bytes_waiting(self) -> int:
        """Return the number of bytes in the queue."""
        with self._lock:
            return self._waiting_bytes

    @property
    def bytes_left_out(self) -> int:
        """Return the number of bytes that did not fit so far."""
        with self._lock:
            return self._left_out
