"""Judges how severe a stream's state is, and why. Page, API, metrics and health use this judgement. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

from app.domain.attendance import FAULT_AFTER_S
from app.domain.constants import TS_PACKET_BYTES
from app.domain.figures.delivery_verdict import judge as judge_reception
from app.domain.receiver_loss import LOST_ATTENTION, LOST_FAULT
from app.domain.snapshot import Snapshot
from app.domain.spec.job import latency_ms_of
from app.domain.status import Order, Phase, Reason

# Haivision's rule of thumb is 4 x RTT, its least multiplier 3: below that it warns.
RATIO_ATTENTION: Final = 3.0
STALE_AFTER_S: Final = 3.0
REFUSED_LATELY_S: Final = 60.0
SOURCE_ERRORS_LATELY_S: Final = 60.0
# Share of the source's bytes: one damaged packet per hour is an event, not a lasting fault.
DISCARDS_TOLERATED: Final = 1e-4


class Severity(StrEnum):
    """How urgently a stream needs attention; the page's title shows the highest of all streams."""

    FAULT = "fault"
    ATTENTION = "attention"
    GOOD = "good"
    IDLE = "idle"


class Concern(StrEnum):
    """Why a stream needs attention although its phase does not show it."""

    DISCARDED = "discarded"
    RECEPTION = "reception"
    RECEIVERS_MISSING = "receivers_missing"
    LOST_AT_RECEIVER = "lost_at_receiver"
    RESENDS_HELD_BACK = "resends_held_back"
    DROPPING = "dropping"
    SOURCE_ERRORS = "source_errors"
    LATENCY_SHORT = "latency_short"
    REFUSED = "refused"
    STAYS_DOWN = "stays_down"
    OTHER_VERSION = "other_version"


class Verdict(msgspec.Struct, frozen=True):
    """`concern` is the most severe one; `ratio_severity` and `loss_severity` set the colours of their figures."""

    severity: Severity
    concern: Concern | None
    ratio_severity: Severity
    loss_severity: Severity
    is_stale: bool


_OF_PHASE: Final = {
    Phase.STARTING: Severity.IDLE,
    Phase.WAITING: Severity.IDLE,
    Phase.DELIVERING: Severity.GOOD,
    Phase.STALLED: Severity.FAULT,
    Phase.BACKING_OFF: Severity.FAULT,
    Phase.STOPPING: Severity.IDLE,
    Phase.STOPPED: Severity.IDLE,
    Phase.FAILED: Severity.FAULT,
}
# On air, or trying to be.
ORDERED: Final = frozenset({*_OF_PHASE} - {Phase.STOPPING, Phase.STOPPED, Phase.FAILED})
_ON_AIR: Final = frozenset({Phase.WAITING, Phase.DELIVERING, Phase.STALLED})
_RANK: Final = {Severity.FAULT: 0, Severity.ATTENTION: 1, Severity.GOOD: 2, Severity.IDLE: 2}


def judge(snapshot: Snapshot, now: float) -> Verdict:
    """Judge a stream at `now`, Unix time."""
    severity, concern = _severity_of_phase(snapshot), None
    for found, why in _concerns(snapshot, now):
        # The first concern is named where the phase itself has no reason; the worst severity counts.
        if _RANK[found] < _RANK[severity] or (concern is None and _RANK[found] == _RANK[severity]):
            severity, concern = found, why
    return Verdict(
        severity=severity,
        concern=concern,
        ratio_severity=_severity_of_ratio(snapshot),
        loss_severity=loss_severity(lost_at_receiver(snapshot)),
        is_stale=snapshot.sample_age_s is not None and snapshot.sample_age_s > STALE_AFTER_S,
    )


def ratio_severity(ratio: float | None) -> Severity:
    """Return the severity of a latency / RTT ratio, of the figure and of the stream; IDLE if it is not known.

    A low ratio alone is no fault: a stream that loses packets because of it is one by its loss.
    """
    if ratio is None:
        return Severity.IDLE
    return Severity.ATTENTION if ratio < RATIO_ATTENTION else Severity.GOOD


def loss_severity(fraction: float | None) -> Severity:
    """Return the severity of a fraction of packets lost at the receiver; IDLE if it is not known."""
    if fraction is None:
        return Severity.IDLE
    if fraction > LOST_FAULT:
        return Severity.FAULT
    return Severity.ATTENTION if fraction > LOST_ATTENTION else Severity.GOOD


def least_ratio(snapshot: Snapshot) -> float | None:
    """Return the lowest latency / RTT ratio of its peers, None without a peer."""
    peers = snapshot.sample.peers if snapshot.sample else []
    asked_ms = latency_ms_of(snapshot.spec) or 0
    ratios = [round((peer.negotiated_latency_ms or asked_ms) / peer.rtt_ms, 1) for peer in peers if peer.rtt_ms > 0]
    return min(ratios, default=None)


def lost_at_receiver(snapshot: Snapshot) -> float | None:
    """Return the highest estimated loss of any receiver as a fraction, None if it is not known."""
    return snapshot.sample.point.lost_at_receiver if snapshot.sample else None


def discards(snapshot: Snapshot) -> bool:
    """Whether the engine discards a significant part of the source."""
    if snapshot.sample is None:
        return False
    source = snapshot.sample.input
    return source.packets_discarded_total * TS_PACKET_BYTES > DISCARDS_TOLERATED * source.bytes_total


def _severity_of_phase(snapshot: Snapshot) -> Severity:
    """Return the severity of the phase. A retry does not clear a fault; only delivery does."""
    phase, is_caller = snapshot.status.phase, snapshot.spec.is_call
    if snapshot.status.reason is not None and phase in (Phase.STARTING, Phase.WAITING):
        # A waiting listener has its port again. A waiting caller has not reached its far end yet.
        return Severity.FAULT if is_caller or phase is Phase.STARTING else Severity.ATTENTION
    if snapshot.status.reason is Reason.NO_ACKNOWLEDGEMENT and snapshot.attendance.missing:
        return Severity.GOOD  # a receiver was lost, which is a separate concern
    return _OF_PHASE[phase]


def _concerns(snapshot: Snapshot, now: float) -> Iterator[tuple[Severity, Concern]]:
    """Return every concern; of equally severe ones, the most important first."""
    phase = snapshot.status.phase
    if discards(snapshot):
        yield Severity.FAULT, Concern.DISCARDED
    since = snapshot.attendance.missing_since
    if snapshot.status.order is Order.RUN and since is not None:
        is_long = now - since >= FAULT_AFTER_S
        yield Severity.FAULT if is_long else Severity.ATTENTION, Concern.RECEIVERS_MISSING
    if phase is Phase.DELIVERING:
        yield from _delivery_concerns(snapshot)
    errors_at = snapshot.source_errors_at
    if phase in _ON_AIR and errors_at is not None and now - errors_at < SOURCE_ERRORS_LATELY_S:
        yield Severity.ATTENTION, Concern.SOURCE_ERRORS
    if phase is Phase.DELIVERING and _severity_of_ratio(snapshot) is Severity.ATTENTION:
        yield Severity.ATTENTION, Concern.LATENCY_SHORT
    if phase is Phase.WAITING and any(now - refusal.last_at < REFUSED_LATELY_S for refusal in snapshot.refusals):
        yield Severity.ATTENTION, Concern.REFUSED
    if snapshot.fault is not None and phase in _ON_AIR:
        yield Severity.ATTENTION, Concern.STAYS_DOWN
    if snapshot.is_other_version:
        yield Severity.ATTENTION, Concern.OTHER_VERSION


def _severity_of_ratio(snapshot: Snapshot) -> Severity:
    """Return the severity of the lowest ratio. A receive stream counts what it loses, so its ratio is not judged."""
    return Severity.IDLE if snapshot.reception is not None else ratio_severity(least_ratio(snapshot))


def _delivery_concerns(snapshot: Snapshot) -> Iterator[tuple[Severity, Concern]]:
    if snapshot.reception is not None:
        severity = Severity(judge_reception(snapshot.reception, lambda at: "", outputs=snapshot.outputs).severity)
        if severity is not Severity.GOOD:
            yield severity, Concern.RECEPTION
        return
    point = snapshot.sample.point if snapshot.sample else None
    severity = loss_severity(point.lost_at_receiver if point else None)
    if point is not None and severity in (Severity.FAULT, Severity.ATTENTION):
        yield severity, Concern.RESENDS_HELD_BACK if point.is_held_back else Concern.LOST_AT_RECEIVER
    if snapshot.rates is not None and snapshot.rates.grown.packets_dropped_total:
        yield Severity.ATTENTION, Concern.DROPPING
