"""Converts a Snapshot for the pages and the API. Only this module converts a stream to JSON.

Numbers are rounded here and nowhere else; unknown figures stay None.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from app.domain.advice.live import advice_for_live
from app.domain.events import LogEntry, Refusal
from app.domain.figures.counters import Counters
from app.domain.figures.history import Second
from app.domain.figures.rates import Rates, percent
from app.domain.figures.sample import Peer
from app.domain.snapshot import Snapshot
from app.domain.spec import SendSpec, latency_ms_of, public_spec
from app.domain.status import Phase
from app.domain.verdict import ORDERED, judge, least_ratio, loss_severity, lost_at_receiver, ratio_severity
from app.utils import WorkerMeter, WorkerUse
from app.web.presenters import specs
from app.web.presenters.counter_views import fill
from app.web.presenters.peer_views import LastSecondView, PeerView
from app.web.presenters.reception import present_reception
from app.web.presenters.relay import present_relay
from app.web.presenters.settings import build_settings
from app.web.presenters.stream_views import (
    AdviceView,
    InputView,
    RefusalView,
    SecondView,
    StreamView,
    TotalsView,
    WorkerView,
)
from app.web.presenters.views import EventView
from app.words.concerns import direct_engine_offer, loss_text, remark_text
from app.words.states import phase_text, reason_text, remedy_text


def present_stream(snapshot: Snapshot, meter: WorkerMeter) -> StreamView:
    """Return a stream in full."""
    sample, rates = snapshot.sample, snapshot.rates
    peers = [_present_peer(peer, snapshot) for peer in sample.peers] if sample else []
    return StreamView(
        **_identity(snapshot),
        **_state(snapshot),
        **judged(snapshot),
        payload_mbps=rounded(rates.payload_mbps, 3) if rates else None,
        wire_mbps=rounded(rates.wire_mbps, 3) if rates else None,
        rtt_ms=worst_rtt_ms(snapshot),
        latency_rtt_ratio=least_ratio(snapshot),
        last_second=_present_last_second(rates),
        totals=_present_totals(snapshot.totals),
        file_bitrate_mbps=rounded(snapshot.file_bitrate_bps / 1e6, 3) if snapshot.file_bitrate_bps else None,
        peers=peers,
        input=_present_input(snapshot),
        refusals=[_present_refusal(refusal) for refusal in snapshot.refusals],
        notices=list(snapshot.notices),
        direct_engine_offer=direct_engine_offer(snapshot),
        settings=build_settings(snapshot),
        worker=_present_worker(snapshot, meter),
        reception=present_reception(snapshot.reception, snapshot.analysis, snapshot.outputs)
        if snapshot.reception
        else None,
        relay=present_relay(snapshot),
    )


def _identity(snapshot: Snapshot) -> dict[str, Any]:
    """Return the identity of the stream."""
    return {
        "key": snapshot.key,
        "name": snapshot.spec.name,
        "label": snapshot.spec.label(),
        "spec": public_spec(snapshot.spec),
        "mode_text": specs.mode_text(snapshot.spec),
        "target": specs.target_of(snapshot.spec),
        "source_text": specs.source_text(snapshot.spec),
        "about_text": specs.about_text(snapshot.spec),
        "nobody_text": specs.nobody_text(snapshot.spec),
        "far_end": specs.far_end_of(snapshot.spec),
        "impaired_by": snapshot.impaired_by,
        "host": snapshot.host,
    }


def _state(snapshot: Snapshot) -> dict[str, Any]:
    """Return the stream's order, phase and reason."""
    status = snapshot.status
    return {
        "order": status.order.value,
        "phase": status.phase.value,
        "phase_text": phase_text(status.phase),
        "reason": status.reason.value if status.reason else None,
        "reason_text": reason_text(status.reason),
        "remedy": remedy_text(status.reason),
        "since": iso(status.since),
        "ordered_at": iso(snapshot.ordered_at),
        "retry_in_s": rounded(snapshot.retry_in_s, 1),
        "restarts": status.restarts,
        "sample_age_s": rounded(snapshot.sample_age_s, 1),
    }


def judged(snapshot: Snapshot) -> dict[str, Any]:
    """Return the verdict on a stream for its views."""
    verdict = judge(snapshot, time.time())
    lost = lost_at_receiver(snapshot)
    return {
        "severity": verdict.severity,
        "remark": remark_text(verdict, snapshot),
        "ratio_severity": verdict.ratio_severity,
        "is_stale": verdict.is_stale,
        "is_ordered": snapshot.status.phase in ORDERED,
        "lost_at_receiver": significant(lost),
        "lost_text": loss_text(lost),
        "loss_severity": verdict.loss_severity,
        "receivers_expected": snapshot.attendance.expected,
        "receivers_missing": snapshot.attendance.missing,
    }


def present_advice(snapshot: Snapshot) -> AdviceView | None:
    """Return the recommendation by the stream's own figures, for its worst peer; None while nothing is delivered."""
    spec = snapshot.spec
    if not isinstance(spec, SendSpec):
        return None  # only a sender's figures allow a judgement of its latency and overhead
    peers = snapshot.sample.peers if snapshot.sample else []
    judged = [(ratio, peer) for peer in peers if (ratio := _ratio(peer, snapshot)) is not None]
    if snapshot.status.phase is not Phase.DELIVERING or not judged:
        return None
    peer = min(judged, key=lambda pair: pair[0])[1]
    rates = snapshot.peer_rates.get(peer.id)
    if rates is None or rates.payload_mbps <= 0:
        return None
    advice = advice_for_live(
        rtt_ms=peer.rtt_ms,
        retransmitted_percent=percent(peer.packets_retransmitted_total, peer.packets_sent_unique_total),
        latency_ms=peer.negotiated_latency_ms or spec.latency_ms,
        overhead_percent=peer.applied_overhead_percent or spec.overhead_percent,
        bitrate_bps=round(rates.payload_mbps * 1e6),
    )
    return AdviceView(
        sentence=advice.sentence,
        is_enough=advice.is_enough,
        latency_ms=advice.latency_ms,
        overhead_percent=advice.overhead_percent,
    )


def present_second(second: Second) -> SecondView:
    """Return one interval of history, rounded for charts."""
    rates = second.rates
    return fill(
        SecondView,
        rates.grown,
        at=round(second.at, 2),
        peers=second.peers,
        payload_mbps=round(rates.payload_mbps, 3),
        wire_mbps=round(rates.wire_mbps, 3),
        input_mbps=rounded(rates.input_mbps, 3),
        retransmitted_percent=rounded(rates.retransmitted_percent, 2),
        rtt_ms=rounded(second.rtt_ms, 2),
        send_buffer_ms=second.send_buffer_ms,
        lost_at_receiver=significant(second.lost_at_receiver),
    )


def present_event(entry: LogEntry) -> EventView:
    """Return one event of the log."""
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


def worst_rtt_ms(snapshot: Snapshot) -> float | None:
    """Return the longest round-trip time of its peers, None without a peer."""
    peers = snapshot.sample.peers if snapshot.sample else []
    return rounded(max((peer.rtt_ms for peer in peers), default=None), 2)


def iso(at: float) -> str:
    """Return Unix time as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _present_peer(peer: Peer, snapshot: Snapshot) -> PeerView:
    rates = snapshot.peer_rates.get(peer.id)
    sampled_at = snapshot.sample.point.at if snapshot.sample else peer.connected_at
    return fill(
        PeerView,
        peer,
        id=peer.id,
        address=peer.address,
        stream_id=peer.stream_id,
        connected_s=round(max(0.0, sampled_at - peer.connected_at), 1),
        rtt_ms=round(peer.rtt_ms, 2),
        latency_rtt_ratio=_ratio(peer, snapshot),
        negotiated_latency_ms=peer.negotiated_latency_ms,
        payload_mbps=rounded(rates.payload_mbps, 3) if rates else None,
        wire_mbps=rounded(rates.wire_mbps, 3) if rates else None,
        retransmitted_percent=rounded(percent(peer.packets_retransmitted_total, peer.packets_sent_unique_total), 2),
        send_buffer_ms=peer.send_buffer_ms,
        send_buffer_packets=peer.send_buffer_packets,
        flight_packets=peer.flight_packets,
        flow_window_packets=peer.flow_window_packets,
        max_bandwidth_mbps=rounded(peer.max_bandwidth_mbps, 3),
        link_capacity_mbps=round(peer.link_capacity_mbps, 1),
        key_bits=peer.key_bits,
        encryption_state=peer.encryption_state,
        peer_version=peer.peer_version,
        lost_at_receiver=significant(peer.lost_at_receiver),
        lost_text=loss_text(peer.lost_at_receiver),
        loss_severity=loss_severity(peer.lost_at_receiver),
        ratio_severity=ratio_severity(_ratio(peer, snapshot)),
        last_second=_present_last_second(rates),
    )


def _ratio(peer: Peer, snapshot: Snapshot) -> float | None:
    latency_ms = peer.negotiated_latency_ms or latency_ms_of(snapshot.spec)
    return round(latency_ms / peer.rtt_ms, 1) if latency_ms and peer.rtt_ms > 0 else None


def _present_last_second(rates: Rates | None) -> LastSecondView | None:
    if rates is None:
        return None
    return fill(LastSecondView, rates.grown, retransmitted_percent=rounded(rates.retransmitted_percent, 2))


def _present_totals(totals: Counters) -> TotalsView:
    resent = percent(totals.packets_retransmitted_total, totals.packets_sent_unique_total)
    return fill(TotalsView, totals, retransmitted_percent=rounded(resent, 2))


def _present_input(snapshot: Snapshot) -> InputView | None:
    if snapshot.sample is None:
        return None
    source = snapshot.sample.input
    return InputView(
        mbps=rounded(snapshot.rates.input_mbps, 3) if snapshot.rates else None,
        bytes_total=source.bytes_total,
        continuity_errors_total=source.continuity_errors_total,
        rtp_gaps_total=source.rtp_gaps_total,
        packets_scrambled_total=source.packets_scrambled_total,
        packets_errored_total=source.packets_errored_total,
        packets_discarded_total=source.packets_discarded_total,
        loops_total=source.loops_total,
        last_packet_age_s=rounded(source.last_packet_age_s, 2),
        counters=specs.input_counters(snapshot.spec, source),
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
        cpu_percent=rounded(use.cpu_percent, 1),
        memory_mb=None if use.memory_bytes is None else round(use.memory_bytes / 1e6, 1),
        started_at=iso(snapshot.worker_started_at) if snapshot.worker_started_at else None,
    )


def rounded(value: float | None, digits: int) -> float | None:
    """Round a known figure; None stays None."""
    return None if value is None else round(value, digits)


def significant(fraction: float | None) -> float | None:
    """Round an estimate to two significant digits; None stays None."""
    return None if fraction is None else float(f"{fraction:.2g}")
