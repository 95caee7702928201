"""Connects to a worker's socket briefly: does it answer, what is its phase, how old is its newest sample."""

from __future__ import annotations

import select
import time
from typing import Final

import msgspec

from app import protocol
from app.domain.status import Phase
from app.machine.lines import LineReader, LineTooLong
from app.machine.steady_clock import steady_now
from app.protocol import LINE_BYTES_MAX, Ended, Hello, History, Point, Ready, Sample
from app.supervisor.launchers.base import WorkerHandle

_READ_BYTES: Final = 1 << 18
_SILENCE_S: Final = 2.5  # two samples in a row without an acknowledgement, as in `supervisor.health`


class Visit(msgspec.Struct):
    """What a worker reported. `sample_age_s` is None before its first sample."""

    is_greeted: bool = False
    is_receiver: bool = False
    is_ready: bool = False
    ended: Ended | None = None
    points: list[Point] = []

    def sample_age_s(self) -> float | None:
        """Return the seconds since the newest sample."""
        return None if not self.points else max(0.0, steady_now() - self.points[-1].steady_at)

    def phase(self) -> Phase:
        """Return the phase of the stream, from the samples of the last seconds."""
        if not self.points:
            return Phase.WAITING if self.is_ready else Phase.STARTING
        newest = self.points[-1]
        if not newest.peers:
            return Phase.WAITING
        before = [point for point in self.points if newest.steady_at - point.steady_at <= _SILENCE_S]
        counter = "input_bytes_total" if self.is_receiver else "acks_total"
        moves = getattr(newest, counter) > getattr(before[0], counter)
        return Phase.DELIVERING if moves or len(before) == 1 else Phase.STALLED

    def take(self, line: bytes) -> None:
        """Take in a line of the worker; a line of another version is ignored."""
        try:
            message = protocol.decode_from_worker(line)
        except msgspec.DecodeError:
            return
        match message:
            case Hello():
                self.is_greeted, self.is_receiver = True, message.spec.get("direction") == "receive"
            case History():
                self.points = [*message.readings(), *self.points]
            case Ready():
                self.is_ready = True
            case Sample(point):
                self.points.append(point)
            case Ended():
                self.ended = message
            case _:
                pass


def visit(worker: WorkerHandle, within_s: float, *, until_ready: bool = False) -> Visit:
    """Listen until the worker has sent a sample, that it is ready, or its end; for `within_s` seconds at most."""
    seen, lines, deadline = Visit(), LineReader(LINE_BYTES_MAX), time.monotonic() + within_s
    connection = None
    while connection is None and worker.is_alive() and time.monotonic() < deadline:
        connection = worker.connect()
        if connection is None:
            select.select([], [], [], 0.02)
    if connection is None:
        return seen
    with connection:
        while not _is_enough(seen, until_ready) and (left_s := deadline - time.monotonic()) > 0:
            if not select.select([connection], [], [], left_s)[0]:
                break
            try:
                received = connection.recv(_READ_BYTES)
                for line in lines.feed(received):
                    seen.take(line)
            except (OSError, LineTooLong):
                break
            if not received:
                break
    return seen


def _is_enough(seen: Visit, until_ready: bool) -> bool:
    return seen.ended is not None or (seen.is_ready if until_ready else bool(seen.points))
