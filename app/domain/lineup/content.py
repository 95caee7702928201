"""Picture and sound as a receive stream decodes them: the figures of a run and their lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec

from app.domain.figures.outputs import OutputsReport
from app.domain.figures.watching import SpellReport

TARGET_LUFS: Final = -23.0  # EBU R 128, "Programme Loudness"


class Content(msgspec.Struct, frozen=True):
    """Seconds of black, frozen and silent spells, and the loudness since `loudness_since`, Unix time.

    A figure is None if it was not decoded. `integrated_lufs` is also None while nothing was louder than the absolute
    gate.
    """

    black_s: float | None = None
    frozen_s: float | None = None
    silent_s: float | None = None
    loudness_since: float | None = None
    integrated_lufs: float | None = None
    true_peak_dbtp: float | None = None


def content_of(outputs: OutputsReport, now: float) -> Content:
    """Return what a receive stream has decoded since its reset. A decoder that does not run measures nothing."""
    picture, loudness = outputs.picture, outputs.loudness
    content = Content()
    if picture is not None and picture.decoder.is_running:
        content = msgspec.structs.replace(
            content, black_s=_seconds(picture.black, now), frozen_s=_seconds(picture.frozen, now)
        )
    if loudness is not None and loudness.decoder.is_running:
        content = msgspec.structs.replace(
            content,
            silent_s=_seconds(loudness.silent, now),
            loudness_since=loudness.since,
            integrated_lufs=loudness.integrated_lufs,
            true_peak_dbtp=loudness.true_peak_dbtp,
        )
    return content


def content_since(before: Content, now: Content) -> Content:
    """Return the spells since `before`. The loudness covers its whole integration time."""
    return msgspec.structs.replace(
        now,
        black_s=_grown(before.black_s, now.black_s),
        frozen_s=_grown(before.frozen_s, now.frozen_s),
        silent_s=_grown(before.silent_s, now.silent_s),
    )


def loudness_note(content: Content) -> str:
    """Say over which time the loudness was integrated."""
    if content.loudness_since is None:
        return ""
    since = f"since {datetime.fromtimestamp(content.loudness_since, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if content.integrated_lufs is None:
        return f"Nothing was louder than -70 LUFS {since}."
    return f"Integrated loudness {content.integrated_lufs:.1f} LUFS {since}."


def figures_of(content: Content) -> Iterator[tuple[str, float | None]]:
    """Return each figure by the name of its limit."""
    yield "black_max_s", content.black_s
    yield "frozen_max_s", content.frozen_s
    yield "silent_max_s", content.silent_s
    lufs = content.integrated_lufs
    yield "loudness_deviation_max_lu", None if lufs is None else round(abs(lufs - TARGET_LUFS), 1)
    yield "true_peak_max_dbtp", content.true_peak_dbtp


def _seconds(spells: SpellReport, now: float) -> float:
    return round(spells.seconds + (0.0 if spells.since is None else max(0.0, now - spells.since)), 1)


def _grown(before: float | None, now: float | None) -> float | None:
    """Return the increase. A sum that fell began again after a reset."""
    if now is None or before is None:
        return now
    return round(now - before, 1) if now >= before else now
