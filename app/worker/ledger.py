"""The worker's totals: counters summed over all present and past peers, second by second for an hour."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

from app.domain.figures.counters import ConnectionCounters, grown, plus, values
from app.domain.figures.rates import mbps
from app.domain.figures.sample import Input, Peer, Point, Sample
from app.domain.receiver_loss import LossEstimate, Reading, Traffic, estimate_loss
from app.protocol import HISTORY_SECONDS

# One second has too few losses for a judgement.
_LOSS_SECONDS: Final = 10


class Ledger:
    """Adds up readings. Points are kept encoded: an hour of them needs about 400 kB instead of 2 MB."""

    def __init__(self) -> None:
        self.count = 0
        # The largest growth of any peer, summed over the readings: the flow, independent of the number of receivers.
        self.busiest_bytes_total = 0
        self._totals = ConnectionCounters()
        self._last: dict[int, Peer] = {}
        self._recent: dict[int, deque[tuple[float, Peer]]] = {}
        self._ring: deque[bytes] = deque(maxlen=HISTORY_SECONDS)

    def follow(self, peers: list[Peer]) -> None:
        """Record a reading of the peers. Call it often, because libsrt reports nothing about a peer that has left."""
        busiest_bytes = 0
        for peer in peers:
            new = grown(self._last.get(peer.id), peer)
            self._totals = plus(self._totals, new)
            busiest_bytes = max(busiest_bytes, new["payload_bytes_total"])
        self.busiest_bytes_total += busiest_bytes
        self._last = {peer.id: peer for peer in peers}

    def _with_losses(self, at: float, peers: list[Peer]) -> list[Peer]:
        """Return the peers with the estimated loss at their receivers, over the last seconds."""
        made, kept = [], {}
        for peer in peers:
            recent = kept[peer.id] = self._recent.get(peer.id) or deque(maxlen=_LOSS_SECONDS + 1)
            recent.append((at, peer))
            loss = _loss_over(recent)
            made.append(
                peer
                if loss is None
                else msgspec.structs.replace(peer, lost_at_receiver=loss.fraction, is_held_back=loss.is_held_back)
            )
        self._recent = kept
        return made

    def sample(self, at: float, peers: list[Peer], source: Input, *, steady_at: float = 0.0) -> Sample:
        """Take a reading and return it as a sample; `steady_at` is the moment in seconds since the host booted."""
        self.follow(peers)
        peers = self._with_losses(at, peers)
        losses = [peer.lost_at_receiver for peer in peers if peer.lost_at_receiver is not None]
        buffers = [peer.send_buffer_ms for peer in peers if peer.send_buffer_ms is not None]
        point = Point(
            at=at,
            peers=len(peers),
            input_bytes_total=source.bytes_total,
            continuity_errors_total=source.continuity_errors_total,
            rtt_ms=max((peer.rtt_ms for peer in peers), default=None),
            send_buffer_ms=max(buffers, default=None),
            input_at=at if source.counted_at is None else source.counted_at,
            lost_at_receiver=max(losses, default=None),
            is_held_back=any(peer.is_held_back for peer in peers),
            steady_at=steady_at,
            **values(self._totals),
        )
        self.count += 1
        self._ring.append(msgspec.msgpack.encode(msgspec.structs.astuple(point)))
        return Sample(point=point, peers=peers, input=source)

    def points(self) -> list[Point]:
        """Return the points of the last hour, oldest first."""
        rows = map(msgspec.msgpack.decode, self._ring)
        return [Point(**dict(zip(Point.__struct_fields__, row, strict=True))) for row in rows]


def _loss_over(recent: Sequence[tuple[float, Peer]]) -> LossEstimate | None:
    (before_at, before), (at, after) = recent[0], recent[-1]
    if at <= before_at or after.negotiated_latency_ms is None:
        return None
    new = grown(before, after)
    traffic = Traffic(
        seconds=at - before_at,
        unique=new["packets_sent_unique_total"],
        resent=new["packets_retransmitted_total"],
        reported=new["packets_reported_lost_total"],
        wire_mbps=mbps(new["wire_bytes_total"], at - before_at),
    )
    readings = [Reading(peer.rtt_ms, _unsent(peer), peer.send_buffer_ms, peer.ahead_ms) for _, peer in list(recent)[1:]]
    return estimate_loss(traffic, readings, latency_ms=after.negotiated_latency_ms, cap_mbps=after.max_bandwidth_mbps)


def _unsent(peer: Peer) -> int | None:
    """Return the packets in the send buffer that were never sent; None if the engine cannot read this."""
    if peer.send_buffer_packets is None or peer.flight_packets is None:
        return None
    return max(0, peer.send_buffer_packets - peer.flight_packets)
