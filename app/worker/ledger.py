"""The worker's book: counters summed over all peers that ever were, and an hour of them, second by second."""

from __future__ import annotations

from collections import deque

import msgspec

from app.domain.figures.counters import ConnectionCounters, grown, plus, values
from app.domain.figures.sample import Input, Peer, Point, Sample
from app.protocol import HISTORY_SECONDS


class Ledger:
    """Adds up readings. Points are kept encoded: an hour of them is then some 400 kB and not 2 MB."""

    def __init__(self) -> None:
        self.count = 0
        # The largest growth among the peers, added up over the readings: the flow whatever the number of receivers.
        self.busiest_bytes_total = 0
        self._totals = ConnectionCounters()
        self._last: dict[int, Peer] = {}
        self._ring: deque[bytes] = deque(maxlen=HISTORY_SECONDS)

    def follow(self, peers: list[Peer]) -> None:
        """Book a reading of the peers. Often: libsrt tells nothing of a peer that has just left."""
        busiest_bytes = 0
        for peer in peers:
            new = grown(self._last.get(peer.id), peer)
            self._totals = plus(self._totals, new)
            busiest_bytes = max(busiest_bytes, new["payload_bytes_total"])
        self.busiest_bytes_total += busiest_bytes
        self._last = {peer.id: peer for peer in peers}

    def sample(self, at: float, peers: list[Peer], source: Input, *, steady_at: float = 0.0) -> Sample:
        """Book a reading and return it as a sample; `steady_at` is the moment in seconds since the host booted."""
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
            steady_at=steady_at,
            **values(self._totals),
        )
        self.count += 1
        self._ring.append(msgspec.msgpack.encode(msgspec.structs.astuple(point)))
        return Sample(point=point, peers=peers, input=source)

    def points(self) -> list[Point]:
        """The points of the last hour, oldest first."""
        rows = map(msgspec.msgpack.decode, self._ring)
        return [Point(**dict(zip(Point.__struct_fields__, row, strict=True))) for row in rows]
