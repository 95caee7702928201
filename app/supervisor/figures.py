"""The figures of one stream: samples to rates, totals and an hour of history, across all of its workers."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from app.domain.stats import Rates, rates
from app.protocol import HISTORY_SECONDS, Point, Sample

_TOTALS: Final = (
    "payload_bytes_total",
    "wire_bytes_total",
    "packets_sent_unique_total",
    "packets_retransmitted_total",
    "packets_dropped_total",
    "acks_total",
    "input_bytes_total",
    "continuity_errors_total",
)


class Figures:
    """What the samples of a stream add up to. `sample` is the newest of the present worker."""

    def __init__(self) -> None:
        self.history: deque[Point] = deque(maxlen=HISTORY_SECONDS)
        self.sample: Sample | None = None
        self.applied: dict[str, Any] = {}
        self._before: Sample | None = None
        self._earlier_totals = dict.fromkeys(_TOTALS, 0)

    def take(self, sample: Sample) -> None:
        """Book a sample."""
        self._before, self.sample = self.sample, sample
        self.applied = sample.applied or self.applied
        self.history.append(sample.point)

    def recall(self, points: list[Point]) -> None:
        """Add what a worker remembers, but for the points that are here already."""
        newest = self.history[-1].at if self.history else 0.0
        self.history.extend(point for point in points if point.at > newest)

    def end_worker(self) -> None:
        """Close the present worker's account: its totals are kept, its last sample is no longer the present."""
        for name in _TOTALS:
            self._earlier_totals[name] += getattr(self.sample.point, name) if self.sample else 0
        self.sample = self._before = None
        self.applied = {}

    def open_account(self) -> None:
        """Count from zero: the stream was ordered to run anew. History goes on."""
        self._earlier_totals = dict.fromkeys(_TOTALS, 0)

    def totals(self) -> dict[str, int]:
        """Counters over all workers of the stream."""
        point = self.sample.point if self.sample else Point(at=0)
        return {name: self._earlier_totals[name] + getattr(point, name) for name in _TOTALS}

    def rates(self) -> Rates | None:
        """The stream over its last second."""
        if self._before is None or self.sample is None:
            return None
        return rates(self._before.point, self.sample.point, self._interval_s())

    def peer_rates(self) -> dict[int, Rates]:
        """Each peer that was there at both ends of the last second."""
        if self._before is None or self.sample is None:
            return {}
        earlier = {peer.id: peer for peer in self._before.peers}
        both = [peer for peer in self.sample.peers if peer.id in earlier]
        found = {peer.id: rates(earlier[peer.id], peer, self._interval_s()) for peer in both}
        return {key: rate for key, rate in found.items() if rate is not None}

    def _interval_s(self) -> float:
        return self.sample.point.at - self._before.point.at if self.sample and self._before else 0.0
