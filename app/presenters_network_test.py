"""A network test as the page and the API show it: every figure with its unit, basis and source."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec

from app.domain.advice import Advice, Basis, Expectation, Figure, Settings
from app.domain.advice_words import assumptions, expectation_sentence, rarity, warnings, working
from app.iperf_servers import ListState
from app.network_findings import Findings, advise, bandwidth_of, loss_of
from app.network_test import NetworkTestRecord
from app.presenters import iso
from app.presenters_views import View


def _is(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class FigureView(View, frozen=True):
    """A figure of a test. `basis` is measured, estimated or assumed, `source` by what."""

    name: str
    label: str
    value: Annotated[float | None, _is("null when it could not be known")]
    unit: str
    basis: str
    source: str
    definition: str


class AttemptView(View, frozen=True):
    """A server that was considered; `problem` says why it was not used."""

    host: str
    port: int
    label: str
    distance_km: int | None
    rtt_ms: float | None
    problem: str | None


class TargetView(View, frozen=True):
    """Whom the test talked to."""

    host: str
    port: int
    address: str | None
    label: str
    distance_km: int | None


class SettingsView(View, frozen=True):
    """A latency and an overhead, and what to expect of them on the link that was measured."""

    name: str
    latency_ms: Annotated[int, _is("SRT latency to set at both ends; the higher of the two counts")]
    overhead_percent: Annotated[int, _is("Bandwidth that retransmissions may take beside the stream")]
    rtt_multiple: Annotated[float, _is("Latency / RTT: how often a lost packet can be asked for")]
    residual_loss: Annotated[
        float, _is("Fraction of packets never delivered, predicted for random loss (docs/recommendation.md)")
    ]
    lost_per_hour: Annotated[float, _is("The same as packets an hour at the stream's bitrate")]
    rarity: str
    burst_ms: Annotated[float, _is("Longest complete outage that is repaired: latency × overhead")]
    receiver_buffer_packets: Annotated[int, _is("Packets a receiver holds: latency and half an RTT")]
    receiver_buffer_bytes: Annotated[int, _is("The same in libsrt's units of 1472 bytes")]
    bandwidth_needed_mbps: Annotated[float, _is("Bitrate with overhead")]
    bandwidth: Annotated[str, _is("enough, tight, too_little, unproven or unknown, against the measured one")]


class RecommendationView(View, frozen=True):
    """The recommendation with its working. `row` is the guide's, null outside the guide."""

    recommended: SettingsView
    alternatives: list[SettingsView]
    edition: str
    row: dict[str, Any] | None
    k: Annotated[float, _is("RTT multiplier of the guide's row, or of the formula outside the guide")]
    outside_guide: bool
    expectation: str
    working: list[str]
    assumptions: list[str]
    warnings: list[str]


class NetworkTestView(View, frozen=True):
    """One network test. `state` is running, done, partial, failed or cancelled."""

    id: str
    state: str
    step: str
    elapsed_s: float
    expected_s: Annotated[float, _is("How long such a test takes when all goes well")]
    started_at: str
    finished_at: str | None
    order: dict[str, Any]
    target: TargetView | None
    place: Annotated[str | None, _is("Where this host is, as the place service says")]
    attempts: list[AttemptView]
    figures: list[FigureView]
    problems: Annotated[list[str], _is("What could not be measured, and why")]
    problem: Annotated[str | None, _is("Why the test failed")]
    recommendation: RecommendationView | None


class ServersView(View, frozen=True):
    """What servers a test can choose from."""

    regions: list[str]
    servers: int
    own_servers: int
    list_age_s: Annotated[float | None, _is("Age of the public list; null when only the built-in one is there")]
    problem: Annotated[str | None, _is("Why the public list could not be refreshed")]


def present_network_test(record: NetworkTestRecord) -> NetworkTestView:
    """All there is to say of a test, with the recommendation once it has ended."""
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
        attempts=[
            AttemptView(
                host=attempt.host,
                port=attempt.port,
                label=attempt.label,
                distance_km=_whole(attempt.distance_km),
                rtt_ms=_rounded(attempt.rtt_ms, 1),
                problem=attempt.problem,
            )
            for attempt in findings.attempts
        ],
        figures=[*_rtt_figures(findings), *_iperf3_figures(findings, record.order.bitrate_bps)],
        problems=list(findings.problems),
        problem=record.problem,
        recommendation=None if advice is None else present_recommendation(advice),
    )


def present_recommendation(advice: Advice) -> RecommendationView:
    """A recommendation with its working as sentences."""
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
    """The server list's size, age and troubles."""
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
        bandwidth_needed_mbps=round(expected.bandwidth_needed_bps / 1e6, 3),
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
            ("rtt_min_ms", "RTT, least", found.rtt.min_ms, "Shortest round-trip time"),
            ("rtt_max_ms", "RTT, most", found.rtt.max_ms, "Longest round-trip time"),
            ("rtt_deviation_ms", "RTT, deviation", found.rtt.deviation_ms, "Standard deviation (ping's mdev)"),
        ):
            made.append(_figure(name, label, Figure(value, Basis.MEASURED, by), "ms", 2, definition))
    definition = "Echo requests without reply. Routers may drop them on purpose: not used for the recommendation"
    loss = Figure(found.loss_percent, Basis.MEASURED, by)
    made.append(_figure("ping_loss_percent", "Ping loss", loss, "%", 1, definition))
    return made


def _iperf3_figures(findings: Findings, bitrate_bps: int) -> list[FigureView]:
    """Loss is always there once something was measured, if only as an assumption."""
    if (result := findings.iperf3) is None:
        return [_loss_figure(findings, bitrate_bps)] if findings.rtt_ms is not None else []
    bandwidth = msgspec.structs.replace(bandwidth_of(result), value=result.bandwidth_bps / 1e6)
    definition = (
        "What arrived of the UDP that was sent at the stream's bitrate: the path may carry more"
        if result.jitter_ms is not None
        else "What one TCP connection got through, payload only"
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


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
