"""The recommendation for a stream on air, from its own RTT and retransmissions instead of a network test."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.advice.recommendation import (
    LOSS_UNKNOWN,
    Advice,
    Basis,
    Expectation,
    Figure,
    Link,
    expect,
    overhead_for,
    recommend,
)
from app.domain.advice.words import expected_loss, multiple
from app.domain.constants import LATENCY_MS_HIGHEST

_LATENCY_STEP_MS: Final = 10


class LiveAdvice(msgspec.Struct, frozen=True):
    """What to expect of a stream's present settings on its link, and the recommended settings.

    `latency_ms` and `overhead_percent` are the recommended settings; they equal the present ones where those suffice.
    `expected` describes the present settings. `advice` is the full recommendation for the link as measured.
    """

    advice: Advice
    expected: Expectation
    latency_ms: int
    overhead_percent: int
    is_enough: bool
    sentence: str


def advice_for_live(
    *,
    rtt_ms: float,
    retransmitted_percent: float | None,
    latency_ms: int,
    overhead_percent: int,
    bitrate_bps: int,
) -> LiveAdvice:
    """Judge the settings of a stream on air. `latency_ms` is the negotiated latency, the higher of the two ends.

    `retransmitted_percent` is of unique packets, None when nothing was sent. The loss derived from it is an estimate: a
    sender cannot know what its receiver lost.
    """
    link = Link(Figure(rtt_ms, Basis.MEASURED, "SRT, this stream"), bitrate_bps, _loss(retransmitted_percent))
    advice = recommend(link)
    wanted = advice.recommended
    expected = expect(link, latency_ms, overhead_percent)
    latency_is_enough = latency_ms >= wanted.latency_ms
    # A longer latency gives a burst more time to be repaired, so less overhead suffices.
    overhead_needed = (
        min(wanted.overhead_percent, overhead_for(max(expected.k, advice.k), link.loss.value))
        if latency_is_enough
        else wanted.overhead_percent
    )
    new_latency_ms = latency_ms if latency_is_enough else _rounded_up(wanted.latency_ms)
    new_overhead_percent = max(overhead_percent, overhead_needed)
    changes = [
        f"latency to {new_latency_ms} ms" if not latency_is_enough else "",
        f"overhead to {new_overhead_percent} %" if new_overhead_percent > overhead_percent else "",
    ]
    to_do = " and ".join(change for change in changes if change)
    return LiveAdvice(
        advice=advice,
        expected=expected,
        latency_ms=new_latency_ms,
        overhead_percent=new_overhead_percent,
        is_enough=not to_do,
        sentence=_sentence(advice, expected, latency_ms, to_do),
    )


def _loss(retransmitted_percent: float | None) -> Figure:
    """Return the path's loss p. Retransmissions are lost like first sendings: r = p / (1 - p), so p = r / (1 + r)."""
    if retransmitted_percent is None:
        return LOSS_UNKNOWN
    ratio = retransmitted_percent / 100
    return Figure(100 * ratio / (1 + ratio), Basis.ESTIMATED, "from this stream's retransmissions")


def _rounded_up(latency_ms: int) -> int:
    """Round up to whole steps, so that the figure is easy to set and does not change with every sample."""
    return min(LATENCY_MS_HIGHEST, -(-latency_ms // _LATENCY_STEP_MS) * _LATENCY_STEP_MS)


def _sentence(advice: Advice, expected: Expectation, latency_ms: int, to_do: str) -> str:
    loss = advice.link.loss
    seen = f"{latency_ms} ms is {multiple(expected.k)} × RTT, loss {loss.value:.2g} % ({loss.basis.value})"
    expectation = expected_loss(expected.lost_per_hour) if loss.value else "nothing to repair"
    remedy = f"raise {to_do}" if to_do else "enough for this link"
    guide = "; this much loss is outside the guide" if advice.outside_guide else ""
    return f"{seen}: {expectation}; {remedy}{guide}."
