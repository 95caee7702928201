"""The life of a stream: order, phase and reason, and how events change them.

`step` is the only place that decides. It is pure; its tests are sequences of events.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, assert_never

import msgspec

from app.domain.reasons import CRASHES, CRASHES_ALLOWED, back_off_s
from app.domain.reasons import NOT_RETRIABLE as NOT_RETRIABLE
from app.domain.reasons import Reason as Reason


class Order(StrEnum):
    """What the operator wants."""

    RUN = "run"
    STOP = "stop"


class Phase(StrEnum):
    """The actual state of a stream."""

    STARTING = "starting"
    WAITING = "waiting"
    DELIVERING = "delivering"
    STALLED = "stalled"
    BACKING_OFF = "backing_off"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


HEALED_AFTER_S: Final = 60.0


class Health(msgspec.Struct, frozen=True):
    """What one sample shows: whether a peer is connected and acknowledges, and whether input arrives.

    `is_input_discarded` means that the engine discards packets of the source and sends nothing.
    """

    connected: bool
    acknowledged: bool
    has_input: bool
    is_input_discarded: bool = False


class Launched(msgspec.Struct, frozen=True):
    """A worker process was started, or adopted."""


class Ready(msgspec.Struct, frozen=True):
    """The worker reports that its pipeline plays: the port is bound, or the call was sent."""


class Sampled(msgspec.Struct, frozen=True):
    """A sample came in."""

    health: Health


class Ended(msgspec.Struct, frozen=True):
    """The worker is gone. END_OF_FILE is a normal end. `jitter` in 0..1 spreads the retries of many streams."""

    reason: Reason
    jitter: float = 0.0


class StopOrdered(msgspec.Struct, frozen=True):
    """The operator wants it off air."""


class StartOrdered(msgspec.Struct, frozen=True):
    """The operator wants it on air, perhaps again."""


Event = Launched | Ready | Sampled | Ended | StopOrdered | StartOrdered


class Status(msgspec.Struct, frozen=True):
    """A stream's order, phase and reason, with the values that the next decision needs.

    Times are seconds on one clock, the caller's. `restarts` counts launches after the first since the stream was
    ordered to run; `attempts` those since it last delivered for HEALED_AFTER_S; `has_served` is of the present worker.
    """

    order: Order
    phase: Phase
    since: float
    reason: Reason | None = None
    retry_at: float | None = None
    delivering_since: float | None = None
    attempts: int = 0
    crashes: int = 0
    restarts: int = 0
    has_served: bool = False


LEGAL_MOVES: Final[dict[Phase, frozenset[Phase]]] = {
    Phase.STARTING: frozenset(
        {Phase.WAITING, Phase.DELIVERING, Phase.STALLED, Phase.BACKING_OFF, Phase.FAILED, Phase.STOPPING, Phase.STOPPED}
    ),
    Phase.WAITING: frozenset(
        {Phase.DELIVERING, Phase.STALLED, Phase.BACKING_OFF, Phase.FAILED, Phase.STOPPING, Phase.STOPPED}
    ),
    Phase.DELIVERING: frozenset(
        {Phase.WAITING, Phase.STALLED, Phase.BACKING_OFF, Phase.FAILED, Phase.STOPPING, Phase.STOPPED}
    ),
    Phase.STALLED: frozenset(
        {Phase.WAITING, Phase.DELIVERING, Phase.BACKING_OFF, Phase.FAILED, Phase.STOPPING, Phase.STOPPED}
    ),
    Phase.BACKING_OFF: frozenset({Phase.STARTING, Phase.STOPPED}),
    Phase.STOPPING: frozenset({Phase.STOPPED, Phase.STARTING}),
    Phase.STOPPED: frozenset({Phase.STARTING}),
    Phase.FAILED: frozenset({Phase.STARTING, Phase.STOPPED}),
}
ALIVE: Final = frozenset({Phase.STARTING, Phase.WAITING, Phase.DELIVERING, Phase.STALLED, Phase.STOPPING})


def new_status(now: float) -> Status:
    """Return the status of a stream that was just ordered to run and has no worker yet."""
    return Status(order=Order.RUN, phase=Phase.STARTING, since=now)


def at_rest(status: Status | None, fault: Reason | None, now: float) -> Status:
    """Return the status of a stream of an earlier process that has no worker and must not start by itself.

    With a `fault` it is FAILED for that reason. Without one it keeps its last phase, or is STOPPED.
    """
    if fault is not None:
        return Status(order=Order.RUN, phase=Phase.FAILED, since=now, reason=fault)
    if status is not None and status.phase in (Phase.STOPPED, Phase.FAILED):
        return msgspec.structs.replace(status, order=Order.STOP)
    return Status(order=Order.STOP, phase=Phase.STOPPED, since=now)


def step(status: Status, event: Event, now: float) -> Status:
    """Return the status after `event` at `now`. An event that does not concern the phase changes nothing."""
    match event:
        case Launched():
            return _launched(status, now)
        case Ready():
            return _moved(status, Phase.WAITING, now, status.reason) if status.phase is Phase.STARTING else status
        case Sampled(health):
            return _sampled(status, health, now)
        case Ended(reason, jitter):
            return _ended(status, reason, jitter, now)
        case StopOrdered():
            return _stop_ordered(status, now)
        case StartOrdered():
            return _start_ordered(status, now)
        case _:
            assert_never(event)


def _launched(status: Status, now: float) -> Status:
    if status.phase is Phase.BACKING_OFF:
        restarted = msgspec.structs.replace(status, retry_at=None, restarts=status.restarts + 1, has_served=False)
        # The reason of the last fault stays visible until the stream delivers again.
        return _moved(restarted, Phase.STARTING, now, reason=status.reason)
    return status


def _sampled(status: Status, health: Health, now: float) -> Status:
    if status.phase not in ALIVE or status.phase is Phase.STOPPING:
        return status
    if not health.has_input:
        return _moved(status, Phase.STALLED, now, reason=Reason.NO_INPUT)
    if not health.connected:
        reason = status.reason if status.phase in (Phase.STARTING, Phase.WAITING) else None
        return _moved(status, Phase.WAITING, now, reason=reason)
    if not health.acknowledged:
        reason = Reason.SCRAMBLED if health.is_input_discarded else Reason.NO_ACKNOWLEDGEMENT
        return _moved(status, Phase.STALLED, now, reason=reason)
    delivering = _moved(status, Phase.DELIVERING, now)
    since = status.delivering_since if status.phase is Phase.DELIVERING else now
    healed = since is not None and now - since >= HEALED_AFTER_S
    return msgspec.structs.replace(
        delivering,
        delivering_since=since,
        has_served=True,
        attempts=0 if healed else status.attempts,
        crashes=0 if healed else status.crashes,
    )


def _ended(status: Status, reason: Reason, jitter: float, now: float) -> Status:
    if status.phase not in ALIVE:
        return status
    if status.phase is Phase.STOPPING:
        # A start that was requested meanwhile waited for the old worker to leave: two cannot share a port.
        return _moved(status, Phase.STOPPED, now) if status.order is Order.STOP else new_status(now)
    if reason is Reason.END_OF_FILE:
        return msgspec.structs.replace(_moved(status, Phase.STOPPED, now, reason=reason), order=Order.STOP)
    crashes = status.crashes + 1 if reason in CRASHES else status.crashes
    if reason in NOT_RETRIABLE or crashes >= CRASHES_ALLOWED:
        failed = _moved(status, Phase.FAILED, now, reason=reason)
        return msgspec.structs.replace(failed, crashes=crashes)
    return msgspec.structs.replace(
        _moved(status, Phase.BACKING_OFF, now, reason=reason),
        retry_at=now + back_off_s(reason, _tries_that_count(status, reason), jitter),
        attempts=status.attempts + 1,
        crashes=crashes,
    )


def _tries_that_count(status: Status, reason: Reason) -> int:
    """Count the tries that prolong the back-off: none if the far end was connected until now.

    libsrt needs 5 s to notice the loss of a peer that does not close its connection. By then the peer may have
    returned. The phase does not show that it was connected: a sample between the loss and the worker's end makes it
    WAITING.
    """
    return 0 if reason is Reason.CONNECTION_LOST and status.has_served else status.attempts


def _stop_ordered(status: Status, now: float) -> Status:
    ordered = msgspec.structs.replace(status, order=Order.STOP, retry_at=None)
    if status.phase in ALIVE:
        return _moved(ordered, Phase.STOPPING, now)
    return _moved(ordered, Phase.STOPPED, now, reason=status.reason if status.phase is Phase.STOPPED else None)


def _start_ordered(status: Status, now: float) -> Status:
    if status.phase is Phase.STOPPING:
        return msgspec.structs.replace(status, order=Order.RUN)
    return status if status.phase in ALIVE else new_status(now)


def _moved(status: Status, phase: Phase, now: float, reason: Reason | None = None) -> Status:
    if phase is status.phase:
        return msgspec.structs.replace(status, reason=reason)
    if phase not in LEGAL_MOVES[status.phase]:
        raise AssertionError(f"{status.phase} does not lead to {phase}")
    return msgspec.structs.replace(
        status,
        phase=phase,
        since=now,
        reason=reason,
        delivering_since=now if phase is Phase.DELIVERING else None,
    )
