"""Keeps libsrt's bandwidth cap from falling with every gap in the input.

With `maxbw=0`, libsrt caps its output at its own estimate of the input rate over the last second, plus the overhead. A
gap of half a second halves the estimate. Packets after the gap are then held back in the send buffer: 400 ms of them at
8 Mb/s and 25 %. After a silence of 10 s it is nearly a second of packets, which 5 % of overhead needs 17 s to send.
SRTO_MININPUTBW is the remedy: the estimate never falls below it. GStreamer has no name for it, so it is set through
ctypes while the stream runs.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from app.domain.constants import SRT_HEADER_BYTES, SRT_PAYLOAD_BYTES
from app.domain.figures.counters import growth

_READINGS_REMEMBERED: Final = 30
_INTERVAL_S: Final = 0.9


class RateFloor:
    """The input rate below which the cap must not fall.

    If the rate is known beforehand, it is that rate. Otherwise it is the rate that at least two of the last 30 readings
    reached, so that one burst after a gap does not count. A silent second is not a reading: the rate is remembered
    across it.
    """

    def __init__(self, known_bps: int | None) -> None:
        self._known_bps = known_bps
        self._rates: deque[float] = deque(maxlen=_READINGS_REMEMBERED)
        self._at: float | None = None
        self._bytes_total = 0

    def follow(self, at: float, bytes_total: int) -> int:
        """Take a reading of the input's byte counter. Return the floor in libsrt's bytes per second, headers included.

        0 means that nothing is known yet. Call it about once a second; `at` is seconds on any steady clock.
        """
        if self._at is None or at - self._at >= _INTERVAL_S:
            if self._at is not None and (new := growth(self._bytes_total, bytes_total)):
                self._rates.append(new / (at - self._at))
            self._at, self._bytes_total = at, bytes_total
        payload = self._known_bps / 8 if self._known_bps else self._second_highest()
        return round(payload * (SRT_PAYLOAD_BYTES + SRT_HEADER_BYTES) / SRT_PAYLOAD_BYTES)

    def _second_highest(self) -> float:
        return sorted(self._rates)[-2] if len(self._rates) >= 2 else 0.0
