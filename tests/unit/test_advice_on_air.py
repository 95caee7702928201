"""What the figures of a stream on air recommend."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.advice.live import advice_for_live
from app.domain.advice.recommendation import (
    LOSS_UNKNOWN,
    Basis,
)


def test_a_stream_on_air_with_room_is_left_alone() -> None:
    live = advice_for_live(
        rtt_ms=40, retransmitted_percent=1.0, latency_ms=200, overhead_percent=25, bitrate_bps=8_000_000
    )
    assert live.is_enough
    assert (live.latency_ms, live.overhead_percent) == (200, 25)
    assert "5.0 × RTT" in live.sentence
    assert "estimated" in live.sentence


def test_a_stream_on_air_with_too_little_is_told_what_to_raise() -> None:
    # 11.1 % retransmitted of unique packets is 10 % loss: retransmissions are lost too.
    live = advice_for_live(
        rtt_ms=100, retransmitted_percent=100 / 9, latency_ms=200, overhead_percent=10, bitrate_bps=8_000_000
    )
    assert live.advice.link.loss.value == pytest.approx(10)
    assert live.advice.link.loss.basis is Basis.ESTIMATED
    assert not live.is_enough
    assert (live.latency_ms, live.overhead_percent) == (800, 20)
    assert "raise latency to 800 ms and overhead to 20 %" in live.sentence


def test_a_stream_that_sent_nothing_yet_is_judged_by_the_assumption() -> None:
    live = advice_for_live(
        rtt_ms=100, retransmitted_percent=None, latency_ms=120, overhead_percent=25, bitrate_bps=8_000_000
    )
    assert live.advice.link.loss == LOSS_UNKNOWN
    assert live.latency_ms == 400
    assert "assumed" in live.sentence


@given(st.floats(0, 3000), st.floats(0, 1000), st.integers(20, 8000), st.integers(1, 99))
def test_advice_for_a_stream_never_lowers_what_is_set(
    rtt_ms: float, retransmitted: float, latency_ms: int, overhead: int
) -> None:
    live = advice_for_live(
        rtt_ms=rtt_ms,
        retransmitted_percent=retransmitted,
        latency_ms=latency_ms,
        overhead_percent=overhead,
        bitrate_bps=8_000_000,
    )
    assert live.latency_ms >= latency_ms
    assert live.overhead_percent >= overhead
    assert live.is_enough == ((live.latency_ms, live.overhead_percent) == (latency_ms, overhead))
