"""The findings of a receive stream's decoders, for the API and the pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from app.domain.figures.watching import DecoderProblem, DecoderReport, LoudnessReport, PictureReport, SpellReport
from app.web.presenters.reception_views import DecoderView, LoudnessView, PictureView, SpellView

_PROBLEMS: Final = {
    DecoderProblem.NOT_INSTALLED: "ffmpeg is not installed; it comes with the package ffmpeg",
    DecoderProblem.NOT_STARTED: "ffmpeg cannot be started",
    DecoderProblem.NOTHING_TO_DECODE: "the stream has nothing to decode here",
    DecoderProblem.ENDED: "the decoder ended",
    DecoderProblem.HUNG: "the decoder produced nothing for 30 s",
    DecoderProblem.TOO_BUSY: "the decoder used more than half a core",
}


def present_picture(report: PictureReport) -> PictureView:
    """Return the picture and its spells."""
    return PictureView(
        decoder=_decoder(report.decoder),
        pid=report.pid,
        taken=_iso(report.taken_at),
        black=_spell(report.black),
        frozen=_spell(report.frozen),
    )


def present_loudness(report: LoudnessReport) -> LoudnessView:
    """Return the loudness and the silences."""
    return LoudnessView(
        decoder=_decoder(report.decoder),
        pid=report.pid,
        since=_iso(report.since),
        momentary_lufs=report.momentary_lufs,
        short_term_lufs=report.short_term_lufs,
        integrated_lufs=report.integrated_lufs,
        range_lu=report.range_lu,
        true_peak_dbtp=report.true_peak_dbtp,
        silent=_spell(report.silent),
    )


def _decoder(report: DecoderReport) -> DecoderView:
    return DecoderView(
        state=_state(report), is_running=report.is_running, restarts=report.restarts, bytes_missing=report.bytes_missing
    )


def _state(report: DecoderReport) -> str:
    if report.problem is None:
        return "decoding" if report.is_running else "starting"
    text = _PROBLEMS[report.problem]
    return f"{text} ({report.detail})" if report.detail else text


def _spell(report: SpellReport) -> SpellView:
    return SpellView(
        since=_iso(report.since), spells=report.spells, seconds=round(report.seconds, 1), last=_iso(report.last_at)
    )


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
