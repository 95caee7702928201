"""Rates from counters: over an interval, never negative, and None where a counter is unknown."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.figures import counters, history, rates
from app.domain.figures.counters import ConnectionCounters, Counters
from app.domain.figures.sample import Point

SECOND_OF_8_MBPS = Point(
    at=1.0,
    peers=1,
    payload_bytes_total=1_000_000,
    wire_bytes_total=1_050_000,
    packets_sent_unique_total=760,
    packets_retransmitted_total=38,
    packets_dropped_total=2,
    acks_total=100,
    input_bytes_total=1_000_000,
    rtt_ms=40.0,
    send_buffer_ms=20,
)
NOTHING = Point(at=0.0)

counts = st.integers(0, 2**63)
points = st.builds(
    Point,
    at=st.floats(0, 4e9),
    peers=st.integers(0, 50),
    payload_bytes_total=counts,
    wire_bytes_total=counts,
    packets_sent_unique_total=counts,
    packets_retransmitted_total=counts,
    packets_dropped_total=counts,
    acks_total=counts,
    input_bytes_total=counts,
    input_at=st.floats(0, 4e9),
)


def test_a_second_is_told_in_megabits_and_percent() -> None:
    rate = rates.rates(NOTHING, SECOND_OF_8_MBPS, 1.0)
    assert rate is not None
    assert rate.payload_mbps == pytest.approx(8.0)
    assert rate.wire_mbps == pytest.approx(8.4)
    assert rate.retransmitted_percent == pytest.approx(5.0)
    assert counters.values(rate.grown) == counters.values(SECOND_OF_8_MBPS)


def test_half_the_time_is_twice_the_rate() -> None:
    rate = rates.rates(NOTHING, SECOND_OF_8_MBPS, 0.5)
    assert rate is not None
    assert rate.payload_mbps == pytest.approx(16.0)


@pytest.mark.parametrize("interval_s", [0.0, -1.0, 0.19])
def test_two_readings_too_close_together_give_no_rate(interval_s: float) -> None:
    assert rates.rates(NOTHING, SECOND_OF_8_MBPS, interval_s) is None


def test_a_silent_second_has_no_retransmission_percentage_but_a_rate_of_zero() -> None:
    rate = rates.rates(SECOND_OF_8_MBPS, SECOND_OF_8_MBPS, 1.0)
    assert rate is not None
    assert rate.retransmitted_percent is None
    assert rate.payload_mbps == 0


def test_a_counter_that_fell_belongs_to_a_new_worker_and_counts_from_zero() -> None:
    older = Point(at=0.0, payload_bytes_total=9_000_000_000, packets_sent_unique_total=7_000_000)
    rate = rates.rates(older, SECOND_OF_8_MBPS, 1.0)
    assert rate is not None
    assert rate.payload_mbps == pytest.approx(8.0)
    assert rate.grown.packets_sent_unique_total == 760


@given(before=points, after=points, interval_s=st.floats(rates.SHORTEST_INTERVAL_S, 1e6))
def test_no_two_readings_give_a_negative_figure(before: Point, after: Point, interval_s: float) -> None:
    rate = rates.rates(before, after, interval_s)
    assert rate is not None
    assert min(rate.payload_mbps, rate.wire_mbps) >= 0
    assert min(counters.values(rate.grown).values()) >= 0
    assert rate.retransmitted_percent is None or rate.retransmitted_percent >= 0


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=20))
def test_the_growth_of_a_counter_adds_up_over_the_readings(steps: list[int]) -> None:
    readings = [sum(steps[: n + 1]) for n in range(len(steps))]
    grown = sum(counters.growth(before, after) for before, after in pairwise(readings))
    assert grown == readings[-1] - readings[0]


def test_headers_are_not_payload() -> None:
    assert rates.payload_bytes(760 * (1316 + 44), 760) == 760 * 1316
    assert rates.payload_bytes(10, 1) == 0


def test_history_has_one_entry_for_each_interval_with_the_gauges_at_its_end() -> None:
    later = Point(at=2.0, peers=2, payload_bytes_total=3_000_000, rtt_ms=41.0, send_buffer_ms=30)
    first, second = history.seconds([NOTHING, SECOND_OF_8_MBPS, later])
    assert (first.at, first.peers, first.rtt_ms, first.send_buffer_ms) == (1.0, 1, 40.0, 20)
    assert first.rates.input_mbps == pytest.approx(8.0)
    assert (second.at, second.peers, second.rtt_ms, second.send_buffer_ms) == (2.0, 2, 41.0, 30)
    assert second.rates.payload_mbps == pytest.approx(16.0)


def test_a_file_s_bytes_belong_to_the_time_between_two_of_its_pieces() -> None:
    """A file of 2 Mb/s in pieces of 50,000 bytes, read every second: four to six pieces each time."""
    looks = [(10.0, 9.9), (11.0, 10.9), (12.0, 11.7), (13.0, 12.9)]
    readings = [Point(at=at, input_bytes_total=round(counted * 250_000), input_at=counted) for at, counted in looks]
    assert [entry.rates.input_mbps for entry in history.seconds(readings)] == pytest.approx([2.0, 2.0, 2.0])


def test_a_file_that_nothing_more_comes_of_has_no_rate() -> None:
    readings = [Point(at=at, input_bytes_total=250_000, input_at=9.9) for at in (10.0, 11.0)]
    assert [entry.rates.input_mbps for entry in history.seconds(readings)] == [0.0]


def test_a_worker_that_does_not_tell_when_it_counted_is_taken_at_its_sample() -> None:
    readings = [Point(at=10.0, input_at=9.5), Point(at=11.0, input_bytes_total=250_000)]
    assert [entry.rates.input_mbps for entry in history.seconds(readings)] == pytest.approx([2.0])


def test_history_of_nothing_or_of_one_reading_is_empty() -> None:
    assert history.seconds([]) == []
    assert history.seconds([SECOND_OF_8_MBPS]) == []


@given(st.lists(points, max_size=10))
def test_a_clock_that_was_set_back_makes_no_entry_and_no_exception(readings: list[Point]) -> None:
    ends = {reading.at for reading in readings[1:]}
    assert {entry.at for entry in history.seconds(readings)} <= ends


def test_every_counter_says_what_it_counts_and_in_which_unit() -> None:
    for kind in (ConnectionCounters, Counters):
        assert set(counters.described(kind)) == set(kind.__struct_fields__)
    for meta in counters.described(Counters).values():
        assert meta.description
        assert meta.extra
        assert meta.extra["unit"]


def test_counters_of_two_workers_add_up() -> None:
    total = counters.plus(Counters(acks_total=1), counters.values(SECOND_OF_8_MBPS))
    assert (total.acks_total, total.packets_sent_unique_total) == (101, 760)
