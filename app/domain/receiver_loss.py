"""How much of a programme a receiver probably misses, estimated from what its sender can see.

A sender cannot count it: a resent packet proves a request, not a repair. The law was measured with libsrt at both ends
and a seeded relay (docs/statistics.md#lost-at-receiver): with random loss p and a latency of k round trips about p^k
remains lost, and p itself once the resends reach the sending cap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean
from typing import Final

import msgspec

from app.domain.advice.recommendation import residual_loss
from app.domain.constants import SRT_HEADER_BYTES, SRT_PAYLOAD_BYTES

UNCERTAINTY_FACTOR: Final = 3
LOST_FAULT: Final = 1e-4
# What is really above LOST_FAULT must never look good, however uncertain the estimate is.
LOST_ATTENTION: Final = LOST_FAULT / UNCERTAINTY_FACTOR
# A resend waits behind new packets as in a queue (M/D/1) whose server sends one packet after another at the cap.
_BURSTINESS: Final = 0.8
_UNEVENNESS: Final = 0.01  # the cap is used more in some moments than over the whole interval
_GRACE_MS: Final = 4.0  # by which libsrt's receiver lets a packet come late
_HELD_BACK_SHARE: Final = 0.1  # so many of the resends too late are worth saying why
# Exponents of the loss at latencies of less than two round trips.
_NO_REPAIR_BELOW: Final = 0.95  # of a round trip: RTT is smoothed, so a little less than one may be one
_EXPONENTS: Final = ((_NO_REPAIR_BELOW, 1.1), (1.5, 1.85), (2.0, 2.0))


class LossEstimate(msgspec.Struct, frozen=True):
    """`fraction` of the packets, within a factor of UNCERTAINTY_FACTOR; `is_held_back`: the cap delays the resends."""

    fraction: float
    is_held_back: bool


def estimate_loss(
    *,
    unique: int,
    resent: int,
    rtt_ms: float,
    latency_ms: int,
    wire_mbps: float,
    cap_mbps: float | None,
    unsent: Sequence[int] = (),
) -> LossEstimate | None:
    """Estimate from packets sent once and again over some seconds; None when nothing was sent or no RTT is known.

    `cap_mbps` is the sending cap in force, None or 0 without one. `unsent` is how many packets waited in the sender for
    their first transmission, at each reading of those seconds.
    """
    if unique <= 0 or rtt_ms <= 0:
        return None
    # Resent packets are lost as often as first ones: r = p / (1 - p).
    loss = resent / unique / (1 + resent / unique)
    late = _late_share(latency_ms - rtt_ms, wire_mbps, cap_mbps) if cap_mbps else 0.0
    fraction = max(_residual(loss, latency_ms / rtt_ms), late * loss)
    if cap_mbps and unsent:
        fraction = max(fraction, _behind_a_queue(loss, unsent, cap_mbps, latency_ms, rtt_ms))
    return LossEstimate(fraction, is_held_back=late > _HELD_BACK_SHARE and latency_ms > rtt_ms and loss > 0)


def _residual(loss: float, k: float) -> float:
    if k >= _EXPONENTS[-1][0] or loss <= 0:
        return residual_loss(loss, k)
    if k < _NO_REPAIR_BELOW:
        return loss
    for (k_low, low), (k_high, high) in pairwise(_EXPONENTS):
        if k <= k_high:
            return float(loss ** (low + (high - low) * (k - k_low) / (k_high - k_low)))
    return residual_loss(loss, k)


def _behind_a_queue(loss: float, unsent: Sequence[int], cap_mbps: float, latency_ms: int, rtt_ms: float) -> float:
    """What remains lost when new packets queue in the sender: the time that one waits there is lost for its repair.

    SRT counts the latency from the moment a packet is given to the sender. The queue empties at the cap, so its length
    shows the wait. A mean over the readings, because a queue comes and goes within seconds.
    """
    packet_ms = _packet_ms(cap_mbps)
    return fmean(_residual(loss, max(0.0, latency_ms - count * packet_ms) / rtt_ms) for count in unsent)


def _packet_ms(cap_mbps: float) -> float:
    """How long a full packet takes at the cap."""
    return (SRT_PAYLOAD_BYTES + SRT_HEADER_BYTES) * 8 / cap_mbps / 1000


def _late_share(slack_ms: float, wire_mbps: float, cap_mbps: float) -> float:
    """The share of resends that wait longer than the latency allows behind new packets, 0 to 1."""
    cap_use = min(1.0, wire_mbps / cap_mbps + _UNEVENNESS)
    waits = (max(0.0, slack_ms) + _GRACE_MS) / _packet_ms(cap_mbps)
    return math.exp(-2 * (1 - cap_use) / max(cap_use, 0.01) * waits / _BURSTINESS)
