"""The difference of two clocks from readings in whole seconds, and the times of a report in two zones."""

from __future__ import annotations

import math
import time

import pytest

from app.domain.lineup.plan import Plan
from app.domain.lineup.run import Run, RunState
from app.lineup import clocks
from app.lineup.clocks import ClockDifference, check_clock, compare_clocks
from app.web.presenters.line_up import present_run


@pytest.mark.parametrize("ahead_s", [0.0, 0.3, -0.7, 3600.4])
def test_readings_over_more_than_a_second_bound_the_difference_closely(
    monkeypatch: pytest.MonkeyPatch, ahead_s: float
) -> None:
    now = [1_800_000_000.25]
    monkeypatch.setattr(clocks, "unix_now", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    def read() -> float:
        wait(0.02)  # the way there, and back
        shown = math.floor(now[0] + ahead_s)
        wait(0.02)
        return shown

    found = compare_clocks(read, wait)
    assert abs(found.ahead_s - ahead_s) <= found.within_s < 0.15


def test_a_clock_an_hour_off_is_a_remark() -> None:
    check = check_clock("far", ClockDifference(-3600.0, 0.1), limit_s=2.5)
    assert (check.verdict, check.got) == ("remark", "3600.00 s behind this host, ± 0.10 s; its times are corrected")
    assert check_clock("far", ClockDifference(0.4, 0.1), limit_s=2.5).verdict == "pass"


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "2027-01-15 23:00:00 to 2027-01-16 01:00:00 UTC, profile line-up"),
        (
            "Europe/Stockholm",
            "2027-01-15 23:00:00 to 2027-01-16 01:00:00 UTC, 2027-01-16 00:00:00 to 02:00:00 CET, profile line-up",
        ),
    ],
)
def test_a_report_says_when_in_utc_and_in_local_time(monkeypatch: pytest.MonkeyPatch, zone: str, text: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    run = Run("20270115-230000-abcd", Plan(), RunState.DONE, 1_800_054_000.0, finished_at=1_800_061_200.0)
    assert present_run(run, 0.0).tested_text == text
    monkeypatch.undo()
    time.tzset()
