"""The error-seconds of a line-up run, over resets of the receive stream and over its workers."""

from __future__ import annotations

from app.domain.lineup.indicators import Indicators, follow
from app.domain.lineup.measured import IndicatorSeconds


def counts(seconds: int) -> Indicators:
    return (IndicatorSeconds("continuity_count_error", 1, seconds),)


def run_through(*readings: int | None, before: int = 0, longest_s: int = 900) -> int | None:
    """Return the error-seconds after these readings of the receive stream's count."""
    baseline, had = counts(before), None
    for reading in readings:
        now = None if reading is None else counts(reading)
        baseline, had = follow(baseline, had, now, longest_s=longest_s)
    return None if had is None else had[0].error_seconds


def test_errors_before_the_run_do_not_count() -> None:
    assert run_through(7, 9, before=7) == 2


def test_a_worker_that_begins_again_adds_to_what_was_counted() -> None:
    assert run_through(10, 12, 0, 3, before=7) == 8
    assert run_through(10, 0, 3, 0, 1, before=7) == 7


def test_between_two_workers_the_count_stays() -> None:
    assert run_through(10, None, before=7) == 3
    assert run_through(None, before=7) is None


def test_a_run_has_no_more_error_seconds_than_seconds() -> None:
    assert run_through(50, longest_s=10) == 10
