"""The benchmark of the engines: which cases it measures, and how it compares what senders of different rates cost."""

from __future__ import annotations

from argparse import Namespace

from benchmarks.engines import cases_of
from benchmarks.engines_report import Case, Cost, ratios_of


def cost(cpu_percent: float, received_mbps: float) -> Cost:
    """Return the cost of a sender that delivered this payload."""
    return Cost(cpu_percent, 14.0, 1000, received_mbps, 0, None)


def test_a_part_that_is_left_empty_is_not_measured() -> None:
    crowds = cases_of(Namespace(rates="", receivers="10", streams="1,10,50"))
    assert [str(case) for case in crowds] == ["8 Mb/s, 10 receivers", "10 × 8 Mb/s", "50 × 2 Mb/s"]
    assert cases_of(Namespace(rates="", receivers="", streams="")) == []


def test_cpu_is_compared_as_it_is_and_for_each_megabit_received() -> None:
    line = ratios_of(Case(8_000_000), {"direct": [cost(3.6, 8.0)], "ffmpeg": [cost(3.0, 7.5)], "idle": [cost(0, 0)]})
    assert "1.20 × ffmpeg (1.12 for each Mb/s)" in line
    assert "– × idle (– for each Mb/s)" in line
