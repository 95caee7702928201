"""The JSON form of a network test, each figure with its unit and definition."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from app.web.presenters.counter_views import View


def _is(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class FigureView(View, frozen=True):
    """A figure of a test. `basis` is measured, estimated or assumed; `source` names the measurement."""

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
    """The server of the test."""

    host: str
    port: int
    address: str | None
    label: str
    distance_km: int | None


class SettingsView(View, frozen=True):
    """A latency and an overhead, and what to expect of them on the link that was measured."""

    name: str
    latency_ms: Annotated[int, _is("SRT latency to set at both ends; the higher of the two counts")]
    overhead_percent: Annotated[int, _is("Bandwidth that retransmissions may take in addition to the stream")]
    rtt_multiple: Annotated[float, _is("Latency / RTT: how often a lost packet can be requested")]
    residual_loss: Annotated[
        float, _is("Fraction of packets never delivered, predicted for random loss (docs/recommendation.md)")
    ]
    lost_per_hour: Annotated[float, _is("The same as packets an hour at the stream's bitrate")]
    rarity: str
    burst_ms: Annotated[
        float, _is("Longest run of lost packets that the overhead can resend in time: latency × overhead")
    ]
    receiver_buffer_packets: Annotated[int, _is("Packets a receiver holds: latency and half an RTT")]
    receiver_buffer_bytes: Annotated[int, _is("The same in libsrt's units of 1472 bytes")]
    bandwidth_needed_mbps: Annotated[float, _is("Bitrate with overhead")]
    bandwidth: Annotated[
        str, _is("Compared with the measured bandwidth: enough, tight, too_little, unproven or unknown")
    ]


class RecommendationView(View, frozen=True):
    """The recommendation with its explanation. `row` is the guide's, null outside the guide."""

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
    expected_s: Annotated[float, _is("The usual duration of such a test")]
    started_at: str
    finished_at: str | None
    order: dict[str, Any]
    target: TargetView | None
    place: Annotated[str | None, _is("Where this host is, according to the location service")]
    attempts: list[AttemptView]
    figures: list[FigureView]
    problems: Annotated[list[str], _is("What could not be measured, and why")]
    notes: Annotated[list[str], _is("Further notes")]
    problem: Annotated[str | None, _is("Why the test failed")]
    recommendation: RecommendationView | None


class NetworkTestRowView(View, frozen=True):
    """A test in the history: target, time and result. `loss_basis` says how reliable the loss is."""

    id: str
    state: str
    started_at: str
    mode: str
    target: str
    protocol: str
    rtt_ms: float | None
    bandwidth_mbps: float | None
    loss_percent: float | None
    loss_basis: str | None
    latency_ms: int | None
    overhead_percent: int | None
    problem: str | None


class ServersView(View, frozen=True):
    """The servers that a test can choose from."""

    regions: list[str]
    servers: int
    own_servers: int
    list_age_s: Annotated[float | None, _is("Age of the public list; null when only the built-in one is there")]
    problem: Annotated[str | None, _is("Why the public list could not be refreshed")]
