"""The recommendation: the guide's rows, its limits, and the loss that it predicts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import dvb_config
from app.domain import constants
from app.domain.advice import recommendation as advice
from app.domain.advice.recommendation import (
    Advice,
    Basis,
    Edition,
    Figure,
    Link,
    Verdict,
    recommend,
    residual_loss,
)
from app.domain.advice.words import assumptions, rarity, warnings, working
from app.domain.spec import SendSpec
from app.domain.spec.fields import settings_of

PACKETS_PER_HOUR_AT_10_MBPS = 10_000_000 / 8 / 1316 * 3600


def measured(value: float, by: str = "a probe") -> Figure:
    return Figure(value, Basis.MEASURED, by)


def link(rtt_ms: float, loss_percent: float, bitrate_bps: int = 10_000_000) -> Link:
    return Link(measured(rtt_ms), bitrate_bps, measured(loss_percent))


def advised(rtt_ms: float, loss_percent: float, **options: int) -> tuple[int, int]:
    wanted = recommend(link(rtt_ms, loss_percent), **options).recommended  # type: ignore[arg-type]
    return wanted.latency_ms, wanted.overhead_percent


RTTS = st.floats(0, 3000)
LOSSES = st.floats(0, 100)


@pytest.mark.parametrize(
    ("rtt_ms", "loss_percent", "latency_ms", "overhead_percent"),
    [
        (40, 0, 120, 33),
        (40, 1, 120, 33),
        (40, 1.01, 160, 25),
        (40, 3, 160, 25),
        (40, 5, 240, 17),
        (40, 7, 240, 17),
        (40, 9, 320, 18),
        (40, 10, 320, 20),
        (100, 3, 400, 25),
        (5, 0.5, 80, 33),
        (5, 3, 80, 25),
        (5, 7, 120, 17),
        (5, 10, 160, 20),
        (20, 10, 160, 20),
        (20.1, 10, 161, 20),
        (1500, 10, 8000, 20),
    ],
)
def test_latency_and_overhead_follow_the_rows_of_edition_1_5(
    rtt_ms: float, loss_percent: float, latency_ms: int, overhead_percent: int
) -> None:
    assert advised(rtt_ms, loss_percent) == (latency_ms, overhead_percent)


def test_the_tables_are_those_of_the_guide() -> None:
    columns = {
        edition: [(r.loss_percent_max, r.k, r.overhead_percent, r.latency_ms_min) for r in rows]
        for edition, rows in advice.TABLES.items()
    }
    assert columns == {
        Edition.GUIDE_1_5: [(1, 3, 1, 60), (3, 4, 4, 80), (7, 6, 9, 120), (10, 8, 15, 160)],
        Edition.GUIDE_1_1: [(1, 3, 33, 60), (3, 4, 25, 80), (7, 5, 20, 100), (10, 6, 17, 120)],
    }


def test_overhead_in_edition_1_1_is_a_burst_of_one_rtt() -> None:
    for row in advice.TABLES[Edition.GUIDE_1_1]:
        assert row.overhead_percent == round(100 / row.k)


def test_the_older_edition_can_be_asked_for() -> None:
    older = recommend(link(40, 10), edition=Edition.GUIDE_1_1)
    assert (older.recommended.latency_ms, older.k) == (240, 6)
    assert "edition 1.1" in " ".join(working(older))


def test_the_floor_of_80_ms_gives_way_when_less_is_asked_for() -> None:
    assert advised(1, 0.5) == (80, 33)
    assert advised(1, 0.5, latency_ms_floor=20) == (60, 33), "the table's minimum still counts"
    assert advised(21, 0.5, latency_ms_floor=20) == (63, 33)


def test_nothing_known_of_the_loss_gives_four_times_rtt_and_25_percent() -> None:
    unknown = recommend(Link(measured(50), 10_000_000))
    assert (unknown.recommended.latency_ms, unknown.recommended.overhead_percent) == (200, 25)
    assert assumptions(unknown) == ("loss is assumed: loss was not measured",)
    assert "Loss 3 % (assumed: loss was not measured)." in working(unknown)


def test_above_ten_percent_the_formula_answers_and_says_so() -> None:
    outside = recommend(link(40, 15))
    assert outside.outside_guide
    assert outside.row is None
    assert outside.recommended.latency_ms == 400
    assert outside.recommended.overhead_percent == 30
    # As good as the guide's last row at its limit.
    assert outside.recommended.expected.residual_loss <= residual_loss(0.10, 8)
    assert any("outside the guide" in warning for warning in warnings(outside))
    assert any("Outside the Haivision guide" in sentence for sentence in working(outside))


@pytest.mark.parametrize("loss_percent", [10.1, 50, 99.9, 100])
def test_any_loss_has_an_answer_within_the_limits(loss_percent: float) -> None:
    outside = recommend(link(5, loss_percent))
    assert outside.outside_guide
    assert outside.recommended.latency_ms <= 8000
    assert outside.recommended.overhead_percent <= 99


def test_residual_loss_is_the_one_that_was_measured() -> None:
    assert residual_loss(0.10, 2) == pytest.approx(1e-2)
    assert residual_loss(0.10, 3) == pytest.approx(1e-3)
    assert residual_loss(0.10, 4) == pytest.approx(1e-4)
    assert residual_loss(0.10, 5) == pytest.approx(10 ** -(1 + 4 / 1.2))
    assert residual_loss(0.10, 0.5) == pytest.approx(0.10), "less than one round trip repairs nothing"


def test_lost_packets_an_hour_follow_the_bitrate() -> None:
    expected = advice.expect(link(100, 10), 200, 25)
    assert expected.lost_per_hour == pytest.approx(1e-2 * PACKETS_PER_HOUR_AT_10_MBPS)
    assert advice.expect(link(100, 10, 20_000_000), 200, 25).lost_per_hour == pytest.approx(2 * expected.lost_per_hour)


def test_a_burst_of_latency_times_overhead_is_survived() -> None:
    assert advice.expect(link(100, 1), 400, 25).burst_ms == 100


def test_the_receiver_buffer_holds_latency_and_half_an_rtt() -> None:
    expected = advice.expect(link(100, 1), 400, 25)
    assert expected.receiver_buffer_packets == math.ceil(0.450 * 10_000_000 / 8 / 1316)
    assert expected.receiver_buffer_bytes == expected.receiver_buffer_packets * 1472


@pytest.mark.parametrize(
    ("bandwidth_mbps", "lower_bound", "verdict"),
    [
        (None, False, Verdict.UNKNOWN),
        (13.0, False, Verdict.ENOUGH),
        (12.9, False, Verdict.TIGHT),
        (9.9, False, Verdict.TOO_LITTLE),
        (10.0, True, Verdict.UNPROVEN),
        (13.0, True, Verdict.ENOUGH),
    ],
)
def test_bandwidth_is_compared_with_bitrate_and_overhead(
    bandwidth_mbps: float | None, lower_bound: bool, verdict: Verdict
) -> None:
    bandwidth = None if bandwidth_mbps is None else measured(bandwidth_mbps * 1e6, "iperf3")
    path = Link(measured(40), 10_000_000, measured(3), bandwidth_bps=bandwidth, bandwidth_is_lower_bound=lower_bound)
    expected = recommend(path).recommended.expected
    assert expected.bandwidth_needed_bps == round(12_500_000 * 1360 / 1316)
    assert expected.bandwidth is verdict


def test_no_loss_in_n_packets_is_not_promised_to_be_none_for_ever() -> None:
    none_seen = Link(measured(100), 10_000_000, measured(0), loss_packets=10_000)
    made = recommend(none_seen)
    assert made.row is advice.TABLES[Edition.GUIDE_1_5][0]
    assert made.loss_percent_planned == pytest.approx(0.03)
    assert made.recommended.expected.lost_per_hour > 0
    assert any("none of 10000 packets" in sentence for sentence in working(made))


def test_alternatives_lose_one_packet_a_minute_an_hour_and_a_day() -> None:
    low, balanced, safe = recommend(link(200, 5)).alternatives
    assert [a.name for a in (low, balanced, safe)] == ["low delay", "balanced", "safe"]
    for settings, per_hour in ((low, 60), (balanced, 1), (safe, 1 / 24)):
        assert settings.expected.lost_per_hour == pytest.approx(per_hour, rel=0.1)
        assert settings.expected.lost_per_hour <= per_hour * 1.0001
    assert low.latency_ms < balanced.latency_ms < safe.latency_ms


def test_an_unsteady_rtt_is_warned_of() -> None:
    path = Link(measured(40), 10_000_000, measured(1), rtt_ms_max=130.0)
    assert any("390 ms" in warning for warning in warnings(recommend(path)))
    assert not warnings(recommend(link(40, 1)))


def test_the_working_names_row_edition_and_bases() -> None:
    text = " ".join(working(recommend(link(40, 2.9))))
    assert "edition 1.5, row up to 3 % loss: 4 × RTT" in text
    assert "4 × 40.0 ms = 160 ms" in text
    assert "RTT 40.0 ms (measured: a probe)" in text
    assert "set 25 %" in text
    assert "not measured" in text, "the bandwidth"


@pytest.mark.parametrize(
    ("per_hour", "words"),
    [
        (0, "no loss expected"),
        (36_000, "10 lost packets a second"),
        (59.99, "1 lost packet a minute"),
        (3, "3 lost packets an hour"),
        (1 / 24, "1 lost packet a day"),
        (1 / 24 / 36.525, "10 lost packets a year"),
        (1 / 24 / 3652.5, "one lost packet in 10 years"),
        (1e-12, "no loss expected"),
    ],
)
def test_a_rate_is_said_so_that_it_can_be_imagined(per_hour: float, words: str) -> None:
    assert rarity(per_hour) == words


@pytest.mark.parametrize(("rtt_ms", "loss_percent"), [(-1, 0), (math.nan, 0), (math.inf, 0), (1, -0.1), (1, 100.1)])
def test_nonsense_is_no_link(rtt_ms: float, loss_percent: float) -> None:
    with pytest.raises(ValueError, match="no "):
        link(rtt_ms, loss_percent)


def test_limits_are_those_of_the_spec_and_of_libsrt() -> None:
    settings = settings_of(SendSpec)
    latency = settings["latency_ms"]
    assert (latency.low, latency.high) == (constants.LATENCY_MS_LOWEST, constants.LATENCY_MS_HIGHEST)
    assert settings["overhead_percent"].high == constants.OVERHEAD_PERCENT_HIGHEST
    assert dvb_config.OVERHEAD_PERCENT_LOWEST == constants.OVERHEAD_PERCENT_LOWEST
    assert dvb_config.SRT_PAYLOAD_BYTES == constants.SRT_PAYLOAD_BYTES


@given(RTTS, LOSSES, st.sampled_from(Edition), st.integers(1, 9000))
def test_every_recommendation_can_be_set(rtt_ms: float, loss: float, edition: Edition, floor: int) -> None:
    made = recommend(link(rtt_ms, loss), edition=edition, latency_ms_floor=floor)
    for settings in (made.recommended, *made.alternatives):
        assert 20 <= settings.latency_ms <= 8000
        assert 5 <= settings.overhead_percent <= 99
        assert 0 <= settings.expected.residual_loss <= loss / 100 + 1e-12
        assert min(floor, 8000) <= settings.latency_ms
    assert working(made)
    assert all("  " not in sentence for sentence in (*working(made), *warnings(made)))


@given(RTTS, RTTS, LOSSES)
def test_a_longer_path_never_gets_less_latency(one: float, other: float, loss: float) -> None:
    # Also across the 20 ms where the guide's minimum ends: k x 20 ms is each row's minimum.
    short, long = sorted((one, other))
    assert advised(short, loss)[0] <= advised(long, loss)[0]


@given(st.floats(21, 3000), LOSSES, LOSSES)
def test_more_loss_never_gets_less_latency(rtt_ms: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert advised(rtt_ms, low)[0] <= advised(rtt_ms, high)[0]


@given(st.floats(0.0001, 0.9999), st.floats(1, 40), st.floats(1, 40))
def test_more_latency_never_promises_more_loss(loss: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert residual_loss(loss, high) <= residual_loss(loss, low)


@given(st.floats(0, 10), st.floats(20, 800))
def test_recommended_settings_leave_no_more_than_one_in_ten_thousand(loss: float, rtt_ms: float) -> None:
    made: Advice = recommend(link(rtt_ms, loss))
    assert made.recommended.expected.residual_loss <= 1e-4


def test_a_path_without_rtt_that_loses_everything_still_gets_values_that_can_be_set() -> None:
    advice = recommend(link(0, 100))
    settings = [advice.recommended, *advice.alternatives]
    assert all(20 <= each.latency_ms <= 8000 and 5 <= each.overhead_percent <= 99 for each in settings)
