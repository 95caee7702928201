"""Receive streams as Prometheus metrics, since the last reset of each stream's account."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from app.domain.figures.reception import ErrorKind, Reception
from app.domain.snapshot import Snapshot

_LABELS: Final = ["key", "name"]
_Figure = Callable[[Reception], float | None]
_COUNTERS: Final[dict[str, tuple[str, _Figure]]] = {
    "packets_unique": ("SRT data packets that arrived, each counted once.", lambda r: r.received.packets_unique),
    "packets_recovered": ("Packets lost and sent again in time.", lambda r: r.received.packets_recovered),
    "packets_dropped": ("Packets lost for good.", lambda r: r.received.packets_dropped),
    "packets_belated": ("Packets that arrived too late or twice.", lambda r: r.received.packets_belated),
    "packets_undecryptable": ("Packets not decrypted.", lambda r: r.received.packets_undecryptable),
    "continuity_errors": ("Continuity counter errors at the output.", lambda r: r.received.continuity_errors),
}
_GAUGES: Final[dict[str, tuple[str, _Figure]]] = {
    "lateness_seconds": (
        "Lateness of the latest packet of the last minute.",
        lambda r: r.lateness.max / 1000 if r.lateness else None,
    ),
    "longest_gap_seconds": ("Longest pause of the output.", lambda r: r.longest_gap_ms / 1000),
    "longest_freeze_seconds": ("Longest pause that delayed packets.", lambda r: r.longest_freeze_ms / 1000),
    "headroom_seconds": (
        "Lowest fill level of the receive buffer in the last second.",
        lambda r: None if r.second.gauges.headroom_ms is None else r.second.gauges.headroom_ms / 1000,
    ),
}


class ReceptionCollector(Collector):
    """The metrics of the receive streams in the snapshots."""

    def __init__(self, snapshots: Sequence[Snapshot]) -> None:
        self._watched = [(s.key, s.spec.label(), s.outputs) for s in snapshots if s.reception is not None]
        self._received = [(s.key, s.spec.label(), s.reception) for s in snapshots if s.reception is not None]

    def collect(self) -> Iterable[Metric]:
        """Return the metric families."""
        for name, (text, read) in _COUNTERS.items():
            yield self._filled(CounterMetricFamily(f"srt_reception_{name}", text, labels=_LABELS), read)
        for name, (text, read) in _GAUGES.items():
            yield self._filled(GaugeMetricFamily(f"srt_reception_{name}", text, labels=_LABELS), read)
        errors = CounterMetricFamily("srt_reception_error_seconds", "Seconds with errors.", labels=[*_LABELS, "kind"])
        for key, label, reception in self._received:
            for kind in ErrorKind:
                errors.add_metric([key, label, kind.value], reception.error_seconds.get(kind, 0))
        yield errors
        yield from self._watching()

    def _watching(self) -> Iterable[Metric]:
        wrong = GaugeMetricFamily("srt_reception_wrong", "1 while it lasts.", labels=[*_LABELS, "kind"])
        loudness = GaugeMetricFamily("srt_reception_loudness_lufs", "EBU R 128.", labels=[*_LABELS, "kind"])
        peak = GaugeMetricFamily("srt_reception_true_peak_dbtp", "Highest since the integration began.", labels=_LABELS)
        for key, label, outputs in self._watched:
            if (picture := outputs.picture) is not None:
                wrong.add_metric([key, label, "black"], float(picture.black.since is not None))
                wrong.add_metric([key, label, "frozen"], float(picture.frozen.since is not None))
            if (heard := outputs.loudness) is None:
                continue
            wrong.add_metric([key, label, "silent"], float(heard.silent.since is not None))
            for kind in ("momentary", "short_term", "integrated"):
                if (value := getattr(heard, f"{kind}_lufs")) is not None:
                    loudness.add_metric([key, label, kind], value)
            if heard.true_peak_dbtp is not None:
                peak.add_metric([key, label], heard.true_peak_dbtp)
        yield from (wrong, loudness, peak)

    def _filled(self, family: CounterMetricFamily | GaugeMetricFamily, read: _Figure) -> Metric:
        for key, label, reception in self._received:
            if (value := read(reception)) is not None:
                family.add_metric([key, label], value)
        return family
