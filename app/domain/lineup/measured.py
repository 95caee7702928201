"""The measurements of both ends during a run, second by second. A gauge is None if it could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from app.domain.figures.merging import later
from app.domain.figures.reception import DeliveryPoint, ErrorKind
from app.domain.lineup.content import Content
from app.domain.lineup.margin import Margin


class ReceiverSecond(msgspec.Struct, frozen=True, array_like=True):
    """One second at the receiver. `at` is its end, Unix time. `frozen_ms` is a pause that delayed packets.

    `is_held_up`: the receiving host itself was too busy to receive in time.
    """

    at: float
    packets_unique: int = 0
    packets_lost: int = 0
    continuity_errors: int = 0
    encoder_errors: int = 0
    gap_ms: float = 0.0
    frozen_ms: float = 0.0
    latency_ms: int | None = None
    headroom_ms: int | None = None
    rtt_ms: float | None = None
    lateness_ms: float | None = None
    is_connected: bool = True
    is_held_up: bool = False


def receiver_second(point: DeliveryPoint) -> ReceiverSecond:
    """Convert a second of a reception into the form that a run keeps."""
    received, gauges = point.received, point.gauges
    is_encoder = ErrorKind.CONTINUITY_ENCODER in point.errors
    return ReceiverSecond(
        at=point.at,
        packets_unique=received.packets_unique,
        packets_lost=received.packets_dropped + received.packets_undecryptable,
        continuity_errors=received.continuity_errors,
        encoder_errors=received.continuity_errors if is_encoder else 0,
        gap_ms=point.gap_ms,
        frozen_ms=point.frozen_ms,
        latency_ms=gauges.latency_ms,
        headroom_ms=gauges.headroom_ms,
        rtt_ms=gauges.rtt_ms,
        lateness_ms=point.lateness_max_ms,
        is_connected=gauges.connections > 0,
        is_held_up=ErrorKind.HELD_UP in point.errors,
    )


class SenderSecond(msgspec.Struct, frozen=True, array_like=True):
    """One second at the sender. `at` is its end, Unix time."""

    at: float
    packets_unique: int = 0
    packets_retransmitted: int = 0
    packets_dropped: int = 0
    peers: int = 0
    payload_mbps: float = 0.0
    wire_mbps: float = 0.0
    rtt_ms: float | None = None


class CheckVerdict(StrEnum):
    """The result of one line.

    UNKNOWN: not measured; counts as a remark. SKIPPED: not requested; does not count.
    """

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    REMARK = "remark"
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Check(msgspec.Struct, frozen=True):
    """One line of the configuration test: what was requested, what was found, and the verdict."""

    title: str
    asked: str
    got: str
    limit: str
    verdict: CheckVerdict


class IndicatorSeconds(msgspec.Struct, frozen=True):
    """The seconds in which one indicator of TR 101 290 was in error during the run."""

    name: str
    priority: int
    error_seconds: int


class Measured(msgspec.Struct, frozen=True):
    """Everything that a run has measured so far.

    `indicators` is None where no receiver of ours analyses, `content` where none decodes, `margin` until the margin
    test begins. `sender_delayed` has the times at which the sending host reported that it delayed the stream itself,
    `reconnected` those at which the end on this host was connected again after the beginning.
    """

    sender: tuple[SenderSecond, ...] = ()
    receiver: tuple[ReceiverSecond, ...] = ()
    indicators: tuple[IndicatorSeconds, ...] | None = None
    cap_mbps: float | None = None
    checks: tuple[Check, ...] = ()
    content: Content | None = None
    margin: Margin | None = None
    sender_delayed: tuple[float, ...] = ()
    reconnected: tuple[float, ...] = ()


def extended(
    measured: Measured, *, sender: Sequence[SenderSecond] = (), receiver: Sequence[ReceiverSecond] = ()
) -> Measured:
    """Return `measured` with the seconds that are later than those it already has."""
    return msgspec.structs.replace(
        measured,
        sender=measured.sender + later(sender, _last(measured.sender)),
        receiver=measured.receiver + later(receiver, _last(measured.receiver)),
    )


def _last(seconds: Sequence[SenderSecond] | Sequence[ReceiverSecond]) -> float:
    return seconds[-1].at if seconds else 0.0
