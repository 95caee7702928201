"""A reception's history: the seconds of the last hour, and one-minute summaries of 24 hours."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import takewhile
from typing import Final

import msgspec

from app.domain.figures.merging import later
from app.domain.figures.reception import DeliveryPoint, merge

HISTORY_SECONDS: Final = 3600
HISTORY_MINUTES: Final = 24 * 60
_MINUTE_S: Final = 60

_decoder: Final = msgspec.msgpack.Decoder(DeliveryPoint)


class DeliveryHistory:
    """Keeps points encoded, about 150 bytes each. A minute is summarised when the next one begins."""

    def __init__(self) -> None:
        self._seconds: deque[bytes] = deque(maxlen=HISTORY_SECONDS)
        self._minutes: deque[bytes] = deque(maxlen=HISTORY_MINUTES)
        self._newest_at = 0.0

    def add(self, point: DeliveryPoint) -> None:
        """Add a second; a point that is not newer than the last one is ignored."""
        if point.at <= self._newest_at:
            return
        if self._newest_at and int(point.at // _MINUTE_S) != int(self._newest_at // _MINUTE_S):
            self._minutes.append(msgspec.msgpack.encode(merge(self._minute_of(self._newest_at))))
        self._seconds.append(msgspec.msgpack.encode(point))
        self._newest_at = point.at

    def _minute_of(self, at: float) -> list[DeliveryPoint]:
        found: list[DeliveryPoint] = []
        for encoded in reversed(self._seconds):
            point = _decoder.decode(encoded)
            if int(point.at // _MINUTE_S) != int(at // _MINUTE_S):
                break
            found.append(point)
        return found[::-1]

    def recall(self, seconds: Iterable[DeliveryPoint], minutes: Iterable[DeliveryPoint]) -> None:
        """Add what a worker remembers; points that are already here are ignored."""
        newest = _decoder.decode(self._minutes[-1]).at if self._minutes else 0.0
        self._minutes.extend(map(msgspec.msgpack.encode, later(minutes, newest)))
        for second in later(seconds, self._newest_at):
            self._seconds.append(msgspec.msgpack.encode(second))
            self._newest_at = second.at

    def seconds(self, since: float = 0.0) -> list[DeliveryPoint]:
        """Return the seconds of the last hour that ended after `since`, oldest first."""
        return _newer(self._seconds, since)

    def minutes(self, since: float = 0.0) -> list[DeliveryPoint]:
        """Return the complete minutes of the last 24 hours after `since`, oldest first."""
        return _newer(self._minutes, since)


def _newer(ring: deque[bytes], since: float) -> list[DeliveryPoint]:
    points = map(_decoder.decode, reversed(ring))
    return list(takewhile(lambda point: point.at > since, points))[::-1]
