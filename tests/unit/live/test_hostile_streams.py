"""Damaged and hostile bytes are counted and reported; memory stays bounded and no input raises."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.figures.live_report import Content
from app.mpegts.inspect.live import LiveAnalyser
from tests.instruments.live_feed import START, Feed
from tests.instruments.ts_maker import Programme, Recipe, make_ts, pat, pmt, section
from tests.instruments.ts_surgery import Surgery

BITRATE = 1_000_000
STREAM = make_ts(Recipe(seconds=6.0, bitrate_bps=BITRATE, programmes=[Programme(video_kbps=400)]))


def packet(pid: int, counter: int, payload: bytes, *, control: int = 0x10, flags: int = 0x40) -> bytes:
    """Return a packet with any payload."""
    head = bytes([0x47, flags | pid >> 8, pid & 0xFF, control | counter & 0x0F])
    return (head + payload)[:188].ljust(188, b"\xff")


def a_table(pid: int, counter: int, its_section: bytes) -> bytes:
    """Return a packet with a section that fits."""
    return packet(pid, counter, b"\0" + its_section)


@pytest.mark.parametrize("payload_bytes", [1, 7, 187, 188, 189, 1000, 1316, 1456])
def test_payloads_of_any_size_hold_the_same_stream(payload_bytes: int) -> None:
    feed = Feed(BITRATE).take(STREAM, payload_bytes=payload_bytes)
    report = feed.report()
    assert feed.errors(priorities=(1, 2)) == {}
    assert report.content is Content.TRANSPORT_STREAM
    assert abs(report.packets_total - len(STREAM) // 188) <= 8
    assert (report.odd_payloads_total > 0) == (payload_bytes % 188 != 0)


def test_rtp_inside_srt_is_named_and_examined() -> None:
    feed = Feed(BITRATE)
    for number, at in enumerate(range(0, len(STREAM), 1316)):
        if number == 100:
            continue
        header = bytes([0x80, 33]) + number.to_bytes(2, "big") + bytes(8)
        feed.take(header + STREAM[at : at + 1316], payload_bytes=1328)
    report = feed.report()
    assert report.content is Content.RTP
    assert report.rtp_gaps_total == 1
    assert "continuity_count_error" in feed.errors()


@pytest.mark.parametrize(
    ("foreign", "name"), [(b"just text \n" * 20_000, "a text file"), (random.Random(1).randbytes(200_000), "")]
)
def test_what_is_no_transport_stream_is_a_loss_of_synchronisation_and_named(foreign: bytes, name: str) -> None:
    feed = Feed(BITRATE).take(foreign)
    report = feed.report()
    assert (report.content, report.content_detail, report.is_in_sync) == (Content.FOREIGN, name, False)
    assert set(feed.errors()) == {"ts_sync_loss"}
    assert report.bytes_skipped_total >= len(foreign) - 2000


def test_eight_thousand_pids_are_counted_in_bounded_memory() -> None:
    packets = [packet(pid, 0, bytes(184), flags=0) for pid in range(0x20, 0x20 + 8000)]
    base = Surgery(STREAM, BITRATE).packets
    data = b"".join(base[:400]) + b"".join(packets * 3) + b"".join(base[400:])
    tracemalloc.start()
    report = Feed(8_000_000).take(data).report()
    peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert report.pids_total >= 8000
    assert len(report.pids) == 256
    assert {0x101, 0x102} <= {one.pid for one in report.pids}
    assert peak_mb < 12


def test_tables_that_change_all_the_time_are_followed_at_a_bounded_cost() -> None:
    tracemalloc.start()
    feed = Feed(BITRATE)
    dice = random.Random(3)
    for number in range(2000):
        programme = Programme(number=1 + number % 3, pmt_pid=0x100)
        programme.video_pid = dice.randrange(0x200, 0x1F00)
        feed.take(a_table(0, number, pat([programme, Programme(2 + number % 50)])))
        feed.take(a_table(0x100, number, pmt(programme, version=number % 32)))
    report = feed.report()
    peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert report.services
    assert peak_mb < 8


@pytest.mark.parametrize("pid", [0x00, 0x100, 0x11])
@pytest.mark.parametrize("length", [0, 1, 5, 8, 1021, 4095])
def test_a_section_of_wrong_length_is_a_crc_error_or_nothing(pid: int, length: int) -> None:
    table = {0x00: 0x00, 0x100: 0x02, 0x11: 0x42}[pid]
    stream = Surgery(STREAM, BITRATE)
    stream.carry(pid, bytes([table, 0xB0 | length >> 8, length & 0xFF]) + bytes(20), [2.0])
    errors = Feed(BITRATE).take(stream.renumber().data()).errors(priorities=(1, 2))
    assert set(errors) <= {"crc_error"}


def test_an_adaptation_field_beyond_its_packet_is_no_clock() -> None:
    stream = Surgery(STREAM, BITRATE)
    lie = packet(0x101, 0, bytes([255, 0x10]) + bytes(range(182)), control=0x30, flags=0)
    stream.packets[1000] = bytearray(lie)
    errors = Feed(BITRATE).take(stream.renumber().data()).errors(priorities=(1, 2))
    assert "pcr_discontinuity_indicator_error" not in errors


def test_an_interruption_and_a_reset_start_again() -> None:
    feed = Feed(BITRATE).take(STREAM[: 188 * 2000])
    feed.analyser.interrupt()
    feed.now += 30
    feed.take(STREAM[188 * 2500 :])
    assert feed.errors() == {}
    feed.take(b"\x47\x00\x00" + bytes(185))
    feed.analyser.reset(feed.now)
    report = feed.report()
    assert (report.since, report.packets_total, report.continuity_errors_total) == (feed.now, 0, 0)
    assert report.services
    assert feed.errors() == {}


def test_a_silence_is_a_loss_of_synchronisation_and_nothing_else() -> None:
    feed = Feed(BITRATE).take(STREAM[: 188 * 1400])
    report = feed.report(after_s=20.5)
    errors = {one.name: (one.count, one.error_seconds) for one in report.indicators if one.count}
    assert set(errors) == {"ts_sync_loss"}
    count, seconds = errors["ts_sync_loss"]
    assert count == 1
    assert 19 <= seconds <= 21
    feed.take(STREAM[188 * 1400 :])
    assert set(feed.errors()) == {"ts_sync_loss"}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_of_any_kind_raises_nothing(data: st.DataObject) -> None:
    stream = bytearray(STREAM[: 188 * 600])
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(stream) - 1), st.integers(0, 255)), max_size=60)):
        stream[at] = value
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=5))
    pieces = [bytes(stream[begin:end]) for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), None], strict=True)]
    analyser, now = LiveAnalyser(START), START
    for piece in pieces:
        now += data.draw(st.sampled_from([0.0, 0.01, 0.5, 3.0]))
        for at in range(0, len(piece), 1316):
            analyser.feed(piece[at : at + 1316], now)
        analyser.feed(data.draw(st.binary(max_size=40)), now)
    report = analyser.report(now)
    assert report.error_seconds >= 0
    assert len(report.pids) <= 256


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 0x100, 0x10, 0x11, 0x12, 0x14]), st.binary(max_size=183)), max_size=60)
)
def test_tables_of_any_bytes_raise_nothing(tables: list[tuple[int, bytes]]) -> None:
    feed = Feed(BITRATE).take(STREAM[: 188 * 20])
    for counter, (pid, content) in enumerate(tables):
        feed.take(packet(pid, counter, b"\0" + content))
        feed.take(a_table(pid, counter + 1, section(content[0] if content else 0, 1, content[:150])))
    feed.report()


def test_captions_in_a_damaged_packet_of_a_pid_without_other_packets_are_not_believed() -> None:
    feed = Feed(BITRATE).take(STREAM)
    feed.analyser.reset(feed.now)
    damaged = packet(0x101, 0, bytes(20) + b"\xb5\x00\x31GA94\x03", flags=0x80)
    feed.take(damaged * 2000)
    report = feed.report()
    assert "transport_error" in feed.errors()
    assert not any(one.has_captions for one in report.pids)
