"""The figures of one stream over all of its workers: samples to rates, totals and an hour of history."""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from app.domain.figures.counters import Counters, plus, values
from app.domain.figures.merging import later
from app.domain.figures.rates import Rates, rates
from app.domain.figures.sample import NOTHING_APPLIED, Point, Sample
from app.machine.steady_clock import unix_of
from app.protocol import HISTORY_SECONDS

# Without the host's steady clock, a sample whose time differs by more than this counts as made now.
_CLOCKS_APART_S: Final = 10.0


class Figures:
    """The sums and rates of a stream's samples. `sample` is the newest of the present worker.

    Times are converted to this process's clock, so that a step of the wall clock between the starts of the worker and
    of this process makes no figure look old.
    """

    def __init__(self) -> None:
        self.history: deque[Point] = deque(maxlen=HISTORY_SECONDS)
        self.sample: Sample | None = None
        self.applied = NOTHING_APPLIED
        self._before: Sample | None = None
        self._earlier = Counters()

    def take(self, sample: Sample, now: float) -> None:
        """Add a sample that came at `now`."""
        self._before, self.sample = self.sample, _in_own_time(sample, now)
        if sample.applied != NOTHING_APPLIED:
            self.applied = sample.applied
        self.history.append(self.sample.point)

    def recall(self, points: list[Point]) -> None:
        """Add the points that a worker remembers; points that are already here are ignored."""
        newest = self.history[-1].at if self.history else 0.0
        self.history.extend(later((_moved(point, _shift_s(point)) for point in points), newest))

    def end_worker(self) -> None:
        """Close the present worker's account: its totals are kept, and its last sample is no longer present."""
        self._earlier = self.totals()
        self.sample = self._before = None
        self.applied = NOTHING_APPLIED

    def open_account(self) -> None:
        """Count from zero, because the stream was ordered to run again. The history continues."""
        self._earlier = Counters()

    def totals(self) -> Counters:
        """Return the counters over all workers of the stream."""
        return self._earlier if self.sample is None else plus(self._earlier, values(self.sample.point))

    def rates(self) -> Rates | None:
        """Return the rates of the stream over its last second."""
        if self._before is None or self.sample is None:
            return None
        return rates(self._before.point, self.sample.point, self._interval_s())

    def peer_rates(self) -> dict[int, Rates]:
        """Return the rates of each peer that was connected at both ends of the last second."""
        if self._before is None or self.sample is None:
            return {}
        earlier = {peer.id: peer for peer in self._before.peers}
        both = [peer for peer in self.sample.peers if peer.id in earlier]
        found = {peer.id: rates(earlier[peer.id], peer, self._interval_s()) for peer in both}
        return {key: rate for key, rate in found.items() if rate is not None}

    def _interval_s(self) -> float:
        return self.sample.point.at - self._before.point.at if self.sample and self._before else 0.0


def _shift_s(point: Point) -> float:
    return unix_of(point.steady_at) - point.at if point.steady_at else 0.0


def _in_own_time(sample: Sample, now: float) -> Sample:
    shift_s = _shift_s(sample.point)
    if not sample.point.steady_at and abs(now - sample.point.at) > _CLOCKS_APART_S:
        shift_s = now - sample.point.at
    peers = [msgspec.structs.replace(peer, connected_at=peer.connected_at + shift_s) for peer in sample.peers]
    return msgspec.structs.replace(sample, point=_moved(sample.point, shift_s), peers=peers)


def _moved(point: Point, shift_s: float) -> Point:
    input_at = point.input_at + shift_s if point.input_at else 0.0
    return msgspec.structs.replace(point, at=point.at + shift_s, input_at=input_at)
