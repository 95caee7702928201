"""The JSON form of one stream, each figure with its unit and definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from app.domain.figures.counters import Counters
from app.domain.json_value import JsonObject
from app.domain.verdict import Severity
from app.web.presenters.counter_views import View, described, with_counters
from app.web.presenters.judged_views import JudgedView
from app.web.presenters.peer_views import LastSecondView, PeerView
from app.web.presenters.reception_views import ReceptionView
from app.web.presenters.relay import RelayView

_is = described


class InputCounterView(msgspec.Struct, frozen=True):
    """A counter that only one kind of source has, with its name."""

    name: str
    count: int


class FarEndView(View, frozen=True):
    """The settings for the far end.

    With `calls_us` it calls this host's `port`, else it listens at `host` and `port`.
    """

    calls_us: bool
    host: str | None
    port: int
    latency_ms: int | None
    key_bits: int | None


class InputView(View, frozen=True):
    """The input from the source. Counters run from the worker's start."""

    mbps: Annotated[float | None, _is("Transport stream received from the source over the last second")]
    bytes_total: int
    continuity_errors_total: Annotated[int, _is("Continuity counter errors found in the source")]
    rtp_gaps_total: Annotated[int, _is("RTP sequence numbers that did not arrive")]
    packets_scrambled_total: Annotated[int, _is("Scrambled packets in the source")]
    packets_errored_total: Annotated[int, _is("Packets of the source with the transport error indicator")]
    packets_discarded_total: Annotated[
        int, _is("Packets of the source that the engine discarded: no receiver gets them")
    ]
    loops_total: Annotated[int, _is("How often the file was repeated")]
    last_packet_age_s: Annotated[float | None, _is("Seconds since the last packet of the source")]
    counters: Annotated[list[InputCounterView], _is("Counters that only this kind of source has")]


class WorkerView(View, frozen=True):
    """The process that carries the stream."""

    pid: int
    cpu_percent: Annotated[float | None, _is("Percent of one core over the last seconds")]
    memory_mb: Annotated[float | None, _is("Proportional set size, 10^6 bytes; shared pages count by their share")]
    started_at: str | None


class RefusalView(View, frozen=True):
    """A refused caller, counted by address and reason."""

    address: str
    reason: str | None
    reason_text: str | None
    count: int
    first_at: str
    last_at: str


class SettingView(View, frozen=True):
    """One setting: requested, applied by libsrt, negotiated with the peers, and a note when they differ."""

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
    """Everything about a stream. Mb/s are sums over its peers over the last second."""

    key: Annotated[str, _is("The stream's identity; the port is only an attribute")]
    name: Annotated[str, _is("The operator's name for it, may be empty")]
    label: Annotated[str, _is("The name, or one made of source and endpoint")]
    spec: Annotated[JsonObject, _is("The requested settings, without the passphrase")]
    mode_text: Annotated[str, _is("Mode and port or host, as `listener on port 10001`")]
    target: Annotated[str, _is("The far end's address, or the listener port")]
    source_text: Annotated[str, _is("Its source, as `udp://239.1.1.1:1234 on eno1`")]
    about_text: Annotated[str, _is("Source, far end and encryption in one line")]
    nobody_text: Annotated[str, _is("The text while no far end is connected")]
    far_end: Annotated[FarEndView, _is("The settings for the far end")]
    order: Annotated[str, _is("What the operator wants: run, stop")]
    phase: Annotated[
        str, _is("What is true: starting, waiting, delivering, stalled, backing_off, stopping, stopped, failed")
    ]
    phase_text: str
    reason: Annotated[str | None, _is("Why it is in that phase")]
    reason_text: str | None
    remedy: Annotated[str | None, _is("The remedy")]
    severity: Annotated[Severity, _is("Its severity")]
    remark: Annotated[str | None, _is("Why it needs attention, or what it waits for")]
    since: Annotated[str, _is("When the phase began")]
    ordered_at: Annotated[str, _is("When it was ordered to run")]
    retry_in_s: Annotated[float | None, _is("Seconds until the next try")]
    restarts: Annotated[int, _is("Launches after the first since it was ordered to run")]
    sample_age_s: Annotated[float | None, _is("Age of the figures")]
    payload_mbps: Annotated[float | None, _is("Transport stream delivered, without headers and retransmissions")]
    wire_mbps: Annotated[float | None, _is("The same with SRT, UDP and IP headers and retransmissions")]
    rtt_ms: Annotated[float | None, _is("The longest round-trip time of its peers")]
    latency_rtt_ratio: Annotated[float | None, _is("The lowest latency / RTT of its peers")]
    last_second: LastSecondView | None
    totals: TotalsView
    file_bitrate_mbps: Annotated[float | None, _is("Transport rate of the file, from its PCR")]
    peers: list[PeerView]
    input: InputView | None
    refusals: list[RefusalView]
    notices: list[str]
    direct_engine_offer: Annotated[str | None, _is("What the direct engine would carry that GStreamer discards")]
    settings: list[SettingView]
    worker: WorkerView | None
    reception: Annotated[ReceptionView | None, _is("What a receive stream received; null for other streams")]
    relay: Annotated[RelayView | None, _is("What a relay does to each direction; null for another stream")] = None
    impaired_by: Annotated[str, _is("Key of the relay of this host that it runs through, else empty")] = ""
    host: Annotated[str, _is("The host of the cluster that carries it, empty for this one")] = ""


class _Second(View, frozen=True):
    """One interval of a stream's history, about a second long; `at` is its end, Unix time.

    Counters have their growth.
    """

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


class AdviceView(View, frozen=True):
    """A recommendation by the stream's own RTT and retransmissions, as from the network test."""

    sentence: str
    is_enough: Annotated[bool, _is("Whether the present settings do")]
    latency_ms: Annotated[int, _is("Latency to set")]
    overhead_percent: Annotated[int, _is("Overhead to set")]
