"""Ends a file that is played once: waits for all acknowledgements, and then until the receivers have played it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.domain.endings import Finished
from app.domain.status import Reason
from app.engines.direct.feed import FILE_AHEAD_US
from app.engines.direct.receiver import Receiver

# After the last packet, the far end may still request resends: wait this long at most for an empty send buffer.
_BEYOND_LATENCY_S: Final = 1.0
# The last packet was sent this much before it was due, and a margin.
_PLAYED_AFTER_S: Final = FILE_AHEAD_US / 1e6 + 0.1


class Drain:
    """The last seconds of a file. Times are Unix."""

    def __init__(self, latency_ms: int) -> None:
        self._latency_s = latency_ms / 1000
        self._until: float | None = None
        self._end_at: float | None = None

    def begin(self, now: float) -> None:
        """Note that the last message was sent."""
        self._until = now + self._latency_s + _BEYOND_LATENCY_S

    def has_begun(self) -> bool:
        """Whether the last message was sent."""
        return self._until is not None

    def follow(self, receivers: Sequence[Receiver], now: float) -> None:
        """Raise Finished when nothing is left to wait for."""
        if self._end_at is not None:
            if now > self._end_at:
                raise Finished(Reason.END_OF_FILE)
            return
        if self._until is None or (now < self._until and any(each.waiting_packets() for each in receivers)):
            return
        peers = [peer for each in receivers if (peer := each.read()) is not None]
        held_ms = max((peer.negotiated_latency_ms or 0 for peer in peers), default=0)
        rtt_ms = max((peer.rtt_ms for peer in peers), default=0.0)
        self._end_at = now + (held_ms + rtt_ms) / 1000 + _PLAYED_AFTER_S
