"""Which callers a listener accepts: fifty at once, and an address that calls all the time at a limited rate."""

from __future__ import annotations

from app.srt.admission import Admission, Denial, DenialReport


def let_in(admission: Admission, calls: list[tuple[str, float]], connected: int = 0) -> int:
    """Return how many of these calls are admitted."""
    return sum(admission.decide(host, connected, at) is None for host, at in calls)


def test_fifty_receivers_behind_one_router_come_at_once() -> None:
    assert let_in(Admission(), [("192.0.2.7", 100.0)] * 50) == 50


def test_an_address_that_calls_all_the_time_is_let_in_five_times_a_second_at_most() -> None:
    calls = [("192.0.2.7", 100 + number / 300) for number in range(300 * 30)]
    assert let_in(Admission(), calls) <= 64 + 5 * 30


def test_another_address_is_let_in_meanwhile() -> None:
    admission = Admission()
    let_in(admission, [("192.0.2.7", 100.0)] * 1000)
    assert admission.decide("192.0.2.8", 0, 100.0) is None


def test_all_addresses_together_have_a_limit() -> None:
    calls = [(f"2001:db8::{number:x}", 100 + number / 1000) for number in range(10_000)]
    assert let_in(Admission(), calls) <= 128 + 50 * 10


def test_no_more_receivers_than_allowed() -> None:
    admission = Admission(receivers_max=3)
    assert admission.decide("192.0.2.7", 2, 100.0) is None
    assert admission.decide("192.0.2.7", 3, 100.0) is Denial.TOO_MANY_RECEIVERS


def test_a_banned_host_is_refused_for_an_hour_and_no_other() -> None:
    admission = Admission()
    admission.ban("192.0.2.7", 100.0)
    assert admission.decide("192.0.2.7", 0, 3699.0) is Denial.BANNED
    assert admission.decide("192.0.2.8", 0, 3699.0) is None
    assert admission.decide("192.0.2.7", 0, 3701.0) is None


def test_a_flood_of_denials_is_a_few_events_and_a_sentence() -> None:
    report = DenialReport()
    reported = sum(report.is_reported("192.0.2.7", Denial.TOO_MANY_CALLS, 100 + number / 100) for number in range(1000))
    assert 20 <= reported <= 23
    assert report.summary(120.0) == f"{1000 - reported} calls from 192.0.2.7 were refused: it calls too often"
    assert report.summary(121.0) is None
