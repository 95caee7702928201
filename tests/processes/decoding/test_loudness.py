"""Loudness by EBU R 128 against a signal whose loudness is defined, and against ffmpeg's own summary; silence."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.domain.events import NoticeCode
from app.domain.figures.watching import LoudnessReport
from app.engines.receiver.decoding.loudness import LoudnessWatch
from app.protocol import Notice, PeerEvent
from tests.instruments.waiting import wait_for
from tests.processes.decoding.streams import TONE, TONE_AT_MINUS_23, feed, make_stream


@pytest.fixture
def notices() -> list[Notice]:
    return []


def noted_in(notices: list[Notice]) -> Callable[[PeerEvent | Notice], None]:
    """Keep what the watch reports, which is a notice each time."""

    def note(reported: PeerEvent | Notice) -> None:
        assert isinstance(reported, Notice)
        notices.append(reported)

    return note


@pytest.fixture
def watch(notices: list[Notice]) -> Iterator[LoudnessWatch]:
    made = LoudnessWatch(noted_in(notices))
    wait_for(lambda: made.report().decoder.is_running, deadline_s=10, what="a decoder")
    yield made
    made.stop()


def measured(watch: LoudnessWatch) -> LoudnessReport:
    """Return the figures once they no longer change."""

    def settled() -> LoudnessReport | None:
        before = watch.report()
        return before if before.integrated_lufs is not None and before == watch.report() else None

    return wait_for(settled, deadline_s=30, what=f"figures, last {watch.report()}", every_s=0.3)


def test_the_reference_tone_of_tech_3341_is_23_lufs_below_full_scale(watch: LoudnessWatch, tmp_path: Path) -> None:
    feed(watch, make_stream(tmp_path / "t.ts", sound=TONE.format(s=20, v=TONE_AT_MINUS_23)))
    found = wait_for(
        lambda: report if (report := measured(watch)).short_term_lufs is not None else None,
        deadline_s=30,
        what="a short-term loudness",
    )
    assert found.momentary_lufs == pytest.approx(-23.0, abs=0.2)
    assert found.short_term_lufs == pytest.approx(-23.0, abs=0.2)
    assert found.integrated_lufs == pytest.approx(-23.0, abs=0.2)
    assert found.true_peak_dbtp == pytest.approx(-23.0, abs=0.3)
    assert found.since is not None


def test_a_changing_programme_has_the_figures_of_a_run_over_the_whole_file(
    watch: LoudnessWatch, tmp_path: Path
) -> None:
    path = tmp_path / "n.ts"
    noise = "anoisesrc=color=pink:seed=7:sample_rate=48000:duration=40,volume='0.2+0.15*sin(t/3)':eval=frame"
    feed(watch, make_stream(path, sound=noise))
    argv = ("ffmpeg", "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-")
    summary = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stderr.split("Summary:")[1]
    whole, peak = (float(re.findall(rf"{name}:\s+(-?[\d.]+)", summary)[0]) for name in ("I", "Peak"))

    def is_as_of_the_whole() -> bool:
        # Both: the loudness is near its last value some time before the loudest sample comes.
        report = watch.report()
        is_as_loud = report.integrated_lufs == pytest.approx(whole, abs=0.1)
        return is_as_loud and report.true_peak_dbtp == pytest.approx(peak, abs=0.3)

    wait_for(is_as_of_the_whole, deadline_s=30, what=f"{whole} LUFS and {peak} dBTP")


def test_silence_is_reported_with_its_end_and_has_no_integrated_loudness(
    watch: LoudnessWatch, notices: list[Notice], tmp_path: Path
) -> None:
    silence = "anullsrc=r=48000:cl=stereo,atrim=duration=14[a]"
    tone = TONE.format(s=5, v=1)
    feed(watch, make_stream(tmp_path / "s.ts", sound=f"{silence};{tone}[b];[a][b]concat=n=2:v=0:a=1"))
    wait_for(lambda: len(notices) >= 3, deadline_s=30, what=f"three notices, not {notices}")
    assert {notice.code for notice in notices} == {NoticeCode.SOUND_SILENT}
    assert notices[0].text == "The sound has been silent for 10 s"
    assert notices[1].text.startswith("The sound is no longer silent after ")
    assert notices[2].text == ""
    assert watch.report().silent.spells == 1


def test_below_the_absolute_gate_nothing_is_integrated(watch: LoudnessWatch) -> None:
    watch.hear(
        "[x] t: 3 TARGET:-23 LUFS    M:-120.7 S: nan     I: -70.0 LUFS       LRA:   0.0 LU  TPK: -inf -61.2 dBFS"
    )
    found = watch.report()
    assert (found.momentary_lufs, found.short_term_lufs, found.integrated_lufs) == (None, None, None)
    assert found.true_peak_dbtp == -61.2


def test_a_reset_integrates_from_now_without_counting_a_failure(watch: LoudnessWatch, tmp_path: Path) -> None:
    data = make_stream(tmp_path / "r.ts", sound=TONE.format(s=10, v=1))
    feed(watch, data)
    assert measured(watch).integrated_lufs is not None
    watch.reset(0.0)
    wait_for(
        lambda: watch.report().since is None and watch.report().decoder.is_running, deadline_s=10, what="a new one"
    )
    assert watch.report().decoder.restarts == 0
