"""Made-up streams with many faults: every phase, hostile names, peers with and without all figures."""

from __future__ import annotations

import math
import time
from typing import Any

from app.domain.figures import counters
from app.domain.figures.counters import Counters
from app.domain.figures.history import Second
from app.domain.figures.rates import Rates
from app.domain.figures.sample import Applied, Input, Peer, Point, Sample
from app.domain.snapshot import Snapshot
from app.domain.spec import (
    JobSpec,
)
from app.domain.status import Order, Phase, Reason, Status

PASSPHRASE = "correct horse battery staple"
SCRIPT_NAME = "<script>alert(1)</script>"
LONG_NAME = "Långt namn på en sändning " * 7 + "från Umeå "
APPLIED = Applied(
    latency_ms=200,
    overhead_percent=25,
    max_bandwidth_bytes=0,
    dscp=34,
    too_late_packet_drop=True,
    nak_reports=True,
)


def make_rates(payload_mbps: float, *, retransmitted: int = 0, dropped: int = 0) -> Rates:
    unique = round(payload_mbps * 1e6 / 8 / 1316)
    wire_bytes = (unique + retransmitted) * (1316 + 44)
    return Rates(
        interval_s=1.0,
        payload_mbps=payload_mbps,
        wire_mbps=wire_bytes * 8 / 1e6,
        retransmitted_percent=100 * retransmitted / unique if unique else None,
        grown=Counters(
            payload_bytes_total=unique * 1316,
            wire_bytes_total=wire_bytes,
            packets_sent_unique_total=unique,
            packets_retransmitted_total=retransmitted,
            packets_dropped_total=dropped,
            acks_total=100,
        ),
        input_mbps=payload_mbps,
    )


def make_peer(number: int = 1, *, rtt_ms: float = 19.2, **other: Any) -> Peer:
    values: dict[str, Any] = {
        "id": number,
        "address": f"198.51.100.{22 + number}:{50111 + number}",
        "connected_at": time.time() - 760,
        "payload_bytes_total": 760_000_000,
        "wire_bytes_total": 790_000_000,
        "packets_sent_unique_total": 577_500,
        "packets_retransmitted_total": 2310,
        "packets_dropped_total": 0,
        "acks_total": 76_000,
        "naks_total": 1200,
        "rtt_ms": rtt_ms,
        "link_capacity_mbps": 941.3,
        "negotiated_latency_ms": 200,
        "send_buffer_ms": 22,
        "send_buffer_packets": 17,
        "send_buffer_bytes": 22_372,
        "flight_packets": 15,
        "flow_window_packets": 25_584,
        "congestion_window_packets": 16_384,
        "max_bandwidth_mbps": 10.4,
        "applied_overhead_percent": 25,
        "key_bits": None,
        "encryption_state": "unsecured",
        "peer_version": "1.5.3",
    }
    return Peer(**{**values, **other})


def make_snapshot(
    key: str,
    spec: JobSpec,
    phase: Phase,
    *,
    reason: Reason | None = None,
    peers: tuple[Peer, ...] = (),
    payload_mbps: float = 0.0,
    since_s: float = 4360.0,
    **other: Any,
) -> Snapshot:
    """Return a consistent snapshot: totals and rates are those of its peers."""
    now = time.time()
    values: dict[str, Any] = {}
    if phase in (Phase.WAITING, Phase.DELIVERING, Phase.STALLED):
        values = _carried(peers, payload_mbps, other.pop("retransmitted", 0)) | {"worker_started_at": now - since_s}
    status = Status(
        order=Order.STOP if phase in (Phase.STOPPED, Phase.STOPPING) else Order.RUN,
        phase=phase,
        since=now - since_s,
        reason=reason,
    )
    totals = Counters()
    for peer in peers:
        totals = counters.plus(totals, counters.values(peer))
    return Snapshot(
        **{"key": key, "spec": spec, "status": status, "ordered_at": now - since_s, "totals": totals, **values, **other}
    )


def make_history(seconds: int, snapshot: Snapshot) -> list[Second]:
    """Return a history with half a minute of faults, which a chart can show."""
    if snapshot.sample is None:
        return []
    now = math.floor(time.time())
    rate = snapshot.rates.payload_mbps if snapshot.rates else 0.0
    peers = snapshot.sample.peers
    rtt_ms = max((peer.rtt_ms for peer in peers), default=None)
    made = []
    for age in reversed(range(seconds)):
        at = now - age
        is_bad = 110 <= age <= 140 and bool(peers)
        repaired = (6.0 if is_bad else 0.4 + 0.3 * math.sin(at / 7)) if peers else None
        made.append(
            Second(
                at=float(at),
                peers=len(peers),
                rates=Rates(
                    interval_s=1.0,
                    payload_mbps=rate * (1 + 0.01 * math.sin(at / 3)),
                    wire_mbps=rate * (1.035 + (repaired or 0) / 100),
                    retransmitted_percent=repaired,
                    grown=Counters(
                        packets_retransmitted_total=round(repaired or 0),
                        packets_dropped_total=2 if is_bad and age % 5 == 0 else 0,
                    ),
                    input_mbps=rate or 8.0,
                ),
                rtt_ms=None if rtt_ms is None else rtt_ms * (1.4 if is_bad else 1 + 0.05 * math.sin(at / 5)),
                send_buffer_ms=None if not peers else (120 if is_bad else 40),
            )
        )
    return made


def _carried(peers: tuple[Peer, ...], payload_mbps: float, retransmitted: int) -> dict[str, Any]:
    """Return the snapshot of a stream that a worker carries."""
    now = time.time()
    point = Point(at=now - 0.4, peers=len(peers))
    return {
        "sample": Sample(
            point=point, peers=list(peers), input=Input(bytes_total=10**9, loops_total=214, last_packet_age_s=0.01)
        ),
        "sample_age_s": 0.4,
        "rates": make_rates(payload_mbps * len(peers), retransmitted=retransmitted * len(peers)),
        "peer_rates": {peer.id: make_rates(payload_mbps, retransmitted=retransmitted) for peer in peers},
        "worker_pid": 1,
        "applied": APPLIED,
    }
