"""A Snapshot as the pages and the API show it. The only place where a stream becomes JSON.

Numbers are rounded here and nowhere else; what is unknown stays None.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from app.domain.spec import BarsSource, CallerEndpoint, FileSource, public_spec, source_label
from app.domain.stats import Rates, Second, percent
from app.domain.status import Phase
from app.presenters_settings import build_settings
from app.presenters_views import (
    EventView,
    InputView,
    LastSecondView,
    PeerView,
    RefusalView,
    RowView,
    SecondView,
    StreamView,
    TotalsView,
    WorkerView,
)
from app.presenters_words import SEVERITY_OF_PHASE, Severity, phase_text, reason_text, remedy_text
from app.protocol import Peer
from app.supervisor.snapshot import LogEntry, Refusal, Snapshot
from app.utils import WorkerMeter, WorkerUse

# Haivision's rule of thumb is 4 x RTT, its least multiplier 3: under that the page warns, well under it alarms.
RATIO_ATTENTION = 3.0
RATIO_FAULT = 2.5
SPARK_SECONDS = 300
SPARK_POINTS = 60


def present_stream(snapshot: Snapshot, meter: WorkerMeter, latest: Second | None = None) -> StreamView:
    """All there is to say of a stream; `latest` is the last interval of its history, for the input's rate."""
    status, sample, rates = snapshot.status, snapshot.sample, snapshot.rates
    peers = [_present_peer(peer, snapshot) for peer in sample.peers] if sample else []
    severity, remark = judge(snapshot)
    return StreamView(
        key=snapshot.key,
        name=snapshot.spec.name,
        label=snapshot.spec.label(),
        spec=public_spec(snapshot.spec),
        order=status.order.value,
        phase=status.phase.value,
        phase_text=phase_text(status.phase),
        reason=status.reason.value if status.reason else None,
        reason_text=reason_text(status.reason),
        remedy=remedy_text(status.reason),
        severity=severity,
        remark=remark,
        since=iso(status.since),
        ordered_at=iso(snapshot.ordered_at),
        retry_in_s=_rounded(snapshot.retry_in_s, 1),
        restarts=status.restarts,
        sample_age_s=_rounded(snapshot.sample_age_s, 1),
        payload_mbps=_rounded(rates.payload_mbps, 3) if rates else None,
        wire_mbps=_rounded(rates.wire_mbps, 3) if rates else None,
        rtt_ms=worst_rtt_ms(snapshot),
        latency_rtt_ratio=least_ratio(snapshot),
        last_second=_present_last_second(rates),
        totals=_present_totals(snapshot.totals),
        file_bitrate_mbps=_rounded(snapshot.file_bitrate_bps / 1e6, 3) if snapshot.file_bitrate_bps else None,
        peers=peers,
        input=_present_input(snapshot, latest),
        refusals=[_present_refusal(refusal) for refusal in snapshot.refusals],
        notices=list(snapshot.notices),
        settings=build_settings(snapshot),
        worker=_present_worker(snapshot, meter),
    )


def present_row(snapshot: Snapshot, history: Sequence[Second] | None = None) -> RowView:
    """A stream as a row of the dashboard; with its history, a sparkline of it."""
    spec, status, rates = snapshot.spec, snapshot.status, snapshot.rates
    severity, remark = judge(snapshot)
    endpoint, peers = spec.endpoint, snapshot.sample.peers if snapshot.sample else []
    is_caller = isinstance(endpoint, CallerEndpoint)
    return RowView(
        key=snapshot.key,
        label=spec.label(),
        severity=severity,
        phase=status.phase.value,
        phase_text=phase_text(status.phase),
        reason_text=reason_text(status.reason),
        remark=remark,
        since=iso(status.since),
        retry_in_s=_rounded(snapshot.retry_in_s, 1),
        restarts=status.restarts,
        sample_age_s=_rounded(snapshot.sample_age_s, 1),
        mode="caller" if is_caller else "listener",
        target=f"{bracketed(endpoint.host)}:{endpoint.port}"
        if isinstance(endpoint, CallerEndpoint)
        else f":{endpoint.port}",
        source=source_label(spec.source),
        source_kind="file" if isinstance(spec.source, FileSource) else _other_kind(spec.source),
        key_bits=spec.encryption.key_bits if spec.encryption else None,
        peers=len(peers),
        refused=sum(refusal.count for refusal in snapshot.refusals),
        payload_mbps=_rounded(rates.payload_mbps, 2) if rates else None,
        rtt_ms=worst_rtt_ms(snapshot),
        latency_rtt_ratio=least_ratio(snapshot),
        retransmitted_percent=_rounded(rates.retransmitted_percent, 2) if rates else None,
        packets_dropped=snapshot.totals.get("packets_dropped_total", 0),
        spark=None if history is None else build_spark(history),
    )


def present_second(second: Second) -> SecondView:
    """One interval of history, rounded to what a chart can show."""
    return SecondView(
        at=round(second.at, 2),
        peers=second.peers,
        payload_mbps=round(second.payload_mbps, 3),
        wire_mbps=round(second.wire_mbps, 3),
        input_mbps=round(second.input_mbps, 3),
        retransmitted_percent=_rounded(second.retransmitted_percent, 2),
        packets_retransmitted=second.packets_retransmitted,
        packets_dropped=second.packets_dropped,
        rtt_ms=_rounded(second.rtt_ms, 2),
        send_buffer_ms=second.send_buffer_ms,
    )


def present_event(entry: LogEntry) -> EventView:
    """One event of the log."""
    return EventView(
        at=iso(entry.at),
        first_at=iso(entry.first_at) if entry.count > 1 and entry.first_at else None,
        count=entry.count,
        key=entry.key,
        name=entry.name,
        kind=entry.kind,
        text=entry.text,
        actor=entry.actor,
    )


def judge(snapshot: Snapshot) -> tuple[Severity, str | None]:
    """How much a stream wants to be looked at, and the remark that says why a delivering one does."""
    severity = SEVERITY_OF_PHASE[snapshot.status.phase]
    if snapshot.status.phase is not Phase.DELIVERING:
        return severity, None
    if snapshot.rates is not None and snapshot.rates.packets_dropped:
        return Severity.ATTENTION, "dropping packets"
    ratio = least_ratio(snapshot)
    if ratio is not None and ratio < RATIO_ATTENTION:
        return Severity.ATTENTION, "latency short for this RTT"
    return severity, None


def worst_rtt_ms(snapshot: Snapshot) -> float | None:
    """Round-trip time of the peer that has the longest, None without a peer."""
    peers = snapshot.sample.peers if snapshot.sample else []
    return _rounded(max((peer.rtt_ms for peer in peers), default=None), 1)


def least_ratio(snapshot: Snapshot) -> float | None:
    """Latency / RTT of the peer that has the least of it, None without a peer."""
    peers = snapshot.sample.peers if snapshot.sample else []
    return min((ratio for peer in peers if (ratio := _ratio(peer, snapshot)) is not None), default=None)


def build_spark(history: Sequence[Second]) -> list[float]:
    """The payload of the last five minutes as up to 60 means, oldest first."""
    if not history:
        return []
    width = SPARK_SECONDS / SPARK_POINTS
    newest = history[-1].at
    buckets: dict[int, list[float]] = {}
    for second in history:
        age = int((newest - second.at) / width)
        if age < SPARK_POINTS:
            buckets.setdefault(age, []).append(second.payload_mbps)
    return [round(sum(values) / len(values), 2) for _, values in sorted(buckets.items(), reverse=True)]


def iso(at: float) -> str:
    """Unix time as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def bracketed(host: str) -> str:
    """A host as it stands before a colon: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _other_kind(source: object) -> str:
    return "bars" if isinstance(source, BarsSource) else "multicast"


def _present_peer(peer: Peer, snapshot: Snapshot) -> PeerView:
    rates = snapshot.peer_rates.get(peer.id)
    sampled_at = snapshot.sample.point.at if snapshot.sample else peer.connected_at
    return PeerView(
        id=peer.id,
        address=peer.address,
        stream_id=peer.stream_id,
        connected_s=round(max(0.0, sampled_at - peer.connected_at), 1),
        rtt_ms=round(peer.rtt_ms, 1),
        latency_rtt_ratio=_ratio(peer, snapshot),
        negotiated_latency_ms=peer.negotiated_latency_ms,
        payload_mbps=_rounded(rates.payload_mbps, 3) if rates else None,
        wire_mbps=_rounded(rates.wire_mbps, 3) if rates else None,
        packets_sent_unique=peer.packets_sent_unique_total,
        packets_retransmitted=peer.packets_retransmitted_total,
        retransmitted_percent=_rounded(percent(peer.packets_retransmitted_total, peer.packets_sent_unique_total), 2),
        packets_dropped=peer.packets_dropped_total,
        naks=peer.naks_total,
        acks=peer.acks_total,
        send_buffer_ms=peer.send_buffer_ms,
        send_buffer_packets=peer.send_buffer_packets,
        flight_packets=peer.flight_packets,
        flow_window_packets=peer.flow_window_packets,
        max_bandwidth_mbps=_rounded(peer.max_bandwidth_mbps, 3),
        link_capacity_mbps=round(peer.link_capacity_mbps, 1),
        key_bits=peer.key_bits,
        encryption_state=peer.encryption_state,
        peer_version=peer.peer_version,
        last_second=_present_last_second(rates),
    )


def _ratio(peer: Peer, snapshot: Snapshot) -> float | None:
    latency_ms = peer.negotiated_latency_ms or snapshot.spec.latency_ms
    return round(latency_ms / peer.rtt_ms, 1) if peer.rtt_ms > 0 else None


def _present_last_second(rates: Rates | None) -> LastSecondView | None:
    if rates is None:
        return None
    return LastSecondView(
        packets_sent_unique=rates.packets_sent_unique,
        packets_retransmitted=rates.packets_retransmitted,
        packets_dropped=rates.packets_dropped,
        retransmitted_percent=_rounded(rates.retransmitted_percent, 2),
    )


def _present_totals(totals: dict[str, int]) -> TotalsView:
    unique = totals.get("packets_sent_unique_total", 0)
    retransmitted = totals.get("packets_retransmitted_total", 0)
    return TotalsView(
        payload_bytes=totals.get("payload_bytes_total", 0),
        wire_bytes=totals.get("wire_bytes_total", 0),
        packets_sent_unique=unique,
        packets_retransmitted=retransmitted,
        packets_dropped=totals.get("packets_dropped_total", 0),
        retransmitted_percent=_rounded(percent(retransmitted, unique), 2),
    )


def _present_input(snapshot: Snapshot, latest: Second | None) -> InputView | None:
    if snapshot.sample is None:
        return None
    source = snapshot.sample.input
    return InputView(
        mbps=_rounded(latest.input_mbps, 3) if latest else None,
        bytes_total=source.bytes_total,
        continuity_errors_total=source.continuity_errors_total,
        rtp_gaps_total=source.rtp_gaps_total,
        loops_total=source.loops_total,
        last_packet_age_s=_rounded(source.last_packet_age_s, 2),
    )


def _present_refusal(refusal: Refusal) -> RefusalView:
    return RefusalView(
        address=refusal.address,
        reason=refusal.reason.value if refusal.reason else None,
        reason_text=reason_text(refusal.reason),
        count=refusal.count,
        first_at=iso(refusal.first_at),
        last_at=iso(refusal.last_at),
    )


def _present_worker(snapshot: Snapshot, meter: WorkerMeter) -> WorkerView | None:
    if snapshot.worker_pid is None:
        return None
    use: WorkerUse = meter.read(snapshot.worker_pid)
    return WorkerView(
        pid=snapshot.worker_pid,
        cpu_percent=_rounded(use.cpu_percent, 1),
        memory_mb=None if use.memory_bytes is None else round(use.memory_bytes / 1e6, 1),
        started_at=iso(snapshot.worker_started_at) if snapshot.worker_started_at else None,
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
