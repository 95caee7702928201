"""The estimate of what a receiver misses: cells of the measured table, and what must hold everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.receiver_loss import UNCERTAINTY_FACTOR, LossEstimate, estimate_loss
from app.domain.verdict import Severity, loss_severity
from benchmarks.receiver_loss import range_of

UNIQUE_PER_S = 760
UNIQUE_MBPS = UNIQUE_PER_S * 1360 * 8 / 1e6


def estimate(resent_percent: float, k: float, cap_mbps: float | None) -> LossEstimate:
    """The estimate for 8 Mb/s over 40 ms of RTT."""
    resent = round(UNIQUE_PER_S * 10 * resent_percent / 100)
    made = estimate_loss(
        unique=UNIQUE_PER_S * 10,
        resent=resent,
        rtt_ms=40.0,
        latency_ms=round(40 * k),
        wire_mbps=UNIQUE_MBPS * (1 + resent_percent / 100),
        cap_mbps=cap_mbps,
    )
    assert made is not None
    return made


# Measured with a seeded relay and an independent receiver; docs/statistics.md has the conditions.
@pytest.mark.parametrize(
    ("resent_percent", "k", "cap_mbps", "missing", "packets"),
    [
        (1.18, 1, 10.33, 36, 9266),
        (6.47, 1, 10.33, 253, 9278),
        (8.61, 1, 10.33, 707, 9235),
        (3.41, 1.5, 10.33, 16, 8103),
        (9.31, 1.5, 10.33, 56, 9164),
        (3.25, 2, 10.33, 6, 9126),
        (9.48, 2, 10.33, 64, 9103),
        (7.27, 3, 10.34, 3, 9093),
        (1.16, 1, 8.68, 91, 9157),
        (4.79, 1, 8.68, 740, 9192),
        (0.94, 1.5, 8.68, 29, 8771),
        (4.20, 1.5, 8.68, 467, 8600),
        (3.64, 2, 8.68, 79, 9157),
        (5.05, 2, 8.68, 479, 9162),
        (5.18, 3, 8.68, 465, 9059),
    ],
)
def test_a_measured_loss_is_estimated_within_the_factor(
    resent_percent: float, k: float, cap_mbps: float, missing: int, packets: int
) -> None:
    low, high = range_of(missing, packets)
    assert low / UNCERTAINTY_FACTOR <= estimate(resent_percent, k, cap_mbps).fraction <= high * UNCERTAINTY_FACTOR


def test_the_lossy_case_of_the_field_is_no_repair_but_a_loss() -> None:
    """Latency 60 ms, RTT 40 ms, 6 % loss, 5 % overhead: 5.2 % resent while the receiver missed 4.3 to 4.8 %."""
    made = estimate_loss(unique=7600, resent=395, rtt_ms=40.0, latency_ms=60, wire_mbps=8.78, cap_mbps=8.8)
    assert made is not None
    assert 0.015 < made.fraction < 0.14
    assert made.is_held_back


@pytest.mark.parametrize(
    ("unsent", "least"),
    [
        ([0] * 10, 0.0),
        ([0] * 9 + [80], 9e-4),  # 100 ms of queue at one reading in ten: no time is left for a repair then
        ([80] * 10, 9e-3),
    ],
)
def test_packets_that_queue_in_the_sender_lose_the_time_for_their_repair(unsent: list[int], least: float) -> None:
    """Latency 120 ms, RTT 40 ms, 1 % loss, 5 % overhead: p^3 without a queue."""
    made = estimate_loss(
        unique=7600, resent=77, rtt_ms=40.0, latency_ms=120, wire_mbps=8.33, cap_mbps=8.68, unsent=unsent
    )
    assert made is not None
    assert made.fraction >= least
    assert made.fraction <= 0.011
    if not any(unsent):
        assert loss_severity(made.fraction) is not Severity.FAULT


def test_nothing_resent_is_nothing_lost_and_nothing_sent_is_unknown() -> None:
    assert estimate(0.0, 2, 8.3).fraction == 0.0
    assert not estimate(0.0, 2, 8.3).is_held_back
    assert estimate_loss(unique=0, resent=0, rtt_ms=40, latency_ms=80, wire_mbps=0, cap_mbps=None) is None


@given(st.floats(0.1, 30), st.floats(1.0, 8.0), st.floats(8.3, 16.0))
def test_less_latency_or_a_smaller_cap_is_never_better(resent_percent: float, k: float, cap_mbps: float) -> None:
    made = estimate(resent_percent, k, cap_mbps).fraction
    assert 0 <= made <= 1
    assert estimate(resent_percent, k, cap_mbps - 0.05).fraction >= made - 1e-12
    assert estimate(resent_percent, k + 0.5, cap_mbps).fraction <= made + 1e-12
