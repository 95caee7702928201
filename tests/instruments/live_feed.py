"""Feeds a live analysis as a receiver does: seven TS packets per payload, each payload at its time.

The clock is simulated.
"""

from __future__ import annotations

from app.mpegts.inspect.live import LiveAnalyser, LiveReport

START = 1000.0
PAYLOAD_BYTES = 7 * 188


class Feed:
    """A live analysis with a simulated clock, fed at a constant bitrate."""

    def __init__(self, bitrate_bps: int) -> None:
        self.analyser = LiveAnalyser(START)
        self.now = START
        self._seconds_a_byte = 8 / bitrate_bps

    def take(self, data: bytes, *, payload_bytes: int = PAYLOAD_BYTES) -> Feed:
        """Feed the bytes and advance the clock by the time that they take at the bitrate."""
        for at in range(0, len(data), payload_bytes):
            payload = data[at : at + payload_bytes]
            self.now += len(payload) * self._seconds_a_byte
            self.analyser.feed(payload, self.now)
        return self

    def report(self, *, after_s: float = 0.0) -> LiveReport:
        """Advance the clock by `after_s` and return the report."""
        self.now += after_s
        return self.analyser.report(self.now)

    def errors(self, *, priorities: tuple[int, ...] = (1, 2, 3)) -> dict[str, int]:
        """Return the counts that are not 0, by the name of the indicator."""
        found = self.report().indicators
        return {one.name: one.count for one in found if one.count and one.priority in priorities}
