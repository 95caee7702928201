"""The worker's book: counters summed over all peers that ever were, and an hour of them, second by second."""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from app.domain.stats import grown
from app.protocol import HISTORY_SECONDS, Input, Peer, Point, Sample

_COUNTERS: Final = (
    "payload_bytes_total",
    "wire_bytes_total",
    "packets_sent_unique_total",
    "packets_retransmitted_total",
    "packets_dropped_total",
    "acks_total",
)


class Ledger:
    """Adds up readings. Points are kept encoded: an hour of them is then some 400 kB and not 2 MB."""

    def __init__(self) -> None:
        self.count = 0
        # The largest growth among the peers, added up over the readings: the flow whatever the number of receivers.
        self.busiest_bytes_total = 0
        self._totals = dict.fromkeys(_COUNTERS, 0)
        self._last: dict[int, Peer] = {}
        self._ring: deque[bytes] = deque(maxlen=HISTORY_SECONDS)

    def follow(self, peers: list[Peer]) -> None:
        """Book a reading of the peers. Often: libsrt tells nothing of a peer that has just left."""
        busiest_bytes = 0
        for peer in peers:
            before = self._last.get(peer.id)
            for name in _COUNTERS:
                self._totals[name] += grown(getattr(before, name) if before else 0, getattr(peer, name))
            new_bytes = grown(before.payload_bytes_total if before else 0, peer.payload_bytes_total)
            busiest_bytes = max(busiest_bytes, new_bytes)
        self.busiest_bytes_total += busiest_bytes
        self._last = {peer.id: peer for peer in peers}

    def sample(self, at: float, peers: list[Peer], source: Input) -> Sample:
        """Book a reading and give it as a sample."""
        self.follow(peers)
        buffers = [peer.send_buffer_ms for peer in peers if peer.send_buffer_ms is not None]
        point = Point(
            at=at,
            peers=len(peers),
            input_bytes_total=source.bytes_total,
            continuity_errors_total=source.continuity_errors_total,
            rtt_ms=max((peer.rtt_ms for peer in peers), default=None),
            send_buffer_ms=max(buffers, default=None),
            input_at=at if source.counted_at is None else source.counted_at,
            **self._totals,
        )
        self.count += 1
        self._ring.append(msgspec.msgpack.encode(point))
        return Sample(point=point, peers=peers, input=source)

    def points(self) -> list[Point]:
        """The points of the last hour, oldest first."""
        return [msgspec.msgpack.decode(point, type=Point) for point in self._ring]
