"""A stream that breaks one rule of TR 101 290 raises that rule's indicator, in time, and no other."""

from __future__ import annotations

import functools

import pytest

from app.domain.figures.live_report import IndicatorReport, IndicatorState
from tests.instruments import ts_surgery as surgery
from tests.instruments.live_feed import START, Feed
from tests.instruments.ts_maker import Programme, Recipe, make_ts, section
from tests.instruments.ts_surgery import Surgery

BITRATE = 600_000
VIDEO, AUDIO, MAP = 0x101, 0x102, 0x100
# An error is raised at the end of a batch of payloads, a tenth of a second, and a payload lasts 18 ms here.
SLACK_S = 0.15


@functools.cache
def sound_stream(seconds: float) -> bytes:
    """Return a sound stream of constant bitrate with PAT, PMT and SDT, a PCR every 30 ms."""
    return make_ts(
        Recipe(seconds=seconds, bitrate_bps=BITRATE, programmes=[Programme(video_kbps=250)], sdt_names={1: "One"})
    )


def operated(seconds: float = 8.0) -> Surgery:
    """Return a valid stream that can be changed."""
    return Surgery(sound_stream(seconds), BITRATE)


def only_error(data: bytes, name: str, *, count: int | None = 1) -> IndicatorReport:
    """Return the indicator, when it is the only one that has counted anything."""
    feed = Feed(BITRATE).take(data)
    assert set(feed.errors()) == {name}
    found = next(one for one in feed.report().indicators if one.name == name)
    assert count is None or found.count == count
    assert found.error_seconds >= 1
    assert found.last_detail
    return found


def raised_after(found: IndicatorReport, begin_s: float) -> float:
    """Return the seconds from `begin_s` to the last time at which the error was raised."""
    assert found.last_at is not None
    return found.last_at - START - begin_s


def first_raised(data: bytes, name: str) -> float:
    """Seconds from the beginning of the stream until the indicator counts, watched every 50 ms."""
    feed = Feed(BITRATE)
    step = int(BITRATE / 8 * 0.05) // 188 * 188
    for at in range(0, len(data), step):
        feed.take(data[at : at + step])
        if name in feed.errors():
            return feed.now - START
    raise AssertionError(f"{name} was never raised")


def test_the_base_of_all_violations_is_sound() -> None:
    assert Feed(BITRATE).take(sound_stream(8.0)).errors() == {}
    assert Feed(BITRATE).take(operated().renumber().data()).errors() == {}


# ---- first priority ----


def test_bytes_between_packets_are_a_loss_of_synchronisation() -> None:
    data = sound_stream(8.0)
    half = len(data) // 2 // 188 * 188
    found = only_error(data[:half] + b"x" * 400 + data[half:], "ts_sync_loss")
    assert raised_after(found, half * 8 / BITRATE) <= SLACK_S


def test_one_wrong_sync_byte_is_an_error_of_that_byte_only() -> None:
    data = bytearray(sound_stream(8.0))
    data[188 * 1000] = 0x46
    found = only_error(bytes(data), "sync_byte_error")
    assert raised_after(found, 1000 * 188 * 8 / BITRATE) <= SLACK_S


def test_a_pat_that_stays_away_is_an_error_after_half_a_second() -> None:
    stream = operated()
    assert stream.change(0, 3.0, 4.0, surgery.leave_out) == 10
    data = stream.renumber().data()
    only_error(data, "pat_error_2")
    assert 3.4 <= first_raised(data, "pat_error_2") <= 3.5 + 0.05 + SLACK_S


def test_another_table_on_the_pid_of_the_pat_is_an_error() -> None:
    stream = operated()
    stream.carry(0, section(0x42, 1, b"\x00\x01\xff"), [3.0])
    assert "table_id 0x42" in only_error(stream.renumber().data(), "pat_error_2").last_detail


def test_a_scrambled_pat_is_an_error() -> None:
    stream = operated()
    stream.change(0, 3.0, 3.1, surgery.scramble)
    assert "scrambled" in only_error(stream.data(), "pat_error_2").last_detail


def test_a_missing_packet_is_a_continuity_error() -> None:
    stream = operated()
    stream.change(AUDIO, 3.0, 3.03, surgery.leave_out)
    found = only_error(stream.data(), "continuity_count_error")
    assert "0x102" in found.last_detail
    assert raised_after(found, 3.0) <= 0.06 + SLACK_S


@pytest.mark.parametrize("copies", [2, 3])
def test_a_packet_may_come_twice_and_not_thrice(copies: int) -> None:
    stream = operated()
    pids = [surgery.pid_of(packet) for packet in stream.packets]
    # A packet with a null packet behind it, or two, which the copies replace.
    index = next(at for at in range(1000, 2000) if pids[at : at + 3] == [AUDIO, 0x1FFF, 0x1FFF])
    for copy in range(1, copies):
        stream.packets[index + copy] = stream.packets[index]
    errors = Feed(BITRATE).take(stream.data()).errors()
    assert errors == ({} if copies == 2 else {"continuity_count_error": 1})


def test_a_pmt_that_stays_away_is_an_error_after_half_a_second() -> None:
    stream = operated()
    stream.change(MAP, 3.0, 4.0, surgery.leave_out)
    data = stream.renumber().data()
    assert "programme 1" in only_error(data, "pmt_error_2").last_detail
    assert 3.4 <= first_raised(data, "pmt_error_2") <= 3.5 + 0.05 + SLACK_S


def test_a_pmt_that_never_comes_is_an_error() -> None:
    stream = operated()
    stream.change(MAP, 0.0, 9.0, surgery.leave_out)
    only_error(stream.data(), "pmt_error_2")


def test_a_scrambled_pmt_is_an_error() -> None:
    stream = operated()
    stream.change(MAP, 3.0, 3.1, surgery.scramble)
    assert "scrambled" in only_error(stream.data(), "pmt_error_2").last_detail


def test_a_stream_that_a_pmt_names_and_that_is_gone_is_a_pid_error_after_five_seconds() -> None:
    stream = operated(12.0)
    stream.change(AUDIO, 3.0, 10.0, surgery.leave_out)
    data = stream.renumber().data()
    assert "AAC" in only_error(data, "pid_error").last_detail
    assert 7.9 <= first_raised(data, "pid_error") <= 8.0 + 0.05 + SLACK_S


# ---- second priority ----


def test_a_packet_marked_as_damaged_is_a_transport_error() -> None:
    stream = operated()
    stream.change(VIDEO, 3.0, 3.03, surgery.damage)
    only_error(stream.data(), "transport_error", count=None)


@pytest.mark.parametrize(("pid", "name"), [(0, "PAT"), (MAP, "PMT"), (0x11, "SDT")])
def test_a_wrong_crc_is_a_crc_error(pid: int, name: str) -> None:
    stream = operated()
    assert stream.change(pid, 3.0, 3.1, surgery.flip_last_payload_bit_of_section) == 1
    assert name in only_error(stream.data(), "crc_error").last_detail


def test_clocks_over_a_tenth_of_a_second_apart_are_a_repetition_error() -> None:
    stream = operated()
    assert stream.change(VIDEO, 3.0, 3.12, surgery.drop_pcr, only=surgery.has_pcr) == 4
    found = only_error(stream.data(), "pcr_repetition_error")
    assert "150 ms" in found.last_detail
    assert raised_after(found, 3.0) <= 0.15 + SLACK_S


def test_a_clock_that_stays_away_is_a_repetition_error_before_it_comes_again() -> None:
    stream = operated()
    stream.change(VIDEO, 3.0, 5.0, surgery.drop_pcr, only=surgery.has_pcr)
    only_error(stream.data(), "pcr_repetition_error")
    assert first_raised(stream.data(), "pcr_repetition_error") <= 3.2 + 0.05 + SLACK_S


@pytest.mark.parametrize("jump_s", [-3.0, -0.05, 0.25, 20.0])
def test_a_clock_that_jumps_unannounced_is_a_discontinuity_error(jump_s: float) -> None:
    stream = operated()
    stream.change(VIDEO, 3.0, 9.0, lambda packet: surgery.move_pcr(packet, int(jump_s * 27e6)), only=surgery.has_pcr)
    found = only_error(stream.data(), "pcr_discontinuity_indicator_error")
    assert raised_after(found, 3.0) <= 0.03 + SLACK_S


def test_a_jump_of_the_clock_that_is_announced_is_no_error() -> None:
    stream = operated()
    stream.change(VIDEO, 3.0, 9.0, lambda packet: surgery.move_pcr(packet, 20 * 27_000_000), only=surgery.has_pcr)

    def announce(packet: bytearray) -> None:
        packet[5] |= 0x80

    assert stream.change(VIDEO, 3.0, 3.03, announce, only=surgery.has_pcr) == 1
    assert Feed(BITRATE).take(stream.data()).errors() == {}


@pytest.mark.parametrize("off_ns", [-1500, 800, 20_000])
def test_a_clock_off_its_byte_position_is_an_accuracy_error(off_ns: int) -> None:
    stream = operated()
    stream.change(VIDEO, 5.0, 5.03, lambda packet: surgery.move_pcr(packet, off_ns * 27 // 1000), only=surgery.has_pcr)
    found = only_error(stream.data(), "pcr_accuracy_error")
    assert raised_after(found, 5.0) <= 1.1 + SLACK_S


def test_a_clock_within_half_a_microsecond_is_exact_enough() -> None:
    stream = operated()
    stream.change(VIDEO, 5.0, 5.03, lambda packet: surgery.move_pcr(packet, 10), only=surgery.has_pcr)
    assert Feed(BITRATE).take(stream.data()).errors() == {}


def test_presentation_times_over_seven_tenths_apart_are_a_pts_error() -> None:
    stream = operated()
    stream.change(AUDIO, 3.0, 4.0, surgery.drop_pts, only=surgery.starts_unit)
    data = stream.data()
    assert "AAC" in only_error(data, "pts_error").last_detail
    assert 3.65 <= first_raised(data, "pts_error") <= 3.7 + 0.05 + SLACK_S


def test_scrambled_packets_without_a_cat_are_a_cat_error() -> None:
    stream = operated()
    stream.change(AUDIO, 3.0, 9.0, surgery.scramble)
    only_error(stream.data(), "cat_error")
    stream.carry(1, section(0x01, 0xFFFF, b"\x09\x04\x06\x04\xe2\x00"), [0.5, 2.0, 3.5, 5.0, 6.5])
    feed = Feed(BITRATE).take(stream.renumber().data())
    assert feed.errors() == {}
    assert next(one for one in feed.report().pids if one.pid == AUDIO).is_scrambled


def test_another_table_on_the_pid_of_the_cat_is_a_cat_error() -> None:
    stream = operated()
    stream.carry(1, section(0x42, 1, b"\x00\x01\xff"), [3.0])
    assert "table_id 0x42" in only_error(stream.data(), "cat_error").last_detail


# ---- third priority ----

TDT = bytes.fromhex("707005C079124500")
SI = {
    "nit_actual_error": (0x10, section(0x40, 1, b"\xf0\x00\xf0\x00"), 10.0),
    "sdt_actual_error": (0x11, section(0x42, 2, b"\x00\x01\xff"), 2.0),
    "eit_pf_error": (0x12, section(0x4E, 1, b"\x00\x01\x00\x01\x00\x4e"), 2.0),
    "tdt_error": (0x14, TDT, 30.0),
}


@pytest.mark.parametrize("name", SI)
def test_a_table_that_came_and_stays_away_is_an_error_after_its_time(name: str) -> None:
    pid, its_section, limit_s = SI[name]
    stream = Surgery(
        make_ts(Recipe(seconds=limit_s + 4, bitrate_bps=BITRATE, programmes=[Programme(video_kbps=100)])), BITRATE
    )
    stream.carry(pid, its_section, [1.0])
    data = stream.data()
    only_error(data, name)
    assert limit_s + 0.95 <= first_raised(data, name) <= limit_s + 1.0 + 0.05 + SLACK_S


def test_a_pid_that_no_table_names_is_unreferenced_after_half_a_second() -> None:
    stream = operated()
    stream.carry(0x500, b"", [3.0 + tenth / 10 for tenth in range(20)])
    data = stream.data()
    assert "0x500" in only_error(data, "unreferenced_pid").last_detail
    assert 3.45 <= first_raised(data, "unreferenced_pid") <= 3.5 + 0.05 + SLACK_S


def test_an_error_that_is_over_turns_from_fault_to_past() -> None:
    stream = operated()
    stream.change(0, 1.0, 2.0, surgery.leave_out)
    feed = Feed(BITRATE).take(stream.renumber().data()[: BITRATE // 8 * 3 // 188 * 188])
    states = {one.name: one.state for one in feed.report().indicators}
    assert states["pat_error_2"] is IndicatorState.FAULT
    feed.take(sound_stream(8.0))
    states = {one.name: one.state for one in feed.report().indicators}
    assert states["pat_error_2"] is IndicatorState.PAST
