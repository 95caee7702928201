"""The time of a run over a posted probe: every second of the report lies in it, also those of a busy host."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.domain.lineup.measured import ReceiverSecond
from app.lineup.probe_end import ProbeEnd
from app.lineup.probe_reports import ProbeReports


class Kept:
    """One report with seconds that ended at these times."""

    def __init__(self, ends: list[float]) -> None:
        self._ends = ends

    def get(self, _report_id: str) -> Any:
        return SimpleNamespace(report=SimpleNamespace(ended_at=self._ends[-1], severity="good"), received_at=100.0)

    def history(self, _report_id: str) -> list[ReceiverSecond]:
        return [ReceiverSecond(at, packets_unique=700) for at in self._ends]


@pytest.mark.parametrize(
    ("ends", "duration_s"),
    [
        ([101.0, 102.0, 103.0, 104.0], 4),
        ([101.9, 102.6, 103.3, 104.0], 3),
        ([101.0, 102.4, 103.4, 104.4], 4),
        ([101.0, 102.7, 103.4, 104.6], 5),
        ([101.3], 1),
    ],
    ids=["steady", "the first was long", "one was long", "more than half a second longer", "one alone"],
)
def test_every_second_of_the_report_lies_in_the_run(ends: list[float], duration_s: int) -> None:
    end = ProbeEnd(cast("ProbeReports", Kept(ends)), "report")
    assert end.duration_s == duration_s
    assert all(end.begins_at < second.at <= end.begins_at + end.duration_s for second in end.read(len(ends)))
