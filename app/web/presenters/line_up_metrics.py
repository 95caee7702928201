"""The last verdict of each far end, as a Prometheus metric."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.domain.lineup.conclusion import Verdict
from app.domain.lineup.run import RUNNING, Run

_VALUES: Final = {Verdict.PASS: 0.0, Verdict.REMARKS: 1.0, Verdict.FAIL: 2.0}


class LineUpCollector(Collector):
    """One sample for each far end in a finished run. `runs` are newest first."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs

    def collect(self) -> Iterable[Metric]:
        """Return one family."""
        family = GaugeMetricFamily(
            "srt_line_up_verdict", "The last verdict: 0 pass, 1 with remarks, 2 fail.", labels=["far_end"]
        )
        seen = set()
        for run in self._runs:
            if run.state in RUNNING or run.conclusion is None or run.plan.far_end in seen:
                continue
            seen.add(run.plan.far_end)
            family.add_metric([run.plan.far_end], _VALUES[run.conclusion.verdict])
        yield family
