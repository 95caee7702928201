"""Delivery figures of receptions that are made packet by packet on a clock of the test."""

from __future__ import annotations

import pytest

from app.domain.figures.delivery import DeliveryMeter
from app.domain.figures.delivery_verdict import Verdict, VerdictSeverity, judge
from app.domain.figures.lateness import LatenessWindow
from app.domain.figures.reception import DeliveryPoint, ErrorKind, Gauges, ReceivedCounters, Reception, merge

_STEP_US = 10_000
_PACKETS_A_STEP = 8
_CONNECTED = Gauges(connections=1, latency_ms=250, headroom_ms=240, rtt_min_ms=50, rtt_ms=50, rtt_max_ms=51)


class Reader:
    """Reads a stream of one packet each 1.25 ms at steps of 10 ms, with what goes wrong on the way."""

    def __init__(self) -> None:
        self.meter = DeliveryMeter(started_at=1000.0)
        self.now_us = 5_000_000
        self.waiting: list[int] = []
        self.total = ReceivedCounters()

    def step(self, *, release: bool = True, sent: bool = True, held_up_ms: float = 0.0) -> None:
        self.now_us += _STEP_US
        if sent:
            packets = range(_PACKETS_A_STEP, 0, -1)
            self.waiting += [self.now_us - number * _STEP_US // _PACKETS_A_STEP for number in packets]
        if release and self.waiting:
            self.meter.take(self.now_us, self.waiting, held_up_ms=held_up_ms)
            self.total = self.total.plus(ReceivedCounters(packets_unique=len(self.waiting)))
            self.waiting = []

    def second(self, extra: ReceivedCounters | None = None, gauges: Gauges = _CONNECTED) -> Reception:
        self.total = self.total.plus(extra or ReceivedCounters())
        at = 1000.0 + (self.now_us - 5_000_000) / 1e6
        return self.meter.close_second(at, self.now_us, self.total, gauges)

    def run(self, seconds: int = 1) -> Reception:
        for _ in range(seconds):
            for _ in range(100):
                self.step()
            account = self.second()
        return account


def verdict_of(reception: Reception, *, whole: bool = False) -> Verdict:
    return judge(reception, lambda at: f"<{at:.0f}>", whole=whole)


def test_a_healthy_reception_is_late_by_no_more_than_the_reading_interval() -> None:
    account = Reader().run(3)
    assert account.lateness is not None
    assert account.lateness.max <= 10
    assert account.longest_gap_ms == pytest.approx(10)
    assert account.error_seconds == {}
    assert verdict_of(account) == Verdict(VerdictSeverity.GOOD, "every packet arrived whole and in time since <1000>")


def test_an_outage_that_libsrt_repairs_too_late_is_a_frozen_picture_without_a_lost_packet() -> None:
    reader = Reader()
    reader.run(2)
    for _ in range(60):
        reader.step(release=False)
    reader.step()
    account = reader.second()
    assert account.received.packets_dropped == 0
    assert account.longest_freeze_ms == pytest.approx(600, abs=40)
    assert account.longest_gap_ms == pytest.approx(600, abs=40)
    assert account.error_seconds == {ErrorKind.FROZEN: 1}
    verdict = verdict_of(account)
    assert verdict.severity is VerdictSeverity.ATTENTION
    assert verdict.text.startswith("picture froze for 0.6 s at <1003>")
    assert verdict.text.endswith("although no packet was lost")


def test_a_freeze_of_three_seconds_is_three_error_seconds_and_a_fault() -> None:
    reader = Reader()
    reader.run()
    for _ in range(300):
        reader.step(release=False)
    reader.step()
    account = reader.second()
    assert account.error_seconds[ErrorKind.FROZEN] == 3
    assert verdict_of(account).severity is VerdictSeverity.FAULT


def test_two_short_freezes_in_one_second_are_one_error_second() -> None:
    reader = Reader()
    reader.run(2)
    for _ in range(2):
        for _ in range(20):
            reader.step(release=False)
        reader.step()
    assert reader.second().error_seconds == {ErrorKind.FROZEN: 1}


def test_a_short_pause_of_this_host_does_not_hide_a_long_one_in_the_same_second() -> None:
    reader = Reader()
    reader.run()
    for steps in (300, 20):
        for _ in range(steps):
            reader.step(release=False)
        reader.step(held_up_ms=10 * steps)
    assert reader.second().error_seconds == {ErrorKind.HELD_UP: 3}


def test_a_sender_that_pauses_does_not_freeze_the_picture() -> None:
    reader = Reader()
    reader.run()
    for _ in range(150):
        reader.step(sent=False)
    reader.step()
    account = reader.second()
    assert account.longest_freeze_at is None
    assert account.error_seconds == {ErrorKind.SILENT: 2}
    assert "the sender sent nothing for 1.5 s" in verdict_of(account).text


def test_a_pause_of_this_host_is_not_blamed_on_the_network() -> None:
    reader = Reader()
    reader.run()
    for _ in range(30):
        reader.step(release=False)
    reader.step(held_up_ms=300)
    account = reader.second()
    assert account.error_seconds == {ErrorKind.HELD_UP: 1}
    assert "this host was too busy" in verdict_of(account).text


def test_a_continuity_error_with_a_drop_is_the_network_and_without_one_the_far_ends_encoder() -> None:
    reader = Reader()
    reader.run()
    with_drop = reader.second(ReceivedCounters(packets_dropped=3, continuity_errors=1))
    assert with_drop.error_seconds == {ErrorKind.LOST: 1, ErrorKind.CONTINUITY_NETWORK: 1}
    a_second_later = reader.second(ReceivedCounters(continuity_errors=1))
    assert a_second_later.error_seconds[ErrorKind.CONTINUITY_NETWORK] == 2
    reader.run()
    alone = reader.second(ReceivedCounters(continuity_errors=1))
    assert alone.error_seconds[ErrorKind.CONTINUITY_ENCODER] == 1
    assert any("the far end's encoder" in text for text in verdict_of(alone).findings)
    assert verdict_of(alone).text.startswith("3 packets lost for good")


def test_a_reset_counts_from_zero_and_says_since_when() -> None:
    reader = Reader()
    reader.run()
    reader.second(ReceivedCounters(packets_dropped=3))
    reader.meter.reset(1002.0)
    account = reader.run()
    assert account.since == 1002.0
    assert account.received.packets_dropped == 0
    assert account.received.packets_unique == 100 * _PACKETS_A_STEP
    assert verdict_of(account).severity is VerdictSeverity.GOOD


def test_a_fault_of_more_than_a_minute_ago_wants_attention_and_fails_the_whole_period() -> None:
    reader = Reader()
    reader.run()
    assert verdict_of(reader.second(ReceivedCounters(packets_dropped=3))).severity is VerdictSeverity.FAULT
    later = reader.run(62)
    assert verdict_of(later).severity is VerdictSeverity.ATTENTION
    assert verdict_of(later, whole=True).severity is VerdictSeverity.FAULT


def test_a_lost_connection_is_counted_once_there_was_one() -> None:
    reader = Reader()
    assert reader.second(gauges=Gauges()).error_seconds == {}
    reader.run()
    reader.meter.end_connection()
    account = reader.second(gauges=Gauges())
    assert account.error_seconds == {ErrorKind.DISCONNECTED: 1}
    assert "not connected for 1 s" in verdict_of(account).text


def test_an_output_that_stands_still_is_a_fault_before_anybody_knows_the_cause() -> None:
    reader = Reader()
    reader.run()
    for _ in range(250):
        reader.step(release=False)
    verdict = verdict_of(reader.second())
    assert verdict.severity is VerdictSeverity.FAULT
    assert "no packet has been delivered for 2.5 s" in verdict.text


def test_a_buffer_that_is_nearly_empty_asks_for_more_latency() -> None:
    reader = Reader()
    reader.run()
    for _ in range(100):
        reader.step()
    reader.second(gauges=Gauges(connections=1, latency_ms=250, headroom_ms=30))
    account = reader.run()
    assert account.lowest_headroom_ms == 30
    assert verdict_of(account).text == "the receive buffer fell to 30 of 250 ms: raise the latency"


def test_a_buffer_that_empties_because_the_sender_stops_is_no_lack_of_latency() -> None:
    reader = Reader()
    reader.run()
    for _ in range(100):
        reader.step()
    reader.second(gauges=Gauges(connections=1, latency_ms=250, headroom_ms=0))
    for _ in range(50):
        reader.step(sent=False)
    reader.second(gauges=Gauges(connections=1, latency_ms=250, headroom_ms=0))
    account = reader.run(2)
    assert account.lowest_headroom_ms == 240


def test_percentiles_are_of_the_last_minute_and_memory_is_bounded() -> None:
    window = LatenessWindow()
    window.add([5000.0])
    window.close_second()
    for _ in range(60):
        window.add([float(number) for number in range(100)])
        window.close_second()
    lateness = window.last_minute()
    assert lateness is not None
    assert (lateness.p50, lateness.p99, lateness.max) == (49, 98, 99)
    window.add([value * 7.0 for value in range(1_000_000 // 7)])
    window.close_second()
    assert len(window._closed[-1][0]) < 2700


def test_a_minute_keeps_its_sums_and_its_extremes() -> None:
    calm = DeliveryPoint(at=1, received=ReceivedCounters(packets_unique=10), gauges=_CONNECTED, lateness_max_ms=9)
    bad = DeliveryPoint(
        at=2,
        received=ReceivedCounters(packets_unique=5, packets_dropped=2),
        gauges=Gauges(connections=1, headroom_ms=3, rtt_ms=70),
        lateness_max_ms=200,
        errors=(ErrorKind.LOST,),
    )
    minute = merge([calm, bad])
    assert (minute.at, minute.span_s) == (2, 2)
    assert minute.received == ReceivedCounters(packets_unique=15, packets_dropped=2)
    assert (minute.lateness_max_ms, minute.gauges.headroom_ms, minute.gauges.rtt_ms) == (200, 3, 60)
    assert minute.errors == (ErrorKind.LOST,)
