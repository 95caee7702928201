"""A network test for the page and the API: every figure with its unit, basis and source."""

from __future__ import annotations

import time

import msgspec

from app.domain.advice.recommendation import Advice, Basis, Expectation, Figure, Settings
from app.domain.advice.words import assumptions, expectation_sentence, rarity, warnings, working
from app.domain.link_budget import shown_mbps
from app.network.findings import Attempt, Findings, Target, advise, bandwidth_of, loss_of
from app.network.iperf_servers import ListState
from app.network_test import NetworkTestRecord
from app.web.presenters.network_views import (
    AttemptView,
    FigureView,
    NetworkTestRowView,
    NetworkTestView,
    RecommendationView,
    ServersView,
    SettingsView,
    TargetView,
)
from app.web.presenters.stream import iso


def present_network_test(record: NetworkTestRecord) -> NetworkTestView:
    """Return a test in full, with the recommendation once it has ended."""
    findings = record.findings
    advice = advise(record.order, findings) if record.finished_at is not None else None
    target = findings.target
    return NetworkTestView(
        id=record.id,
        state=record.state.value,
        step=record.step if record.finished_at is None else "",
        elapsed_s=round(record.elapsed_s(time.time()), 1),
        expected_s=record.expected_s(),
        started_at=iso(record.started_at),
        finished_at=None if record.finished_at is None else iso(record.finished_at),
        order=msgspec.to_builtins(record.order),
        target=None
        if target is None
        else TargetView(
            host=target.host,
            port=target.port,
            address=target.address,
            label=target.label,
            distance_km=_whole(target.distance_km),
        ),
        place=findings.place,
        attempts=[_attempt(attempt) for attempt in findings.attempts],
        figures=[*_rtt_figures(findings), *_iperf3_figures(findings, record.order.bitrate_bps)],
        problems=list(findings.problems),
        notes=list(findings.notes),
        problem=record.problem,
        recommendation=None if advice is None else present_recommendation(advice),
    )


def _attempt(attempt: Attempt) -> AttemptView:
    return AttemptView(
        host=attempt.host,
        port=attempt.port,
        label=attempt.label,
        distance_km=_whole(attempt.distance_km),
        rtt_ms=_rounded(attempt.rtt_ms, 2),
        problem=attempt.problem,
    )


def present_network_test_row(record: NetworkTestRecord) -> NetworkTestRowView:
    """Return a summary of a test."""
    findings, order = record.findings, record.order
    advice = advise(order, findings) if record.finished_at is not None else None
    target = findings.target
    return NetworkTestRowView(
        id=record.id,
        state=record.state.value,
        started_at=iso(record.started_at),
        mode=order.mode,
        target=order.host or order.region or "closest" if target is None else _address_of(target),
        protocol=order.protocol,
        rtt_ms=_rounded(findings.rtt_ms.value, 2) if findings.rtt_ms else None,
        bandwidth_mbps=_rounded(findings.iperf3.bandwidth_bps / 1e6, 2) if findings.iperf3 else None,
        loss_percent=None if advice is None else _rounded(advice.link.loss.value, 2),
        loss_basis=None if advice is None else advice.link.loss.basis.value,
        latency_ms=None if advice is None else advice.recommended.latency_ms,
        overhead_percent=None if advice is None else advice.recommended.overhead_percent,
        problem=record.problem or next(iter(findings.problems), None),
    )


def present_recommendation(advice: Advice) -> RecommendationView:
    """Return a recommendation with its explanation in sentences."""
    return RecommendationView(
        recommended=_present_settings(advice.recommended),
        alternatives=[_present_settings(settings) for settings in advice.alternatives],
        edition=advice.edition.value,
        row=None if advice.row is None else msgspec.to_builtins(advice.row),
        k=advice.k,
        outside_guide=advice.outside_guide,
        expectation=expectation_sentence(advice.recommended, advice),
        working=list(working(advice)),
        assumptions=list(assumptions(advice)),
        warnings=list(warnings(advice)),
    )


def present_servers(regions: list[str], state: ListState) -> ServersView:
    """Return the server list's size, age and problems."""
    return ServersView(
        regions=regions,
        servers=state.servers,
        own_servers=state.own_servers,
        list_age_s=_rounded(state.age_s, 0),
        problem=state.problem,
    )


def _present_settings(settings: Settings) -> SettingsView:
    expected: Expectation = settings.expected
    return SettingsView(
        name=settings.name,
        latency_ms=settings.latency_ms,
        overhead_percent=settings.overhead_percent,
        rtt_multiple=round(expected.k, 1),
        residual_loss=float(f"{expected.residual_loss:.3g}"),
        lost_per_hour=float(f"{expected.lost_per_hour:.3g}"),
        rarity=rarity(expected.lost_per_hour),
        burst_ms=round(expected.burst_ms, 1),
        receiver_buffer_packets=expected.receiver_buffer_packets,
        receiver_buffer_bytes=expected.receiver_buffer_bytes,
        bandwidth_needed_mbps=shown_mbps(expected.bandwidth_needed_bps),
        bandwidth=expected.bandwidth.value,
    )


def _rtt_figures(findings: Findings) -> list[FigureView]:
    made = []
    if findings.rtt_ms is not None:
        made.append(
            _figure("rtt_ms", "RTT", findings.rtt_ms, "ms", 2, "Round-trip time of the idle path; the mean when pinged")
        )
    if (found := findings.ping) is None:
        return made
    by = f"ping, {found.received} replies to {found.sent}"
    if found.rtt is not None:
        for name, label, value, definition in (
            ("rtt_min_ms", "RTT min", found.rtt.min_ms, "Shortest round-trip time"),
            ("rtt_max_ms", "RTT max", found.rtt.max_ms, "Longest round-trip time"),
            ("rtt_deviation_ms", "RTT std. dev.", found.rtt.deviation_ms, "Standard deviation (ping's mdev)"),
        ):
            made.append(_figure(name, label, Figure(value, Basis.MEASURED, by), "ms", 2, definition))
    definition = "Echo requests without reply. Routers may drop them on purpose: not used for the recommendation"
    loss = Figure(found.loss_percent, Basis.MEASURED, by)
    made.append(_figure("ping_loss_percent", "Ping loss", loss, "%", 1, definition))
    return made


def _iperf3_figures(findings: Findings, bitrate_bps: int) -> list[FigureView]:
    """Return the figures of iperf3. Loss is always included, if only as an assumption."""
    if (result := findings.iperf3) is None:
        return [_loss_figure(findings, bitrate_bps)] if findings.rtt_ms is not None else []
    bandwidth = msgspec.structs.replace(bandwidth_of(result), value=result.bandwidth_bps / 1e6)
    definition = (
        "UDP received, sent at the stream's bitrate: the path may carry more"
        if result.jitter_ms is not None
        else "Payload rate of one TCP connection"
    )
    made = [
        _figure("bandwidth_mbps", "Bandwidth", bandwidth, "Mb/s", 2, definition),
        _loss_figure(findings, bitrate_bps),
    ]
    if result.jitter_ms is not None:
        jitter = Figure(result.jitter_ms, Basis.MEASURED, bandwidth.source)
        made.append(_figure("jitter_ms", "Jitter", jitter, "ms", 3, "Interarrival jitter at the receiver (RFC 3550)"))
    if result.retransmits is not None:
        count = Figure(result.retransmits, Basis.MEASURED, bandwidth.source)
        made.append(_figure("retransmits", "TCP retransmissions", count, "", 0, "Segments that TCP sent again"))
    return made


def _loss_figure(findings: Findings, bitrate_bps: int) -> FigureView:
    loss = loss_of(findings.iperf3, bitrate_bps)
    return _figure("loss_percent", "Loss", loss, "%", 3, "Packets that did not arrive; the recommendation uses it")


def _figure(name: str, label: str, figure: Figure, unit: str, digits: int, definition: str) -> FigureView:
    return FigureView(
        name=name,
        label=label,
        value=round(figure.value, digits),
        unit=unit,
        basis=figure.basis.value,
        source=figure.source,
        definition=definition,
    )


def _address_of(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"{host}:{target.port}"


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
