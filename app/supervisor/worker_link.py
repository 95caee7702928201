"""The supervisor's end of a worker's link: connects, reads lines and decodes them. Never blocks.

A worker reads what strangers send. A worker that misbehaves must affect only its own stream, not the supervisor.
Therefore a turn reads a bounded number of bytes, a line has a bounded length, and a worker that keeps sending more than
any healthy worker is reported by LinkAbused.
"""

from __future__ import annotations

import socket
from typing import Final

import msgspec

from app import protocol
from app.machine.lines import LineReader, LineTooLong
from app.protocol import LINE_BYTES_MAX, FromWorker, ToWorker
from app.supervisor.launchers.base import WorkerHandle

TURN_BYTES_MAX: Final = 1024 * 1024
_READ_BYTES: Final = 1 << 18
# A healthy worker keeps at most 8 MB for a listener that was away; its samples, with hundreds of peers, are below 1 MB.
_BURST_BYTES_MAX: Final = 24 * 1024 * 1024
_BYTES_PER_S_MAX: Final = 2 * 1024 * 1024


class LinkAbused(Exception):
    """The worker sends what no healthy worker sends; the text describes it."""


class NotUnderstood:
    """This version cannot decode a line: a worker of another version sent it."""


class WorkerLink:
    """One connection at a time to a worker; `connection` is None without one."""

    def __init__(self) -> None:
        self.connection: socket.socket | None = None
        self._lines = LineReader(LINE_BYTES_MAX)
        self._credit_bytes = float(_BURST_BYTES_MAX)
        self._credited_at: float | None = None

    def open(self, worker: WorkerHandle) -> None:
        """Connect if there is no connection. If the worker does not serve, or hangs, the next call tries again."""
        if self.connection is None:
            self._lines = LineReader(LINE_BYTES_MAX)  # an incomplete line does not continue in a new connection
            self.connection = worker.connect()

    def read(self, now: float) -> list[FromWorker | NotUnderstood]:
        """Return what the worker has sent, as much as one turn handles. Raises LinkAbused."""
        messages: list[FromWorker | NotUnderstood] = []
        taken_bytes = 0
        while self.connection is not None and taken_bytes < TURN_BYTES_MAX:
            try:
                received = self.connection.recv(_READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                received = b""
            if not received:
                self.close()
                break
            taken_bytes += len(received)
            messages += self._decoded(received)
        self._spend(taken_bytes, now)
        return messages

    def _decoded(self, received: bytes) -> list[FromWorker | NotUnderstood]:
        try:
            return [_decode(line) for line in self._lines.feed(received)]
        except LineTooLong:
            raise LinkAbused(f"the worker sent a line of more than {LINE_BYTES_MAX >> 20} MB") from None

    def _spend(self, taken_bytes: int, now: float) -> None:
        earned = 0.0 if self._credited_at is None else (now - self._credited_at) * _BYTES_PER_S_MAX
        self._credited_at = now
        self._credit_bytes = min(_BURST_BYTES_MAX, self._credit_bytes + max(0.0, earned)) - taken_bytes
        if self._credit_bytes < 0:
            raise LinkAbused("the worker sent too much on its link")

    def say(self, message: ToWorker) -> None:
        """Send an order, if there is a connection.

        A connection that does not take the whole order is closed: the rest of a line would spoil the next order.
        """
        if self.connection is not None:
            order = protocol.encode(message)
            try:
                is_sent = self.connection.send(order) == len(order)
            except OSError:
                is_sent = False
            if not is_sent:
                self.close()

    def close(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def _decode(line: bytes) -> FromWorker | NotUnderstood:
    try:
        return protocol.decode_from_worker(line)
    except msgspec.DecodeError:
        return NotUnderstood()
