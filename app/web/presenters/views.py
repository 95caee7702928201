"""The shapes of the JSON answers, each figure with its unit and definition.

The API's description and the hover texts of the pages are made of these, so the three cannot disagree.
Unknown is null, zero is 0. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from app.domain.figures.counters import ConnectionCounters, Counters
from app.domain.verdict import Severity
from app.media.analysis import AnalysisState
from app.web.presenters.counter_views import View, described, with_counters
from app.web.presenters.judged_views import JudgedView, LossView
from app.web.presenters.reception_views import DeliverySecondView, ReceptionView
from app.web.presenters.relay import RelayView

_is = described


class _LastSecond(View, frozen=True):
    """A flow over the last second: how much each counter grew, and what follows from it."""

    retransmitted_percent: Annotated[
        float | None,
        _is("Resent: retransmitted / unique packets of the last second. A resent packet may still have come too late"),
    ]


class _Peer(LossView, frozen=True):
    """One receiver's SRT connection. Counters run from its beginning, Mb/s are over the last second."""

    id: int
    address: str
    stream_id: Annotated[str, _is("SRT stream ID that the receiver sent")]
    connected_s: Annotated[float, _is("Seconds since the SRT handshake")]
    rtt_ms: Annotated[float, _is("Round-trip time as libsrt smooths it")]
    latency_rtt_ratio: Annotated[
        float | None, _is("Negotiated latency / RTT: how many times a lost packet can be asked for. 4 is the rule")
    ]
    negotiated_latency_ms: Annotated[
        int | None, _is("The higher of the two ends' latencies, by which the receiver plays")
    ]
    payload_mbps: Annotated[float | None, _is("Transport stream delivered, without headers and retransmissions")]
    wire_mbps: Annotated[float | None, _is("The same with SRT, UDP and IP headers and retransmissions")]
    retransmitted_percent: Annotated[
        float | None, _is("Resent: retransmitted / unique packets since the connection was made")
    ]
    send_buffer_ms: Annotated[int | None, _is("Time span of what the receiver has not acknowledged yet")]
    send_buffer_packets: Annotated[int | None, _is("Packets that the receiver has not acknowledged yet")]
    flight_packets: Annotated[int | None, _is("Packets sent and not acknowledged yet")]
    flow_window_packets: Annotated[int | None, _is("Packets the receiver can still take")]
    max_bandwidth_mbps: Annotated[float | None, _is("The sending cap that libsrt works with now")]
    link_capacity_mbps: Annotated[float, _is("libsrt's packet-pair estimate of the path; rough")]
    key_bits: Annotated[int | None, _is("AES key length in use")]
    encryption_state: Annotated[str | None, _is("libsrt's key exchange state: secured, unsecured, bad_secret …")]
    peer_version: Annotated[str | None, _is("The receiver's libsrt version")]
    last_second: LastSecondView | None


class InputCounterView(msgspec.Struct, frozen=True):
    """A counter that only one kind of source has, with its name."""

    name: str
    count: int


class FarEndView(View, frozen=True):
    """What the far end has to set. `calls_us`: it calls this host's `port`, else it listens at `host` and `port`."""

    calls_us: bool
    host: str | None
    port: int
    latency_ms: int | None
    key_bits: int | None


if TYPE_CHECKING:
    LastSecondView = _LastSecond
    PeerView = _Peer
else:
    LastSecondView = with_counters(_LastSecond, ConnectionCounters)
    PeerView = with_counters(_Peer, ConnectionCounters)


class InputView(View, frozen=True):
    """What comes in from the source. Counters run from the worker's start."""

    mbps: Annotated[float | None, _is("Transport stream that came in over the last second")]
    bytes_total: int
    continuity_errors_total: Annotated[int, _is("Continuity counter errors found in the source")]
    rtp_gaps_total: Annotated[int, _is("RTP sequence numbers that never came")]
    packets_scrambled_total: Annotated[int, _is("Scrambled packets in the source")]
    packets_errored_total: Annotated[int, _is("Packets of the source with the transport error indicator")]
    packets_discarded_total: Annotated[
        int, _is("Packets of the source that the engine discarded: no receiver gets them")
    ]
    loops_total: Annotated[int, _is("How often the file began again")]
    last_packet_age_s: Annotated[float | None, _is("Seconds since the source last gave a packet")]
    counters: Annotated[list[InputCounterView], _is("Counters that only this kind of source has")]


class WorkerView(View, frozen=True):
    """The process that carries the stream."""

    pid: int
    cpu_percent: Annotated[float | None, _is("Percent of one core over the last seconds")]
    memory_mb: Annotated[float | None, _is("Proportional set size, 10^6 bytes; shared pages count by their share")]
    started_at: str | None


class RefusalView(View, frozen=True):
    """A caller that was turned away, counted by address and reason."""

    address: str
    reason: str | None
    reason_text: str | None
    count: int
    first_at: str
    last_at: str


class SettingView(View, frozen=True):
    """One setting: what was asked, what libsrt applied, what holds with the peers, and a note when they differ."""

    name: str
    asked: str
    applied: str | None
    negotiated: str | None
    note: str | None
    differs: bool


class _Totals(View, frozen=True):
    """Counters since the stream was ordered to run, earlier workers and peers that left included."""

    retransmitted_percent: Annotated[float | None, _is("Resent: retransmitted / unique packets")]


if TYPE_CHECKING:
    TotalsView = _Totals
else:
    TotalsView = with_counters(_Totals, Counters)


class StreamView(JudgedView, frozen=True):
    """All there is to say of a stream. Mb/s are sums over its peers over the last second."""

    key: Annotated[str, _is("The stream's identity; the port is only an attribute")]
    name: Annotated[str, _is("The operator's name for it, may be empty")]
    label: Annotated[str, _is("The name, or one made of source and endpoint")]
    spec: Annotated[dict[str, Any], _is("What was asked, without the passphrase")]
    mode_text: Annotated[str, _is("How it meets its far end, as `listener on port 10001`")]
    target: Annotated[str, _is("The far end's address, or the own port where the far end calls")]
    source_text: Annotated[str, _is("What it carries, as `udp://239.1.1.1:1234 on eno1`")]
    about_text: Annotated[str, _is("Source, far end and encryption in one line")]
    nobody_text: Annotated[str, _is("What to say while no far end is connected")]
    far_end: Annotated[FarEndView, _is("What the far end has to set")]
    order: Annotated[str, _is("What the operator wants: run, stop")]
    phase: Annotated[
        str, _is("What is true: starting, waiting, delivering, stalled, backing_off, stopping, stopped, failed")
    ]
    phase_text: str
    reason: Annotated[str | None, _is("Why it is in that phase")]
    reason_text: str | None
    remedy: Annotated[str | None, _is("What mends it")]
    severity: Annotated[Severity, _is("How much it wants to be looked at")]
    remark: Annotated[str | None, _is("Why a delivering stream wants attention")]
    since: Annotated[str, _is("When the phase began")]
    ordered_at: Annotated[str, _is("When it was ordered to run")]
    retry_in_s: Annotated[float | None, _is("Seconds until the next try")]
    restarts: Annotated[int, _is("Launches after the first since it was ordered to run")]
    sample_age_s: Annotated[float | None, _is("Age of the figures")]
    payload_mbps: Annotated[float | None, _is("Transport stream delivered, without headers and retransmissions")]
    wire_mbps: Annotated[float | None, _is("The same with SRT, UDP and IP headers and retransmissions")]
    rtt_ms: Annotated[float | None, _is("Round-trip time of the peer that has the longest")]
    latency_rtt_ratio: Annotated[float | None, _is("Latency / RTT of the peer that has the least")]
    last_second: LastSecondView | None
    totals: TotalsView
    file_bitrate_mbps: Annotated[float | None, _is("Transport rate of the file, from its PCR")]
    peers: list[PeerView]
    input: InputView | None
    refusals: list[RefusalView]
    notices: list[str]
    settings: list[SettingView]
    worker: WorkerView | None
    reception: Annotated[ReceptionView | None, _is("What a receive stream received; null for other streams")]
    relay: Annotated[RelayView | None, _is("What a relay does to each direction; null for another stream")] = None
    impaired_by: Annotated[str, _is("Key of the relay of this host that it runs through, else empty")] = ""


class RowView(JudgedView, frozen=True):
    """A stream as one row of the dashboard; figures as in the stream's own view."""

    key: str
    label: str
    severity: Severity
    phase: str
    phase_text: str
    reason_text: str | None
    remark: str | None
    input_mbps: Annotated[float | None, _is("Transport stream that came in over the last second")]
    source_errors: Annotated[int | None, _is("Continuity errors and RTP gaps in the source since the worker's start")]
    since: str
    retry_in_s: float | None
    restarts: int
    sample_age_s: float | None
    mode: str
    target: str
    source: str
    direction: Annotated[str, _is("send, receive or relay")]
    source_kind: str
    source_note: Annotated[str, _is("The interface of a multicast source, or how often a file began again")]
    key_bits: int | None
    peers: int
    refused: int
    payload_mbps: float | None
    rtt_ms: float | None
    latency_rtt_ratio: float | None
    retransmitted_percent: float | None
    packets_dropped: int
    spark: list[float | None] | None = None
    impaired_by: Annotated[str, _is("Key of the relay of this host that it runs through, else empty")] = ""
    group: Annotated[str, _is("The group it is in, else empty")] = ""


class EventView(View, frozen=True):
    """One event. A repeated one raises `count` and `at` of the entry that is there."""

    at: str
    first_at: str | None
    count: int
    key: str
    name: str
    kind: str
    text: str
    actor: str


class _Second(View, frozen=True):
    """One interval of a stream's history, about a second long; `at` is its end, Unix time. Counters: the growth."""

    at: float
    peers: int
    payload_mbps: float
    wire_mbps: float
    input_mbps: float | None
    retransmitted_percent: float | None
    rtt_ms: float | None
    send_buffer_ms: int | None
    lost_at_receiver: float | None


if TYPE_CHECKING:
    SecondView = _Second
else:
    SecondView = with_counters(_Second, Counters)


class SystemView(View, frozen=True):
    """The machine this runs on."""

    hostname: str
    version: Annotated[str, _is("Of this program")]
    user: str
    platform: str
    uptime_s: int
    cpu_percent: Annotated[float, _is("Load of all cores since the reading before")]
    cpu_count: int
    memory_used_mb: float
    memory_total_mb: float
    disk_used_percent: Annotated[float, _is("Of the file system that holds the media folder")]
    disk_free_gb: float
    addresses: Annotated[list[str], _is("Addresses that other hosts may reach this one by")]
    streams_on_air: int
    streams_max: int
    sending_mbps: Annotated[float, _is("Payload of all streams together")]
    gstreamer_version: str | None
    libsrt_version: str | None
    warnings: Annotated[list[str], _is("Known-bad versions in use")]
    missing: Annotated[list[str], _is("Programs that are not installed, and what does not work without them")]


class OverviewView(View, frozen=True):
    """How the streams are, all together: what every page's head and title say."""

    now: Annotated[str, _is("The server's time")]
    hostname: str
    streams: int
    on_air: Annotated[int, _is("Streams that have a worker")]
    fault: Annotated[int, _is("Streams that are stalled, retrying or failed")]
    attention: Annotated[int, _is("Delivering streams with something to look at")]


class AdviceView(View, frozen=True):
    """What the stream's own RTT and retransmissions recommend, as the network test would."""

    sentence: str
    is_enough: Annotated[bool, _is("Whether the present settings do")]
    latency_ms: Annotated[int, _is("Latency to set")]
    overhead_percent: Annotated[int, _is("Overhead to set")]


class LiveView(View, frozen=True):
    """Everything a stream's page shows, in one answer; `samples` are those after the time that was asked."""

    overview: OverviewView
    stream: StreamView
    samples: list[SecondView]
    delivery: Annotated[list[DeliverySecondView], _is("A receive stream's seconds after the time that was asked")]
    events: list[EventView]
    advice: AdviceView | None


class MediaInfoView(View, frozen=True):
    """The analysis of a media file, and what a link must carry for it."""

    state: AnalysisState
    overhead_percent: int
    needed_mbps: Annotated[float | None, _is("Payload, headers, and libsrt's cap for retransmissions on top")]


class DashboardView(View, frozen=True):
    """Everything a dashboard shows, in one answer."""

    overview: OverviewView
    system: SystemView
    streams: list[RowView]
    events: list[EventView]
    free_ports: list[int]


def definitions(view: type[View]) -> dict[str, str]:
    """The definitions of a view's figures by field name, for hover texts."""
    found = {}
    for field in msgspec.structs.fields(view):
        for meta in getattr(field.type, "__metadata__", ()):
            if isinstance(meta, Meta) and meta.description:
                found[field.name] = meta.description
    return found
