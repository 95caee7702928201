"""A stream without faults raises no indicator, and the report describes its contents."""

from __future__ import annotations

import pytest

from app.domain.figures.live_report import Content, IndicatorState
from tests.instruments.live_feed import Feed
from tests.instruments.ts_maker import Programme, Recipe, make_ts

BITRATE = 1_000_000
TEN_MINUTES_S = 600


def recipe(seconds: float, **more: object) -> Recipe:
    """Return a small sound stream with tables of every kind that the maker knows."""
    made = Recipe(seconds=seconds, bitrate_bps=BITRATE, programmes=[Programme(video_kbps=500)], tdt=True)
    made.sdt_names = {1: "Nyheter"}
    for name, value in more.items():
        setattr(made, name, value)
    return made


def test_ten_minutes_of_a_sound_stream_raise_nothing() -> None:
    feed = Feed(BITRATE).take(make_ts(recipe(TEN_MINUTES_S, scte35_pid=0x300)))
    report = feed.report()
    assert feed.errors() == {}
    assert report.error_seconds == 0
    assert report.continuity_errors_total == report.bytes_skipped_total == report.odd_payloads_total == 0


def test_the_report_says_what_is_in_the_stream() -> None:
    report = Feed(BITRATE).take(make_ts(recipe(8, scte35_pid=0x300))).report()
    assert (report.content, report.is_in_sync) == (Content.TRANSPORT_STREAM, True)
    assert report.bitrate_bps == pytest.approx(BITRATE, rel=0.01)
    assert report.is_constant_bitrate is True
    assert [(one.number, one.name, one.provider) for one in report.services] == [(1, "Nyheter", "Test")]
    kinds = {one.pid: (one.kind, one.codec) for one in report.pids}
    assert kinds[0x101] == ("video", "H.264")
    assert kinds[0x102] == ("audio", "AAC")
    assert kinds[0x300] == ("data", "SCTE-35")
    assert kinds[0x1FFF] == ("stuffing", "null packets")
    nulls = next(one.bitrate_bps for one in report.pids if one.pid == 0x1FFF)
    assert report.bitrate_bps is not None
    assert nulls is not None
    assert report.bitrate_without_nulls_bps == report.bitrate_bps - nulls


def test_a_table_that_never_came_is_absent_and_no_error() -> None:
    report = Feed(BITRATE).take(make_ts(recipe(15, sdt_names={}, tdt=False))).report()
    states = {one.name: one.state for one in report.indicators if one.priority == 3}
    assert states.pop("unreferenced_pid") is IndicatorState.GOOD
    assert set(states.values()) == {IndicatorState.ABSENT}


def test_a_variable_bitrate_is_named_and_leaves_the_accuracy_of_its_clock_unmeasured() -> None:
    feed = Feed(BITRATE).take(make_ts(recipe(8, constant=False)))
    report = feed.report()
    assert report.is_constant_bitrate is False
    accuracy = next(one for one in report.indicators if one.name == "pcr_accuracy_error")
    assert accuracy.state is IndicatorState.UNMEASURED
    assert "not constant" in accuracy.note
    assert feed.errors() == {}


def test_packets_left_out_of_a_constant_rate_are_no_error_of_the_clock() -> None:
    data = make_ts(recipe(10))
    feed = Feed(BITRATE)
    nulls = [at for at in range(0, len(data), 188) if data[at + 1 : at + 3] == b"\x1f\xff" and at > len(data) // 2]
    for at in nulls[:20]:
        data = data[:at] + b"\0" * 188 + data[at + 188 :]
    feed.take(data.replace(b"\0" * 188, b""))
    assert feed.errors() == {}
    assert feed.report().is_constant_bitrate is True


def test_a_stream_that_turns_from_constant_to_variable_bitrate_is_recognised() -> None:
    feed = Feed(BITRATE).take(make_ts(recipe(8)))
    assert feed.report().is_constant_bitrate is True
    feed.take(make_ts(recipe(30, constant=False)))
    assert feed.report().is_constant_bitrate is False
