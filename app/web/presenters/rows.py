"""Streams as rows of the dashboard, each with a sparkline of its last five minutes on request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.domain.constants import SPARK_POINT_S, SPARK_POINTS
from app.domain.figures.history import Second
from app.domain.figures.rates import percent
from app.domain.snapshot import Snapshot
from app.domain.verdict import least_ratio
from app.web.presenters.specs import direction_of, mode_of, source_kind, source_label, source_note, target_of
from app.web.presenters.stream import iso, judged, rounded, worst_rtt_ms
from app.web.presenters.views import RowView
from app.words.states import phase_text, reason_text

SPARK_SECONDS: Final = SPARK_POINTS * SPARK_POINT_S


def present_row(snapshot: Snapshot, history: Sequence[Second] | None = None) -> RowView:
    """Return a stream as a row of the dashboard; with its history, also a sparkline."""
    spec, status, rates = snapshot.spec, snapshot.status, snapshot.rates
    source = snapshot.sample.input if snapshot.sample else None
    return RowView(
        key=snapshot.key,
        label=spec.label(),
        phase=status.phase.value,
        phase_text=phase_text(status.phase),
        reason_text=reason_text(status.reason),
        **judged(snapshot),
        input_mbps=rounded(rates.input_mbps, 2) if rates else None,
        source_errors=source.continuity_errors_total + source.rtp_gaps_total if source else None,
        since=iso(status.since),
        retry_in_s=rounded(snapshot.retry_in_s, 1),
        restarts=status.restarts,
        sample_age_s=rounded(snapshot.sample_age_s, 1),
        mode=mode_of(spec),
        target=target_of(spec),
        source=source_label(spec),
        direction=direction_of(spec),
        source_kind=source_kind(spec),
        source_note=source_note(spec, snapshot.sample.input.loops_total if snapshot.sample else 0),
        key_bits=spec.encryption.key_bits if spec.encryption else None,
        peers=len(snapshot.sample.peers) if snapshot.sample else 0,
        refused=sum(refusal.count for refusal in snapshot.refusals),
        payload_mbps=rounded(rates.payload_mbps, 2) if rates else None,
        rtt_ms=worst_rtt_ms(snapshot),
        latency_rtt_ratio=least_ratio(snapshot),
        retransmitted_percent=rounded(rates.retransmitted_percent, 2) if rates else None,
        packets_dropped=snapshot.totals.packets_dropped_total,
        recovered_percent=rounded(_recovered_percent(snapshot), 2),
        packets_lost=snapshot.reception.received.packets_dropped if snapshot.reception else None,
        spark=None if history is None else build_spark(history),
        impaired_by=snapshot.impaired_by,
        group=spec.group,
        host=snapshot.host,
    )


def _recovered_percent(snapshot: Snapshot) -> float | None:
    """Return the share of recovered packets in the last second; None for a sender or without packets."""
    if snapshot.reception is None:
        return None
    received = snapshot.reception.second.received
    return percent(received.packets_recovered, received.packets_unique)


def build_spark(history: Sequence[Second]) -> list[float | None]:
    """Return the payload of the last five minutes as 60 means, oldest first; None where there is no history."""
    if not history:
        return []
    buckets: dict[int, list[float]] = {}
    for second in history:
        buckets.setdefault(int(second.at // SPARK_POINT_S), []).append(second.rates.payload_mbps)
    newest = max(buckets)
    return [_mean(buckets.get(number, [])) for number in range(newest - SPARK_POINTS + 1, newest + 1)]


def _mean(values: Sequence[float]) -> float | None:
    """Return the mean with three digits, which is finer than a pixel of the sparkline."""
    return float(f"{sum(values) / len(values):.3g}") if values else None
