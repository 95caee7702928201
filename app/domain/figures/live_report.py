"""The results of a live analysis: typed, bounded in size, ready to be sent to another process.

Times are seconds of the clock that the caller passes to the analysis.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class IndicatorState(StrEnum):
    """GOOD: no error since the reset. FAULT: in error now or within the last seconds. PAST: errors, but none lately.

    ABSENT: a third-priority table that this stream has never carried. UNMEASURED: cannot be judged; `note` says why.
    """

    GOOD = "good"
    FAULT = "fault"
    PAST = "past"
    ABSENT = "absent"
    UNMEASURED = "unmeasured"


class Content(StrEnum):
    """What the received bytes are. NOTHING: none have come yet. UNDECIDED: too few bytes to decide."""

    NOTHING = "nothing"
    UNDECIDED = "undecided"
    TRANSPORT_STREAM = "transport stream"
    RTP = "transport stream in RTP packets"
    FOREIGN = "no transport stream"


class IndicatorReport(msgspec.Struct, frozen=True):
    """One indicator of TR 101 290. `error_seconds` counts the seconds in which it was in error."""

    name: str
    priority: int
    state: IndicatorState
    count: int = 0
    last_at: float | None = None
    last_detail: str = ""
    error_seconds: int = 0
    note: str = ""


class LiveService(msgspec.Struct, frozen=True):
    """A programme of the PAT with its name from the SDT, empty without one. `pcr_pid` is None without a clock."""

    number: int
    name: str
    provider: str
    pmt_pid: int
    pcr_pid: int | None
    pids: tuple[int, ...]


class LivePid(msgspec.Struct, frozen=True):
    """One PID; `bitrate_bps` is the mean of the last seconds and counts whole packets.

    `kind` is video, audio, subtitles, teletext, data, tables, stuffing or unknown. `has_captions` is True when a
    video stream was seen to carry CEA-608 or CEA-708 captions.
    """

    pid: int
    kind: str
    codec: str
    language: str
    bitrate_bps: int
    packets_total: int
    continuity_errors: int
    is_scrambled: bool
    is_pcr: bool
    service: int | None
    has_captions: bool = False


class Cue(msgspec.Struct, frozen=True):
    """An SCTE-35 section as it came, in hexadecimal. Another process decodes it."""

    pid: int
    at: float
    section: str


class LiveReport(msgspec.Struct, frozen=True):
    """The state of a received stream.

    `since` is the time of the last reset. Bitrates are means of the last whole seconds, None before the first.
    `is_constant_bitrate` is None until the clock shows it. `pids` holds the busiest PIDs in order of their numbers and
    `pids_total` counts all that were seen. `continuity_errors_total` never decreases, a reset excepted.
    """

    at: float
    since: float
    content: Content
    content_detail: str
    is_in_sync: bool
    bitrate_bps: int | None
    bitrate_without_nulls_bps: int | None
    is_constant_bitrate: bool | None
    packets_total: int
    bytes_skipped_total: int
    odd_payloads_total: int
    rtp_gaps_total: int
    continuity_errors_total: int
    error_seconds: int
    indicators: tuple[IndicatorReport, ...]
    services: tuple[LiveService, ...]
    pids: tuple[LivePid, ...]
    pids_total: int
    cues_total: int
    last_cue: Cue | None
