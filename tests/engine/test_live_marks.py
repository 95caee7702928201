"""The marks of live colour bars, measured by ffmpeg: name, flash and beep."""

from __future__ import annotations

import re
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from app.domain.constants import BARS_BITRATE_BPS
from app.domain.spec import BarsSource
from app.engines.gstreamer.live_marks import overlay_text
from tests.instruments.bars_recording import Recording
from tests.instruments.waiting import wait_for

FRAMES_PER_S: Final = 50  # of 720p50, the default
_ROW: Final = (1280, 70)  # pixels


def finish(recording: Recording, *, after_s: float) -> None:
    """Stop a recording that holds so many seconds."""
    enough_bytes = after_s * BARS_BITRATE_BPS / 8
    wait_for(lambda: recording.path.stat().st_size > enough_bytes, deadline_s=60, what=f"{after_s} s of bars")
    recording.play(0)
    recording.part.close()


def measure_each(path: Path, filters: str, figure: str) -> list[tuple[float, float]]:
    """Let ffmpeg's `filters` measure a `figure` of each frame: (its time in s, the figure)."""
    mapped = ["-map", "0:v", "-vf"] if "signalstats" in filters else ["-map", "0:a", "-af"]
    shown = subprocess.run(
        ["ffmpeg", "-v", "fatal", "-i", path, *mapped, f"{filters}=mode=print:key={figure}:file=-", "-f", "null", "-"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = re.findall(rf"pts_time:(\S+)\n{re.escape(figure)}=(\S+)", shown)
    return [(float(at), float(value)) for at, value in found]


def rises(measured: list[tuple[float, float]], above: float, until_s: float) -> list[float]:
    """Return the times at which the figure rose above a threshold."""
    steps = pairwise(measured)
    return [at for (_, before), (at, after) in steps if before <= above < after and at < until_s]


def test_bars_flash_and_beep_together_each_second(tmp_path: Path) -> None:
    recording = Recording(BarsSource(), tmp_path / "bars.ts")
    finish(recording, after_s=4.7)
    bright = measure_each(recording.path, "crop=iw:ih/8:0:0,scale=32:8,signalstats,metadata", "lavfi.signalstats.YMIN")
    pitch = measure_each(
        recording.path,
        "asetnsamples=480,astats=metadata=1:reset=1,ametadata",
        "lavfi.astats.1.Zero_crossings_rate",
    )
    until_s = min(bright[-1][0], pitch[-1][0]) - 0.5  # the recording stops within a picture
    flashes = rises(bright, 180, until_s)
    beeps = rises(pitch, 3000 / 48_000, until_s)
    assert len(flashes) >= 3
    assert [after - before for before, after in pairwise(flashes)] == pytest.approx([1] * (len(flashes) - 1), abs=0.001)
    assert [after - before for before, after in pairwise(beeps)] == pytest.approx([1] * (len(beeps) - 1), abs=0.011)
    for flash in flashes:
        assert min(abs(flash - beep) for beep in beeps) <= 2 / FRAMES_PER_S


def test_bars_show_the_name_of_their_stream(tmp_path: Path) -> None:
    """Two streams of one name are the control: clock, frame count and encoder make no difference there."""
    names = ("<b>Nord &\n", "<b>Nord &\n", "<b>Ost &\0\n")
    playing = [Recording(BarsSource(), tmp_path / f"{n}.ts", name) for n, name in enumerate(names)]
    for one in playing:
        finish(one, after_s=1.2)
    first, same, other = (_name_row(one.path) for one in playing)
    assert _differing(first, same) < 0.002 < 0.02 < _differing(first, other)


def _name_row(path: Path) -> bytes:
    """Return the luma of the lines with a short name, above the clock, in a picture without a flash."""
    argv = ["ffmpeg", "-v", "fatal", "-i", str(path), "-map", "0:v", "-frames:v", "30"]
    argv += ["-vf", f"crop={_ROW[0]}:{_ROW[1]}:0:275,format=gray", "-f", "rawvideo", "-"]
    raw = subprocess.run(argv, check=True, capture_output=True).stdout
    size = _ROW[0] * _ROW[1]
    pictures = sorted((raw[at : at + size] for at in range(0, len(raw), size)), key=sum)
    return pictures[len(pictures) // 2]


def _differing(one: bytes, other: bytes) -> float:
    """Return the share of pixels that differ clearly."""
    return sum(abs(a - b) > 60 for a, b in zip(one, other, strict=True)) / len(one)


def test_any_name_becomes_one_short_line_of_text_without_markup() -> None:
    assert overlay_text("<b>R&D</b>\n\x00\u202eEast ") == "&lt;b&gt;R&amp;D&lt;/b&gt; East"
    assert overlay_text("x" * 200) == "x" * 39 + "…"
    assert overlay_text("\n\t") == ""
