"""The state of a receive stream's outputs: values only."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from app.domain.figures.watching import LoudnessReport, PictureReport


class RecordingEnd(StrEnum):
    """Why a recording ended. STOPPED: a stop was requested."""

    STOPPED = "stopped"
    NO_SPACE = "no_space"
    NO_FOLDER = "no_folder"
    NOT_ALLOWED = "not_allowed"
    DISK_ERROR = "disk_error"


class RecordingReport(msgspec.Struct, frozen=True):
    """A recording. `file` is the name of the present or last file; `end` is None while it continues.

    `bytes_missing` were not written, because the disk was too slow. `detail` is the system's message for a failure.
    """

    file: str | None = None
    file_bytes: int = 0
    files_total: int = 0
    bytes_total: int = 0
    bytes_missing: int = 0
    end: RecordingEnd | None = None
    detail: str = ""


class ForwardReport(msgspec.Struct, frozen=True):
    """Forwarding to UDP or RTP. `datagrams_missing` were not sent: the network refused them, or too many waited."""

    datagrams_total: int = 0
    bytes_total: int = 0
    datagrams_missing: int = 0
    waiting: int = 0
    last_error: str = ""


class OutputsReport(msgspec.Struct, frozen=True):
    """The outputs of a receive stream; None for each that was not requested."""

    recording: RecordingReport | None = None
    forward: ForwardReport | None = None
    picture: PictureReport | None = None
    loudness: LoudnessReport | None = None
