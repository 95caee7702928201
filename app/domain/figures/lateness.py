"""The lateness of a receiver's packets, as percentiles of the last minute in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

WINDOW_SECONDS: Final = 60
# Buckets of 1 ms up to 2 s and of 100 ms up to a minute: precise enough for a chart of any range.
_FINE_MS: Final = 2_000
_COARSE_STEP_MS: Final = 100
_HIGHEST_MS: Final = 60_000


class Lateness(msgspec.Struct, frozen=True):
    """The lateness of the packets of a period, in milliseconds after they were due."""

    p50: float
    p99: float
    max: float


class LatenessWindow:
    """Counts packets by their lateness, second by second, and keeps the last WINDOW_SECONDS of them."""

    def __init__(self) -> None:
        self._open: dict[int, int] = {}
        self._open_max_ms = 0.0
        self._closed: deque[tuple[dict[int, int], float]] = deque(maxlen=WINDOW_SECONDS)

    def add(self, late_ms: Iterable[float]) -> None:
        """Count packets of the present second; an early packet counts as on time."""
        counts, highest_ms = self._open, self._open_max_ms
        for value in late_ms:
            key = int(value) if 0 <= value < _FINE_MS else _bucket(value)
            counts[key] = counts.get(key, 0) + 1
            if value > highest_ms:
                highest_ms = value
        self._open_max_ms = highest_ms

    def close_second(self) -> Lateness | None:
        """End the present second and return its lateness, None if no packet came."""
        counts, highest_ms = self._open, self._open_max_ms
        self._closed.append((counts, highest_ms))
        self._open, self._open_max_ms = {}, 0.0
        return _summary(counts, highest_ms)

    def last_minute(self) -> Lateness | None:
        """Return the lateness of the last WINDOW_SECONDS seconds, None if no packet came."""
        merged: dict[int, int] = {}
        for counts, _ in self._closed:
            for bucket, count in counts.items():
                merged[bucket] = merged.get(bucket, 0) + count
        return _summary(merged, max((highest_ms for _, highest_ms in self._closed), default=0.0))


def _bucket(late_ms: float) -> int:
    if late_ms < 0:
        return 0
    return int(min(late_ms, _HIGHEST_MS) // _COARSE_STEP_MS) * _COARSE_STEP_MS


def _summary(counts: dict[int, int], highest_ms: float) -> Lateness | None:
    total = sum(counts.values())
    if not total:
        return None
    return Lateness(p50=_percentile(counts, total * 0.50), p99=_percentile(counts, total * 0.99), max=highest_ms)


def _percentile(counts: dict[int, int], rank: float) -> float:
    """Return the lower edge of the bucket that holds the packet of this rank."""
    seen = 0
    bucket = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= rank:
            break
    return float(bucket)
