"""The results of a receive stream's decoders for picture and sound: values only. The decoders are other processes."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec

PICTURE_BYTES_MAX = 256 * 1024


class DecoderProblem(StrEnum):
    """Why a decoder does not run, or why the previous one was ended."""

    NOT_INSTALLED = "not_installed"
    NOT_STARTED = "not_started"
    NOTHING_TO_DECODE = "nothing_to_decode"
    ENDED = "ended"
    HUNG = "hung"
    TOO_BUSY = "too_busy"


class DecoderReport(msgspec.Struct, frozen=True):
    """A decoder. `restarts` counts decoders after the first; `bytes_missing` were skipped because its pipe was full.

    `problem` is why the last one ended, None while one runs without trouble.
    """

    is_running: bool = False
    restarts: int = 0
    bytes_missing: int = 0
    problem: DecoderProblem | None = None
    detail: str = ""


class SpellReport(msgspec.Struct, frozen=True):
    """A condition that lasts 10 s or longer, such as a black picture, since the reset. Times are Unix seconds.

    `since` is when the present spell began, None while there is none; `seconds` is the sum over all spells.
    """

    since: float | None = None
    spells: int = 0
    seconds: float = 0.0
    last_at: float | None = None


class PictureReport(msgspec.Struct, frozen=True):
    """The picture of the first video PID. `taken_at` is when the newest one was decoded."""

    decoder: DecoderReport = DecoderReport()
    pid: int | None = None
    taken_at: float | None = None
    black: SpellReport = SpellReport()
    frozen: SpellReport = SpellReport()


class LoudnessReport(msgspec.Struct, frozen=True):
    """The loudness of the first audio PID by EBU R 128. `since` is when the integration began.

    `integrated_lufs` is None until something was louder than the absolute gate, -70 LUFS.
    """

    decoder: DecoderReport = DecoderReport()
    pid: int | None = None
    since: float | None = None
    momentary_lufs: float | None = None
    short_term_lufs: float | None = None
    integrated_lufs: float | None = None
    range_lu: float | None = None
    true_peak_dbtp: float | None = None
    silent: SpellReport = SpellReport()


def findings(
    picture: PictureReport | None, loudness: LoudnessReport | None, now: float, say_time: Callable[[float], str]
) -> list[str]:
    """Return the findings on picture and sound since the reset, as sentences."""
    found = []
    for report, words in _spells(picture, loudness):
        if report.since is not None:
            found.append(f"{words} for the last {now - report.since:.0f} s, since {say_time(report.since)}")
        elif report.last_at is not None:
            found.append(f"{words} for {report.seconds:.0f} s in total, the last time until {say_time(report.last_at)}")
    return found


def _spells(picture: PictureReport | None, loudness: LoudnessReport | None) -> list[tuple[SpellReport, str]]:
    seen = [(picture.black, "the picture was black"), (picture.frozen, "the picture did not move")] if picture else []
    heard = [(loudness.silent, "the sound was silent")] if loudness else []
    return [*seen, *heard]
