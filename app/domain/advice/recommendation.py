"""Recommends SRT latency and overhead for a measured link, with the Haivision tables as data.

Sources: Haivision SRT Deployment Guide, editions 1.5 and 1.1, "RTT multiplier". The residual loss is our own
measurement with libsrt at both ends (docs/recommendation.md). `advice.words` has the sentences.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final

import msgspec

from app.domain.constants import (
    BUFFER_UNIT_BYTES,
    LATENCY_MS_HIGHEST,
    LATENCY_MS_LOWEST,
    OVERHEAD_PERCENT_DEFAULT,
    OVERHEAD_PERCENT_HIGHEST,
    OVERHEAD_PERCENT_LOWEST,
)
from app.domain.link_budget import bandwidth_needed_bps, burst_repaired_ms, outage_survived_ms, packets_per_second

LATENCY_MS_FLOOR: Final = 80  # the guide's own floor, kept unless the operator asks for less
SHORT_RTT_MS: Final = 20  # up to here the table's minimum latency counts
LOSS_PERCENT_ASSUMED: Final = 3.0  # gives the guide's rule of thumb, 4 x RTT
K_LOWEST: Final = 2.0  # below it a lost retransmission is never repeated, and nothing was measured there
_RTT_MS_LEAST: Final = 0.001  # 0 is impossible: ping's clock is too coarse for a loopback
_RESIDUAL_LEAST: Final = 1e-30


class Basis(StrEnum):
    """How a figure was obtained. It is shown wherever the figure is shown."""

    MEASURED = "measured"
    ESTIMATED = "estimated"
    ASSUMED = "assumed"


class Figure(msgspec.Struct, frozen=True):
    """A value and its basis; `source` names the measurement in a few words (`ping, 20 replies`)."""

    value: float
    basis: Basis
    source: str


LOSS_UNKNOWN: Final = Figure(LOSS_PERCENT_ASSUMED, Basis.ASSUMED, "loss was not measured")


class Link(msgspec.Struct, frozen=True):
    """What is known of a path, and the bitrate that it has to carry.

    `loss` is in percent; `loss_packets` is the number of packets in that measurement. `bandwidth_bps` is None if it was
    not measured; it is a lower bound when the test sent no more than that (`bandwidth_is_lower_bound`).
    """

    rtt_ms: Figure
    bitrate_bps: int
    loss: Figure = LOSS_UNKNOWN
    loss_packets: int | None = None
    rtt_ms_max: float | None = None
    bandwidth_bps: Figure | None = None
    bandwidth_is_lower_bound: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rtt_ms.value) and self.rtt_ms.value >= 0):
            raise ValueError(f"no RTT: {self.rtt_ms.value}")
        if not 0 <= self.loss.value <= 100:
            raise ValueError(f"no loss in percent: {self.loss.value}")
        if self.bitrate_bps <= 0:
            raise ValueError(f"no bitrate: {self.bitrate_bps}")


class Edition(StrEnum):
    """Editions of the Haivision SRT Deployment Guide whose tables differ."""

    GUIDE_1_5 = "1.5"
    GUIDE_1_1 = "1.1"


class Row(msgspec.Struct, frozen=True):
    """A row of the guide: for a worst-case loss up to `loss_percent_max`.

    `latency_ms_min` applies when the RTT is short.
    """

    loss_percent_max: float
    k: int
    overhead_percent: int
    latency_ms_min: int


TABLES: Final[dict[Edition, tuple[Row, ...]]] = {
    # 1.5 assumes steady loss, 1.1 with bursts: its overhead is 100 / k.
    Edition.GUIDE_1_5: (Row(1, 3, 1, 60), Row(3, 4, 4, 80), Row(7, 6, 9, 120), Row(10, 8, 15, 160)),
    Edition.GUIDE_1_1: (Row(1, 3, 33, 60), Row(3, 4, 25, 80), Row(7, 5, 20, 100), Row(10, 6, 17, 120)),
}


class Verdict(StrEnum):
    """Whether the measured bandwidth carries the stream with its overhead."""

    ENOUGH = "enough"
    TIGHT = "tight"  # carries the stream, not its retransmissions
    TOO_LITTLE = "too_little"
    UNPROVEN = "unproven"  # no more than measured was offered
    UNKNOWN = "unknown"


class Expectation(msgspec.Struct, frozen=True):
    """What to expect of a latency and overhead on a link.

    `residual_loss` is the fraction of packets that the receiver never gets, for random loss and an overhead that does
    not delay retransmissions; `lost_per_hour` is the same in packets per hour. `burst_ms` is the longest run of lost
    packets that the overhead can repair, `outage_ms` the longest complete outage that does not delay the receiver's
    output.
    """

    k: float
    residual_loss: float
    lost_per_hour: float
    burst_ms: float
    outage_ms: float
    receiver_buffer_packets: int
    receiver_buffer_bytes: int
    bandwidth_needed_bps: int
    bandwidth: Verdict


class Settings(msgspec.Struct, frozen=True):
    """A latency and an overhead with what to expect of them; `name` identifies the choice."""

    name: str
    latency_ms: int
    overhead_percent: int
    expected: Expectation


class Advice(msgspec.Struct, frozen=True):
    """The recommendation for a link. `row` is None when the guide has none for this much loss.

    `k` is the requested RTT multiplier; `recommended.expected.k` is the one that remains after rounding and limits.
    `loss_percent_planned` is the loss that the expectation assumes; where 0 % was measured, it is an upper bound.
    """

    link: Link
    edition: Edition
    row: Row | None
    k: float
    latency_ms_floor: int
    loss_percent_planned: float
    recommended: Settings
    alternatives: tuple[Settings, ...]

    @property
    def outside_guide(self) -> bool:
        """Whether the loss exceeds the guide's last row. The latency then comes from the formula instead."""
        return self.row is None


# The alternatives lose one packet in this many seconds.
_ALTERNATIVES: Final = (("low delay", 60), ("balanced", 3600), ("safe", 86400))


def recommend(link: Link, *, edition: Edition = Edition.GUIDE_1_5, latency_ms_floor: int = LATENCY_MS_FLOOR) -> Advice:
    """Recommend latency and overhead for a link, with alternatives and what to expect of each.

    Latency is k x RTT. It is at least `latency_ms_floor` and, when the RTT is short, at least the table's minimum.
    Overhead is max(5, 100 / k, 2 x loss) %, and 25 % when the loss is only assumed.
    """
    row = find_row(link.loss.value, edition)
    k = float(row.k) if row else _k_outside_guide(link.loss.value / 100, edition)
    latency_ms = k * link.rtt_ms.value
    if row and link.rtt_ms.value <= SHORT_RTT_MS:
        latency_ms = max(latency_ms, row.latency_ms_min)
    assumed = link.loss.basis is Basis.ASSUMED
    overhead_percent = OVERHEAD_PERCENT_DEFAULT if assumed else overhead_for(k, link.loss.value)
    planned = planned_loss_percent(link)
    return Advice(
        link=link,
        edition=edition,
        row=row,
        k=k,
        latency_ms_floor=latency_ms_floor,
        loss_percent_planned=planned,
        recommended=_settings("recommended", link, limit_latency_ms(latency_ms, latency_ms_floor), overhead_percent),
        alternatives=tuple(_alternative(name, every_s, link, latency_ms_floor, k) for name, every_s in _ALTERNATIVES),
    )


def find_row(loss_percent: float, edition: Edition) -> Row | None:
    """Return the guide's row for a loss, or None above its last one."""
    return next((row for row in TABLES[edition] if loss_percent <= row.loss_percent_max), None)


def overhead_for(k: float, loss_percent: float) -> int:
    """Return the overhead in percent, 5 to 99: a burst of one RTT (100 / k), or twice the steady loss."""
    percent = max(OVERHEAD_PERCENT_LOWEST, 100 / k, 2 * loss_percent)
    return min(math.floor(percent + 0.5), OVERHEAD_PERCENT_HIGHEST)


def limit_latency_ms(latency_ms: float, floor_ms: int = LATENCY_MS_FLOOR) -> int:
    """Round a latency up to whole milliseconds and limit it to the floor and 20..8000 ms."""
    # 3 x 33.4 is 100.19999999999999: a value that is whole except for rounding errors is not rounded up.
    whole = math.ceil(round(min(latency_ms, LATENCY_MS_HIGHEST), 6))
    return min(max(whole, floor_ms, LATENCY_MS_LOWEST), LATENCY_MS_HIGHEST)


def residual_loss(loss: float, k: float) -> float:
    """Return the fraction of packets lost for good at a random loss (0..1) and a latency of k round trips.

    p^k for k up to 4, p^(1 + (k - 1) / 1.2) from 5, measured; between the two, the less optimistic one. With less than
    one round trip nothing is repaired.
    """
    # A float can round a small loss to zero; very rare is not the same as never.
    return max(float(loss ** _exponent(k)), _RESIDUAL_LEAST) if loss > 0 else 0.0


def _exponent(k: float) -> float:
    return max(1.0, k) if k <= 4 else max(4.0, 1 + (k - 1) / 1.2)


def _k_for(loss: float, residual: float) -> float:
    """Return the multiplier at which at most `residual` is lost, at least K_LOWEST; the inverse of residual_loss."""
    if loss <= 0 or residual >= 1:
        return K_LOWEST
    if loss >= 1:
        return math.inf
    exponent = math.log(residual) / math.log(loss)
    return max(K_LOWEST, exponent if exponent <= 4 else 1 + 1.2 * (exponent - 1))


def _k_outside_guide(loss: float, edition: Edition) -> float:
    """Return the multiplier with the same residual loss as the guide's last row has at its limit."""
    last = TABLES[edition][-1]
    return float(min(math.ceil(min(_k_for(loss, residual_loss(last.loss_percent_max / 100, last.k)), 1000)), 1000))


def planned_loss_percent(link: Link) -> float:
    """Return the loss to assume. No loss in n packets only proves a loss below 3 / n (95 % confidence)."""
    if link.loss.value == 0 and link.loss_packets:
        return min(100.0, 300 / link.loss_packets)
    return link.loss.value


def expect(link: Link, latency_ms: int, overhead_percent: int) -> Expectation:
    """Say what to expect of these settings on this link."""
    k = latency_ms / max(link.rtt_ms.value, _RTT_MS_LEAST)
    residual = residual_loss(planned_loss_percent(link) / 100, k)
    held_s = (latency_ms + link.rtt_ms.value / 2) / 1000
    packets = math.ceil(held_s * packets_per_second(link.bitrate_bps))
    needed_bps = bandwidth_needed_bps(link.bitrate_bps, overhead_percent)
    return Expectation(
        k=k,
        residual_loss=residual,
        lost_per_hour=residual * packets_per_second(link.bitrate_bps) * 3600,
        burst_ms=burst_repaired_ms(latency_ms, overhead_percent),
        outage_ms=outage_survived_ms(latency_ms, link.rtt_ms.value),
        receiver_buffer_packets=packets,
        receiver_buffer_bytes=packets * BUFFER_UNIT_BYTES,
        bandwidth_needed_bps=needed_bps,
        bandwidth=_bandwidth_verdict(link, needed_bps),
    )


def _settings(name: str, link: Link, latency_ms: int, overhead_percent: int) -> Settings:
    return Settings(name, latency_ms, overhead_percent, expect(link, latency_ms, overhead_percent))


def _alternative(name: str, every_s: int, link: Link, latency_ms_floor: int, guide_k: float) -> Settings:
    loss_percent, rtt_ms = planned_loss_percent(link), max(link.rtt_ms.value, _RTT_MS_LEAST)
    k = _k_for(loss_percent / 100, min(1.0, 1 / (packets_per_second(link.bitrate_bps) * every_s)))
    latency_ms = limit_latency_ms(min(k * rtt_ms, LATENCY_MS_HIGHEST), latency_ms_floor)
    # A latency longer than the guide's must not reduce the room that the guide gives to bursts.
    return _settings(name, link, latency_ms, overhead_for(min(max(k, latency_ms / rtt_ms), guide_k), link.loss.value))


def _bandwidth_verdict(link: Link, needed_bps: int) -> Verdict:
    if link.bandwidth_bps is None:
        return Verdict.UNKNOWN
    if link.bandwidth_bps.value >= needed_bps:
        return Verdict.ENOUGH
    if link.bandwidth_is_lower_bound:
        return Verdict.UNPROVEN
    return Verdict.TIGHT if link.bandwidth_bps.value >= link.bitrate_bps else Verdict.TOO_LITTLE
