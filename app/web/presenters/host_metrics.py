"""The state of the other hosts as Prometheus metrics."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.domain.hosts import HostEntry
from app.fleet.poller import is_current
from app.fleet.report import HostReport


class HostCollector(Collector):
    """The metrics of the hosts in HOSTS; a host that never answered has no age."""

    def __init__(self, reports: Sequence[tuple[HostEntry, HostReport]]) -> None:
        self._reports = reports

    def collect(self) -> Iterable[Metric]:
        """Return two families, each with one sample per host."""
        answers = GaugeMetricFamily(
            "srt_host_answers", "1 while the last answer of the host was good.", labels=["host"]
        )
        age = GaugeMetricFamily("srt_host_age_seconds", "Age of the host's last good answer.", labels=["host"])
        now = time.monotonic()
        for entry, report in self._reports:
            answers.add_metric([entry.name], float(is_current(report, now)))
            if (age_s := report.age_s(now)) is not None:
                age.add_metric([entry.name], age_s)
        yield answers
        yield age
