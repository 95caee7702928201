"""Streams as Prometheus metrics: counters since a stream was ordered to run, gauges of the last second.

Units are the base units of Prometheus: bytes, seconds, bits per second, ratios.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Final

from msgspec import Meta
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from app.domain.figures import counters
from app.domain.figures.counters import ConnectionCounters, Counters
from app.domain.figures.sample import Peer
from app.domain.snapshot import Snapshot
from app.domain.spec import RelaySpec, SendSpec, latency_ms_of
from app.domain.status import Order, Phase
from app.domain.verdict import Severity, judge, lost_at_receiver

_LABELS: Final = ["key", "name"]
_PEER_LABELS: Final = [*_LABELS, "peer"]

# What receive streams and relays count too. The others are figures of a sender, which they do not have; what a receive
# stream counts instead is in reception_metrics.py.
_COUNTERS_OF_EVERY_JOB: Final = frozenset({"payload_bytes_total", "wire_bytes_total", "input_bytes_total"})

_Gauge = Callable[[Snapshot], float | None]
_GAUGES: Final[dict[str, tuple[str, _Gauge]]] = {
    "ordered": ("1 while the operator wants it on air.", lambda s: float(s.status.order is Order.RUN)),
    "healthy": (
        "0 while the stream is at fault (docs/statistics.md lists the faults).",
        lambda s: float(judge(s, time.time()).severity is not Severity.FAULT),
    ),
    "attention": (
        "1 while the stream needs attention, including a fault.",
        lambda s: float(judge(s, time.time()).severity in (Severity.ATTENTION, Severity.FAULT)),
    ),
    "receivers_expected": (
        "Expected receivers of a send stream.",
        lambda s: float(s.attendance.expected) if isinstance(s.spec, SendSpec) else None,
    ),
    "receivers_missing": (
        "Expected receivers of a send stream that are missing.",
        lambda s: float(s.attendance.missing) if isinstance(s.spec, SendSpec) else None,
    ),
    "lost_at_receiver_ratio": (
        "Estimated fraction of packets that the worst receiver loses; within a factor of 3.",
        lambda s: lost_at_receiver(s) if isinstance(s.spec, SendSpec) else None,
    ),
    "peers": ("Connected far ends.", lambda s: float(len(s.sample.peers)) if s.sample else None),
    "payload_bits_per_second": (
        "Transport stream delivered over the last second.",
        lambda s: s.rates.payload_mbps * 1e6 if s.rates else None,
    ),
    "wire_bits_per_second": (
        "Transport stream with headers and retransmissions, sent over the last second.",
        lambda s: s.rates.wire_mbps * 1e6 if s.rates else None,
    ),
    "input_bits_per_second": (
        "Transport stream received from the source over the last second.",
        lambda s: s.rates.input_mbps * 1e6 if s.rates and s.rates.input_mbps is not None else None,
    ),
    "sample_age_seconds": ("Age of the figures.", lambda s: s.sample_age_s),
    "restarts": ("Launches after the first since it was ordered to run.", lambda s: float(s.status.restarts)),
    "latency_asked_seconds": ("The requested latency.", lambda s: _seconds(latency_ms_of(s.spec))),
}
_PeerFigure = Callable[[Peer], float | None]
_PEER_GAUGES: Final[dict[str, tuple[str, _PeerFigure]]] = {
    "rtt_seconds": ("Round-trip time as libsrt smooths it.", lambda p: p.rtt_ms / 1000),
    "latency_seconds": ("Negotiated latency.", lambda p: _seconds(p.negotiated_latency_ms)),
    "send_buffer_seconds": (
        "Age of the oldest packet that is not acknowledged yet.",
        lambda p: _seconds(p.send_buffer_ms),
    ),
    "lost_at_receiver_ratio": (
        "Estimated fraction of packets that the receiver loses; within a factor of 3.",
        lambda p: p.lost_at_receiver,
    ),
    "flight_packets": ("Packets sent and not acknowledged yet.", lambda p: p.flight_packets),
    "link_capacity_bits_per_second": ("libsrt's estimate of the path; rough.", lambda p: p.link_capacity_mbps * 1e6),
}


class StreamCollector(Collector):
    """The metrics of a list of snapshots. An unknown figure has no sample, so it is not mistaken for 0."""

    def __init__(self, snapshots: Sequence[Snapshot]) -> None:
        self._snapshots = snapshots

    def collect(self) -> Iterable[Metric]:
        """Return the metric families, streams first."""
        yield self._phases()
        for name, meta in counters.described(Counters).items():
            counter = CounterMetricFamily(f"srt_stream_{counters.short_name(name)}", _help(meta), labels=_LABELS)
            for snapshot in self._snapshots:
                if _counts(snapshot, name):
                    counter.add_metric(_labels(snapshot), getattr(snapshot.totals, name))
            yield counter
        for name, (text, read) in _GAUGES.items():
            gauge = GaugeMetricFamily(f"srt_stream_{name}", text, labels=_LABELS)
            for snapshot in self._snapshots:
                if (value := read(snapshot)) is not None:
                    gauge.add_metric(_labels(snapshot), value)
            yield gauge
        yield from self._peer_families()

    def _phases(self) -> Metric:
        family = GaugeMetricFamily("srt_stream_phase", "1 for the phase it is in.", labels=[*_LABELS, "phase"])
        for snapshot in self._snapshots:
            for phase in Phase:
                family.add_metric([*_labels(snapshot), phase.value], float(phase is snapshot.status.phase))
        return family

    def _peer_families(self) -> Iterable[Metric]:
        for name, meta in counters.described(ConnectionCounters).items():
            counted = CounterMetricFamily(f"srt_peer_{counters.short_name(name)}", _help(meta), labels=_PEER_LABELS)
            yield self._of_peers(counted, attrgetter(name), sum, [s for s in self._snapshots if _counts(s, name)])
        for name, (text, read) in _PEER_GAUGES.items():
            worst = min if name == "latency_seconds" else max
            family = GaugeMetricFamily(f"srt_peer_{name}", text, labels=_PEER_LABELS)
            # A relay does not see what the SRT connections through it measure.
            yield self._of_peers(family, read, worst, [s for s in self._snapshots if not isinstance(s.spec, RelaySpec)])

    @staticmethod
    def _of_peers(
        family: CounterMetricFamily | GaugeMetricFamily,
        read: _PeerFigure,
        joined: Callable[[Iterable[float]], float],
        snapshots: Sequence[Snapshot],
    ) -> Metric:
        """Group peers by address without the port: each new connection has another port and would be another series."""
        for snapshot in snapshots:
            values: dict[str, list[float]] = {}
            for peer in snapshot.sample.peers if snapshot.sample else []:
                if (value := read(peer)) is not None:
                    values.setdefault(peer.address.rpartition(":")[0], []).append(value)
            for host, of_host in values.items():
                family.add_metric([*_labels(snapshot), host], joined(of_host))
        return family


def _counts(snapshot: Snapshot, counter: str) -> bool:
    return isinstance(snapshot.spec, SendSpec) or counter in _COUNTERS_OF_EVERY_JOB


def _help(meta: Meta) -> str:
    return f"{meta.description}."


def _labels(snapshot: Snapshot) -> list[str]:
    return [snapshot.key, snapshot.spec.label()]


def _seconds(value_ms: int | None) -> float | None:
    return None if value_ms is None else value_ms / 1000
