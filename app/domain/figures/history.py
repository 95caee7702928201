"""A stream's history for charts: one interval for each pair of readings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from app.domain.figures.rates import Rates, rates
from app.domain.figures.sample import Point


class Second(msgspec.Struct, frozen=True):
    """One interval of a stream's history. `at` is the end of the interval, Unix time; gauges are those at its end."""

    at: float
    peers: int
    rates: Rates
    rtt_ms: float | None
    send_buffer_ms: int | None
    lost_at_receiver: float | None = None


def seconds(points: Sequence[Point]) -> list[Second]:
    """Turn readings, oldest first, into the intervals between them. Intervals too short to divide by are left out."""
    made = []
    for before, after in pairwise(points):
        if (rate := rates(before, after, after.at - before.at)) is None:
            continue
        made.append(Second(after.at, after.peers, rate, after.rtt_ms, after.send_buffer_ms, after.lost_at_receiver))
    return made
