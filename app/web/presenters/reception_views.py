"""The JSON form of a reception, each figure with its unit and definition."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from app.web.presenters.counter_views import View


def _is(text: str) -> Meta:
    return Meta(description=text)


class LatenessView(View, frozen=True):
    """How late packets come out, in ms after they were due."""

    p50: Annotated[float, _is("Half of the packets of the last minute come out no later than this, ms")]
    p99: Annotated[float, _is("99 of 100 packets of the last minute come out no later than this, ms")]
    max: Annotated[float, _is("The latest packet of the last minute, ms; 10 ms is the reading interval")]


class RttView(View, frozen=True):
    """Round-trip time over the last second, ms."""

    min: float
    avg: float
    max: float


class VerdictView(View, frozen=True):
    """Whether the reception is good, and if not, what is wrong."""

    severity: Annotated[str, _is("good, attention or fault")]
    text: Annotated[str, _is("The worst finding in a sentence")]
    findings: Annotated[list[str], _is("All findings, worst first")]


class IndicatorView(View, frozen=True):
    """One indicator of ETSI TR 101 290."""

    priority: int
    title: Annotated[str, _is("Its name as the document spells it")]
    state: Annotated[str, _is("good, fault (now), past (errors, none lately), absent or unmeasured")]
    count: Annotated[int, _is("Errors since the reset")]
    last: Annotated[str | None, _is("Time of the last one")]
    detail: str
    error_seconds: Annotated[int, _is("Seconds with this error since the reset")]
    note: Annotated[str, _is("Why it cannot be measured")]


class ServiceView(View, frozen=True):
    """A service of the received transport stream."""

    number: int
    name: str
    provider: str
    pmt_pid: int
    pcr_pid: int | None
    pids: list[int]


class PidView(View, frozen=True):
    """A PID of the received transport stream."""

    pid: int
    kind: str
    codec: str
    language: str
    mbps: Annotated[float, _is("Mean of the last seconds, whole packets")]
    packets: int
    continuity_errors: int
    is_scrambled: bool
    is_pcr: bool
    service: int | None
    has_captions: bool


class ContentView(View, frozen=True):
    """What the received bytes are."""

    kind: Annotated[str, _is("Transport stream, RTP, or other content that was found")]
    detail: str
    is_in_sync: bool
    mbps: Annotated[float | None, _is("Transport rate with null packets")]
    mbps_without_nulls: Annotated[float | None, _is("Transport rate without null packets")]
    is_constant_bitrate: bool | None
    pids_total: int
    cues: Annotated[int, _is("SCTE-35 sections seen")]
    last_cue: Annotated[str | None, _is("Time of the last SCTE-35 section")]
    last_cue_text: Annotated[str, _is("The content of the last SCTE-35 section; empty without one")]


class ReceptionView(View, frozen=True):
    """The figures of a receive stream. Counters and extremes run from `since`; Mb/s are over the last second."""

    since: Annotated[str, _is("When counting began: the first connection or the last reset")]
    seconds: Annotated[int, _is("Seconds counted since then")]
    delivered_mbps: Annotated[float | None, _is("Payload delivered over the last second")]
    wire_mbps: Annotated[float | None, _is("Received over the last second, with headers and retransmissions")]
    packets_unique: Annotated[int, _is("SRT data packets that arrived, each counted once")]
    packets_recovered: Annotated[int, _is("Lost packets that were retransmitted in time")]
    packets_dropped: Annotated[int, _is("Packets lost for good")]
    packets_belated: Annotated[int, _is("Packets that arrived too late or twice; harmless by themselves")]
    packets_undecryptable: Annotated[int, _is("Packets that could not be decrypted")]
    lateness_ms: Annotated[LatenessView | None, _is("Lateness of the output over the last minute")]
    longest_gap_ms: Annotated[float, _is("Longest pause of the output since the reset")]
    longest_gap_at: str | None
    longest_freeze_ms: Annotated[float, _is("Longest pause that delayed packets: the picture froze")]
    longest_freeze_at: str | None
    quiet_ms: Annotated[float, _is("Time since the last output")]
    headroom_ms: Annotated[int | None, _is("Lowest fill level of the receive buffer in the last second")]
    lowest_headroom_ms: Annotated[int | None, _is("Lowest fill level of the receive buffer since the reset")]
    latency_ms: Annotated[int | None, _is("Negotiated latency: the higher of the two ends' settings")]
    rtt_ms: RttView | None
    ts_df_ms: Annotated[float | None, _is("Delay factor by SRT timestamps at our output (EBU Tech 3337), last second")]
    jitter_ms: Annotated[float | None, _is("RFC 3550 jitter at our output; a few ms of it are the reading interval")]
    reorder_packets: Annotated[int | None, _is("Longest distance of a reordered packet")]
    continuity_errors: Annotated[int, _is("Continuity counter errors at the output")]
    error_seconds: Annotated[dict[str, int], _is("Seconds with errors by kind")]
    last_errors: Annotated[dict[str, str], _is("Time of the last error of each kind")]
    verdict: VerdictView
    content: ContentView | None
    tr101290: Annotated[dict[str, IndicatorView], _is("ETSI TR 101 290 V1.4.1 indicators by name")]
    services: list[ServiceView]
    pids: list[PidView]
    recording: RecordingView | None
    forward: ForwardView | None
    picture: PictureView | None
    loudness: LoudnessView | None


class RecordingView(View, frozen=True):
    """A recording of a receive stream."""

    state: Annotated[str, _is("In words: recording, or why it is over")]
    is_running: bool
    file: Annotated[str | None, _is("The current or last file in the media folder")]
    file_bytes: int
    files: Annotated[int, _is("Files written by the present worker")]
    bytes_total: int
    bytes_missing: Annotated[int, _is("Received bytes that were not written because the disk was too slow or full")]


class ForwardView(View, frozen=True):
    """The forwarding of a receive stream."""

    datagrams: Annotated[int, _is("Datagrams sent by the present worker, one for each SRT payload")]
    bytes_total: int
    datagrams_missing: Annotated[int, _is("Datagrams that the network rejected, or that waited too long")]
    last_error: Annotated[str, _is("The system's error for the last rejection; empty without one")]


class SpellView(View, frozen=True):
    """A condition that lasts 10 s or longer, counted since the reset."""

    since: Annotated[str | None, _is("When the present period began; null while there is none")]
    spells: Annotated[int, _is("How often it was found")]
    seconds: Annotated[float, _is("Seconds of all periods that have ended")]
    last: Annotated[str | None, _is("When the last period ended")]


class DecoderView(View, frozen=True):
    """A decoder process; the reception does not depend on it."""

    state: Annotated[str, _is("In words: decoding, or why it does not")]
    is_running: bool
    restarts: Annotated[int, _is("How often it was restarted after it ended, hung or used too much")]
    bytes_missing: Annotated[int, _is("Received bytes that were skipped because it was too slow")]


class PictureView(View, frozen=True):
    """The picture of the first video PID, by its key frames."""

    decoder: DecoderView
    pid: int | None
    taken: Annotated[str | None, _is("When the picture at /api/streams/{key}/picture was decoded")]
    black: Annotated[SpellView, _is("98 % of the pixels darker than 10 % for 10 s")]
    frozen: Annotated[SpellView, _is("No change above 0.1 % of full scale for 10 s, black pictures excepted")]


class LoudnessView(View, frozen=True):
    """The loudness of the first audio PID by EBU R 128."""

    decoder: DecoderView
    pid: int | None
    since: Annotated[str | None, _is("When the integration began")]
    momentary_lufs: Annotated[float | None, _is("Over 400 ms")]
    short_term_lufs: Annotated[float | None, _is("Over 3 s")]
    integrated_lufs: Annotated[float | None, _is("Since `since`, gated; null until something was above -70 LUFS")]
    range_lu: Annotated[float | None, _is("Loudness range, EBU Tech 3342")]
    true_peak_dbtp: Annotated[float | None, _is("Highest true peak of all channels since `since`")]
    silent: Annotated[SpellView, _is("All channels below -60 dBFS for 10 s")]


class DeliverySecondView(View, frozen=True):
    """A second of a reception's history, or a minute of its last 24 hours; `at` is the end, Unix time."""

    at: float
    span_s: int
    delivered_mbps: float
    wire_mbps: float
    lateness_ms: Annotated[float | None, _is("The latest packet of the span")]
    gap_ms: float
    frozen_ms: float
    headroom_ms: int | None
    latency_ms: int | None
    rtt_ms: float | None
    packets_unique: int
    packets_recovered: int
    packets_dropped: int
    packets_undecryptable: int
    continuity_errors: int
    severity: Annotated[str, _is("good, attention or fault")]
    errors: list[str]
