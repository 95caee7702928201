"""Runs a probe: receives for a while, reconnects when the connection breaks, and returns the account."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from app.domain.endings import CannotSend, Ending, Finished
from app.domain.figures.live_report import LiveReport
from app.domain.figures.reception import DeliveryPoint, Reception
from app.domain.probe_report import SECONDS_MAX
from app.domain.spec import ReceiveSpec
from app.domain.status import Reason
from app.machine.steady_clock import unix_now
from app.receiver.receiver import Receiver

_CALL_AGAIN_S: Final = 1.0
_SHORTEST_SECOND_S: Final = 0.7


class Wanted(msgspec.Struct, frozen=True):
    """How long to receive, counted from the first connection, and how long to wait for that connection."""

    seconds: int
    wait_s: int


class Outcome(msgspec.Struct, frozen=True):
    """What a probe found. Without a connection, `received` is None and `problem` says why.

    `history` has its newest whole seconds, oldest first.
    """

    started_at: float
    ended_at: float
    received: Reception | None = None
    history: tuple[DeliveryPoint, ...] = ()
    analysis: LiveReport | None = None
    problem: Reason | None = None
    detail: str = ""


OnSecond = Callable[[Reception, LiveReport], None]


class Probe:
    """One run. A signal handler may call `stop`: the run then ends with the results so far."""

    def __init__(self, spec: ReceiveSpec, wanted: Wanted, on_second: OnSecond) -> None:
        self._wanted = wanted
        self._on_second = on_second
        self._refused: Reason | None = None
        self._is_stopping = False
        self._connected_at: float | None = None
        self._call_at: float | None = None  # monotonic time of the next call, None while a call or connection exists
        self._history: deque[DeliveryPoint] = deque(maxlen=SECONDS_MAX)
        self._receiver = Receiver(spec, dscp=0, notify=self._hear)

    def stop(self) -> None:
        """End the run at the next turn."""
        self._is_stopping = True

    def _hear(self, event: object) -> None:
        reason = getattr(event, "reason", None)
        if isinstance(reason, Reason):
            self._refused = reason

    def run(self) -> Outcome:
        """Receive, and return the account."""
        started_at = unix_now()
        try:
            self._receiver.open()
            return self._receive(started_at)
        except Ending as end:
            return Outcome(started_at, unix_now(), problem=end.reason, detail=end.detail)
        finally:
            self._receiver.close()

    def _receive(self, started_at: float) -> Outcome:
        account: Reception | None = None
        due = time.monotonic() + 1.0
        while not self._is_stopping and not self._is_over(started_at):
            self._turn()
            if time.monotonic() >= due and self._connected_at is not None:
                due = max(due + 1.0, time.monotonic() + _SHORTEST_SECOND_S)
                account = self._receiver.close_second(unix_now())
                self._history.append(account.second)
                self._on_second(account, self._receiver.analysis(unix_now()))
            time.sleep(self._receiver.wait_s)
        if self._connected_at is None:
            reason = self._refused or Reason.CONNECTION_TIMEOUT
            return Outcome(started_at, unix_now(), problem=reason, detail="no sender has connected")
        now = unix_now()
        account = self._receiver.close_second(now)
        return Outcome(started_at, now, account, tuple(self._history), self._receiver.analysis(now))

    def _is_over(self, started_at: float) -> bool:
        if self._connected_at is None:
            return unix_now() - started_at > self._wanted.wait_s
        return unix_now() - self._connected_at >= self._wanted.seconds

    def _turn(self) -> None:
        if self._call_at is not None:
            self._call_again(self._call_at)
            return
        try:
            self._receiver.poll()
        except Finished:
            if self._connected_at is None:
                raise
            self._hang_up()
        if self._connected_at is None and self._receiver.input.connection is not None:
            self._connected_at = unix_now()
            self._receiver.reset(self._connected_at)

    def _hang_up(self) -> None:
        self._receiver.close()
        self._call_at = time.monotonic() + _CALL_AGAIN_S

    def _call_again(self, call_at: float) -> None:
        """Call once it is time. A call that cannot be made, for example without DNS, is repeated."""
        if time.monotonic() < call_at:
            return
        self._call_at = None
        try:
            self._receiver.open()
        except CannotSend:
            self._hang_up()
