"""The result of a whole-file analysis: typed, ready to be shown or sent."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How severe a finding is."""

    GOOD = "good"
    ATTENTION = "attention"
    FAULT = "fault"


class Finding(msgspec.Struct, frozen=True):
    """One line of a pre-flight verdict: `subject` in a word or two, `text` a sentence with the figures."""

    level: Level
    subject: str
    text: str


class Repetition(msgspec.Struct, frozen=True):
    """The repetition of an item, in milliseconds of the stream's own clock.

    `mean_ms` and `longest_ms` are None with fewer than two items; `late` counts the intervals over `limit_ms`.
    """

    count: int
    limit_ms: float
    mean_ms: float | None = None
    longest_ms: float | None = None
    late: int = 0


class PidReport(msgspec.Struct, frozen=True):
    """One PID. `kind` is video, audio, subtitles, teletext, data, tables, stuffing or unknown."""

    pid: int
    kind: str
    codec: str
    packet_count: int
    bitrate_bps: int
    continuity_errors: int
    is_scrambled: bool = False
    language: str = ""
    stream_type: int | None = None


class ProgrammeReport(msgspec.Struct, frozen=True):
    """One programme of the PAT. `name` and `provider` come from the SDT, empty without one.

    `pcr_pid` is None without a PMT or a clock. `pcr_jumps` counts steps of the clock backwards or over a second.
    """

    number: int
    name: str
    provider: str
    pmt_pid: int
    pmt: Repetition
    pcr_pid: int | None
    pcr: Repetition
    pcr_jumps: int
    streams: tuple[PidReport, ...]


class Analysis(msgspec.Struct, frozen=True):
    """A whole transport stream file. Bitrates count all bytes of the packets.

    `bytes_skipped` lay outside of packets. `pids` are all PIDs in order, those of the programmes among them.
    `findings` are the pre-flight verdict; `verdict` is the worst of their levels.
    """

    size_bytes: int
    packet_count: int
    duration_s: float
    bitrate_bps: int
    is_constant_bitrate: bool
    null_percent: float
    bytes_skipped: int
    continuity_errors: int
    transport_errors: int
    pat: Repetition
    programmes: tuple[ProgrammeReport, ...]
    pids: tuple[PidReport, ...]
    findings: tuple[Finding, ...] = ()
    verdict: Level = Level.GOOD
