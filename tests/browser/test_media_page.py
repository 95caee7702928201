"""A media file's page: what it says before the file was read, and of a file that is no transport stream."""

from __future__ import annotations

import pytest

from app.media.analysis import AnalysisPhase, AnalysisState, MediaAnalyst
from app.probes.media_info import MediaDetails, StreamDetails
from tests.browser.chrome import Browser


def test_a_file_that_is_no_transport_stream_is_not_fit_and_shows_no_empty_tables(page: Browser) -> None:
    page.open("/media_info/letter.ts")
    page.wait_text("#verdict", "Fail", deadline_s=60)

    assert page.text("#findings")
    assert not page.is_shown("#pids-title")
    assert not page.is_shown("#programmes-title")


def test_a_file_whose_reading_fails_is_offered_to_no_stream(page: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    state = AnalysisState(AnalysisPhase.FAILED, problem="the file cannot be read: disk error")
    monkeypatch.setattr(MediaAnalyst, "look", lambda _self, _path: state)
    page.open("/media_info/bars.ts")
    page.wait_text("#problem", "disk error")

    assert not page.is_shown("#parts")
    assert not page.is_shown("#uses a")


def test_a_file_that_is_being_read_shows_how_far_and_no_empty_tables(
    page: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = AnalysisState(AnalysisPhase.RUNNING, progress=0.4)
    monkeypatch.setattr(MediaAnalyst, "look", lambda _self, _path: state)
    page.open("/media_info/bars.ts")
    page.wait_text("#progress-percent", "40 %")

    assert page.is_shown("#not-read")
    assert not page.is_shown("#pids-title")
    assert page.violations() == []


def test_what_the_tools_could_not_read_of_a_stream_is_a_dash(page: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    hollow = (StreamDetails(256, "video", "H.264"), StreamDetails(257, "audio", "MP2"))
    state = AnalysisState(AnalysisPhase.RUNNING, details=MediaDetails("ffprobe", hollow))
    monkeypatch.setattr(MediaAnalyst, "look", lambda _self, _path: state)
    page.open("/media_info/bars.ts")
    page.wait_text("#details", "H.264")

    assert [figure.text for figure in page.all("#details dd")] == ["–", "–", "–"]
