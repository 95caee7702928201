"""Estimates from the sender's figures how much of a programme a receiver probably misses.

A sender cannot count it: a resent packet may still arrive too late. The rule was measured with libsrt at both ends
and a seeded relay (docs/statistics.md#lost-at-receiver). With random loss p and a latency of k round trips, about p^k
remains lost; p itself remains lost once the resends reach the sending cap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from app.domain.advice.recommendation import residual_loss
from app.domain.constants import SRT_HEADER_BYTES, SRT_PAYLOAD_BYTES

UNCERTAINTY_FACTOR: Final = 3
LOST_FAULT: Final = 1e-4
# A true loss above LOST_FAULT must never look good, although the estimate is uncertain.
LOST_ATTENTION: Final = LOST_FAULT / UNCERTAINTY_FACTOR
# How often loss reports name a resent packet again before it can have arrived: the maximum, and the mean for resends
# that have to wait.
_NAMED_AGAIN_MOST: Final = 1.7
_NAMED_AGAIN_WAITING: Final = 1.3
# New packets are sent first, and a resend waits for the remaining room. Losses and new packets come in clusters:
# fewer resends wait than in a queue with even arrivals (M/D/1), but those wait much longer.
_WAITING: Final = 0.12
_CLUSTERING: Final = 0.38
_GRACE_MS: Final = 4.0  # how late libsrt's receiver accepts a packet
_ACKNOWLEDGED_EVERY_MS: Final = 10.0
_OVERDUE_SHARE: Final = 0.25  # share of the readings; a smaller one may be a pause of either end
_OVERDUE_RATIO: Final = 1.5  # of latency and RTT; with less, a packet that was in time may look overdue
_HELD_BACK_SHARE: Final = 0.1  # above this share of late resends, the cause is reported
# Exponents of the loss at latencies of less than two round trips.
_NO_REPAIR_BELOW: Final = 0.95  # of a round trip: RTT is smoothed, so a little less than one may be one
_EXPONENTS: Final = ((_NO_REPAIR_BELOW, 1.1), (1.5, 1.85), (2.0, 2.0))


class Reading(msgspec.Struct, frozen=True):
    """The sender at one moment. None if the engine cannot read a figure.

    `unsent` packets wait for their first transmission; the newest was passed to libsrt `ahead_ms` before it was due.
    `unacknowledged_ms` is the age of the oldest packet that the receiver has not acknowledged.
    """

    rtt_ms: float
    unsent: int | None = None
    unacknowledged_ms: int | None = None
    ahead_ms: float = 0.0


class Traffic(msgspec.Struct, frozen=True):
    """A sender's counts over some seconds: first transmissions, resent packets, packets named by loss reports."""

    seconds: float
    unique: int
    resent: int
    reported: int
    wire_mbps: float


class LossEstimate(msgspec.Struct, frozen=True):
    """`fraction` of the packets, within a factor of UNCERTAINTY_FACTOR; `is_held_back`: the cap delays the resends."""

    fraction: float
    is_held_back: bool


def estimate_loss(
    traffic: Traffic, readings: Sequence[Reading], *, latency_ms: int, cap_mbps: float | None
) -> LossEstimate | None:
    """Estimate the loss from some seconds of traffic and its readings; None if nothing was sent or no RTT is known.

    `cap_mbps` is the sending cap in force, None or 0 without one.
    """
    readings = [reading for reading in readings if reading.rtt_ms > 0]
    if traffic.unique <= 0 or not readings:
        return None
    loss, most = path_loss(traffic)
    queue = _ResendQueue(traffic, cap_mbps) if cap_mbps else None
    late = [queue.late_share(latency_ms - reading.rtt_ms) if queue else 0.0 for reading in readings]
    fraction = _mean(
        [
            min(
                most,
                _residual(loss, max(0.0, latency_ms - _waiting_ms(reading, cap_mbps)) / reading.rtt_ms) + share * most,
            )
            for reading, share in zip(readings, late, strict=True)
        ]
    )
    fraction = max(fraction, min(most, _overdue_loss(traffic, readings, latency_ms)))
    is_held_back = _mean(late) > _HELD_BACK_SHARE and latency_ms > readings[-1].rtt_ms and loss > 0
    return LossEstimate(fraction, is_held_back)


def path_loss(traffic: Traffic) -> tuple[float, float]:
    """Return the fraction that the path certainly loses, and the one that it probably loses when resends wait.

    Resent packets are lost as often as others, so r = p / (1 - p) are resent. A sender without room below its cap or
    without CPU time resends less than requested, but the receiver still reports each lost packet at least once.
    """
    resent, reported = traffic.resent / traffic.unique, traffic.reported / traffic.unique
    loss = max(resent / (1 + resent), min(1.0, reported - _NAMED_AGAIN_MOST * resent))
    demand = _demand(traffic)
    return loss, max(loss, demand / (1 + demand))


def _demand(traffic: Traffic) -> float:
    """Return how many resends per first transmission the receiver requests, sent or not."""
    return max(traffic.resent, traffic.reported - _NAMED_AGAIN_WAITING * traffic.resent) / traffic.unique


class _ResendQueue:
    """Resends that wait for room below the cap. New packets go first; resends use the remaining rate."""

    def __init__(self, traffic: Traffic, cap_mbps: float) -> None:
        first_mbps = traffic.wire_mbps * traffic.unique / (traffic.unique + traffic.resent)
        room = max(1e-9, 1 - first_mbps / cap_mbps)
        self._use = _demand(traffic) * (1 - room) / room
        self._idle = (1 - self._use) * room
        self._packet_ms = _packet_ms(cap_mbps)

    def late_share(self, slack_ms: float) -> float:
        """Return the share of resends that wait longer than the latency allows, 0 to 1."""
        if self._use >= 1:
            return 1.0
        waits = (max(0.0, slack_ms) + _GRACE_MS) / self._packet_ms
        waiting = _WAITING * self._use / (1 - (1 - _WAITING) * self._use)
        return waiting * math.exp(-_CLUSTERING * self._idle * waits)


def _overdue_loss(traffic: Traffic, readings: Sequence[Reading], latency_ms: int) -> float:
    """Return the loss that missing acknowledgements show, 0 when too few are missing.

    A receiver acknowledges nothing after a gap until it gives the gap up, one latency after the packet was due. The
    oldest packet is therefore overdue in the last half round trip before that. Each such gap was lost for good.
    """
    rtt_ms = _mean([reading.rtt_ms for reading in readings])
    overdue = sum((reading.unacknowledged_ms or 0) >= latency_ms + reading.rtt_ms / 2 for reading in readings)
    if latency_ms < _OVERDUE_RATIO * rtt_ms or overdue < _OVERDUE_SHARE * len(readings):
        return 0.0
    share = min(overdue, len(readings) - 0.5) / len(readings)
    seen_s = (rtt_ms / 2 + _ACKNOWLEDGED_EVERY_MS) / 1000
    return -math.log(1 - share) / seen_s / (traffic.unique / traffic.seconds)


def _residual(loss: float, k: float) -> float:
    if k >= _EXPONENTS[-1][0] or loss <= 0:
        return residual_loss(loss, k)
    if k < _NO_REPAIR_BELOW:
        return loss
    for (k_low, low), (k_high, high) in pairwise(_EXPONENTS):
        if k <= k_high:
            return float(loss ** (low + (high - low) * (k - k_low) / (k_high - k_low)))
    return residual_loss(loss, k)


def _waiting_ms(reading: Reading, cap_mbps: float | None) -> float:
    """Return how long a new packet waits in the sender after it is due.

    SRT counts the latency from that moment, so less time is left for repairs.
    """
    return max(0.0, (reading.unsent or 0) * _packet_ms(cap_mbps) - reading.ahead_ms) if cap_mbps else 0.0


def _mean(values: Sequence[float]) -> float:
    """Not statistics.fmean: that module loads fractions and random, 0.3 MB in each worker."""
    return math.fsum(values) / len(values)


def _packet_ms(cap_mbps: float) -> float:
    """Return how long a full packet takes at the cap."""
    return (SRT_PAYLOAD_BYTES + SRT_HEADER_BYTES) * 8 / cap_mbps / 1000
