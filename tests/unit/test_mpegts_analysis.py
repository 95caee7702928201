"""What an analysis finds in a file, against what was put into it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mpegts.codecs import codec_of, language_of
from app.mpegts.framing import Aligner
from app.mpegts.inspect.analysis import Analyser
from app.mpegts.inspect.report import Analysis, Level
from app.mpegts.tables import Stream
from tests.instruments.ts_maker import Packetizer, Programme, Recipe, make_ts
from tests.instruments.ts_reader import WRAP_27, read_ts


def analysed(data: bytes, piece: int = 261_696) -> Analysis:
    analyser, aligner = Analyser(), Aligner()
    for at in range(0, len(data), piece):
        for block in aligner.take(data[at : at + piece]):
            analyser.feed(block)
    analyser.feed(aligner.finish())
    return analyser.result(size_bytes=len(data), bytes_skipped=aligner.bytes_skipped)


def texts(analysis: Analysis, level: Level) -> list[str]:
    return [finding.text for finding in analysis.findings if finding.level is level]


SOUND = Recipe(seconds=4.0, sdt_names={1: "Kanal ett", 2: "Kanal två"}, programmes=[Programme(1), Programme(2)])
SOUND.programmes[1].video_kbps = 300


def test_a_sound_file_has_only_good_findings() -> None:
    analysis = analysed(make_ts(SOUND))
    assert analysis.verdict is Level.GOOD
    assert {finding.subject for finding in analysis.findings} == {"Bitrate", "PCR", "PAT", "PMT", "Continuity"}


def test_programmes_streams_names_and_clocks_are_those_of_the_file() -> None:
    one, two = analysed(make_ts(SOUND)).programmes
    assert [(p.number, p.name, p.provider, p.pmt_pid, p.pcr_pid) for p in (one, two)] == [
        (1, "Kanal ett", "Test", 0x100, 0x101),
        (2, "Kanal två", "Test", 0x200, 0x201),
    ]
    assert [(s.pid, s.kind, s.codec) for s in two.streams] == [(0x201, "video", "H.264"), (0x202, "audio", "AAC")]


def test_bitrates_add_up_to_the_whole() -> None:
    data = make_ts(SOUND)
    analysis = analysed(data)
    assert analysis.bitrate_bps == pytest.approx(3_000_000, abs=10)
    assert analysis.is_constant_bitrate
    assert analysis.duration_s == pytest.approx(4.0, abs=0.01)
    assert sum(pid.bitrate_bps for pid in analysis.pids) == pytest.approx(3_000_000, abs=10)
    witness = read_ts(data)
    assert {pid.pid: pid.packet_count for pid in analysis.pids} == {n: p.packets for n, p in witness.pids.items()}
    assert analysis.null_percent == pytest.approx(100 * witness.pids[0x1FFF].packets / witness.packets, abs=0.01)


def test_the_spacing_of_clocks_and_tables_is_measured_in_the_streams_time() -> None:
    data = make_ts(Recipe(seconds=4.0, pcr_ms=35, psi_ms=200))
    analysis = analysed(data)
    steps = read_ts(data).pids[0x101].pcr_steps_ms()
    (programme,) = analysis.programmes
    assert programme.pcr.longest_ms == pytest.approx(max(steps), abs=0.001)
    assert programme.pcr.mean_ms == pytest.approx(sum(steps) / len(steps), abs=0.001)
    for found in (analysis.pat, programme.pmt):
        assert found.count == 20
        assert found.mean_ms == pytest.approx(200, abs=1)
        assert found.longest_ms == pytest.approx(200, abs=2)


@pytest.mark.parametrize(
    ("recipe", "level", "words"),
    [
        (Recipe(pcr_ms=60), Level.ATTENTION, "DVB allows 40 ms"),
        (Recipe(pcr_ms=150), Level.FAULT, "MPEG allows 100 ms"),
        (Recipe(seconds=5.0, psi_ms=800), Level.FAULT, "DVB allows 500 ms"),
        (Recipe(pcr_ms=1e9), Level.FAULT, "no clock (PCR)"),
        (Recipe(programmes=[Programme(scrambled=True)]), Level.FAULT, "GStreamer discards these packets"),
    ],
)
def test_what_breaks_a_limit_is_found_with_its_figures(recipe: Recipe, level: Level, words: str) -> None:
    analysis = analysed(make_ts(recipe))
    assert any(words in text for text in texts(analysis, level))
    assert analysis.verdict is not Level.GOOD


def test_lost_packets_are_counted_on_their_pid() -> None:
    data = make_ts(Recipe())
    at = [at for at in range(0, len(data), 188) if data[at + 1 : at + 3] == b"\x01\x01" and data[at + 3] & 0x10]
    lost = data[: at[50]] + data[at[50] + 188 : at[90]] + data[at[90] + 188 :]
    analysis = analysed(lost)
    assert analysis.continuity_errors == read_ts(lost).continuity_errors() == 2
    assert [pid.pid for pid in analysis.pids if pid.continuity_errors] == [0x101]
    assert any("0x101" in text for text in texts(analysis, Level.FAULT))


def test_duplicates_and_announced_jumps_are_no_continuity_errors() -> None:
    maker = Packetizer(0x150, 9)
    first, second = maker.packet(b"one", start=False), maker.packet(b"two", start=False)
    jumping = Packetizer(0x150, 3).packet(b"three", start=False, announce=True)
    standing = Packetizer(0x150, 4).packet(b"", start=False, pcr=1)
    stream = make_ts(Recipe()) + first + first + second + jumping + standing
    assert analysed(stream).continuity_errors == 0
    assert analysed(stream + first + first + first).continuity_errors == 2


def test_a_clock_that_wraps_does_not_jump() -> None:
    analysis = analysed(make_ts(Recipe(programmes=[Programme(start_pcr=WRAP_27 - 27_000_000)])))
    assert analysis.programmes[0].pcr_jumps == 0
    assert analysis.duration_s == pytest.approx(3.0, abs=0.01)


def test_a_clock_that_jumps_is_a_fault_and_does_not_spoil_the_figures() -> None:
    later = make_ts(Recipe(programmes=[Programme(start_pcr=27_000_000 * 999)]))
    analysis = analysed(make_ts(Recipe()) + later)
    assert analysis.programmes[0].pcr_jumps == 1
    assert any("jumps once" in text for text in texts(analysis, Level.FAULT))
    assert analysis.bitrate_bps == pytest.approx(3_000_000, rel=1e-3)
    assert analysis.pat.longest_ms == pytest.approx(100, abs=2)


def test_bytes_outside_of_packets_are_counted_wherever_they_lie() -> None:
    data = make_ts(Recipe())
    damaged = b"x" * 500 + data[: 188 * 2000] + b"y" * 1000 + data[188 * 2000 :] + b"z" * 30
    for piece in (1000, 100_000, 10_000_000):
        analysis = analysed(damaged, piece)
        assert analysis.bytes_skipped == 1530
        assert analysis.packet_count == len(data) // 188
        assert analysis.continuity_errors == 0


def test_a_file_without_tables_or_packets_is_a_fault_and_no_error() -> None:
    assert analysed(b"").verdict is Level.FAULT
    assert analysed(bytes(10_000)).verdict is Level.FAULT


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), flips=st.integers(1, 3000), header_only=st.booleans())
def test_no_bytes_upset_an_analysis(seed: int, flips: int, header_only: bool) -> None:
    dice = random.Random(seed)
    data = bytearray(make_ts(Recipe(seconds=0.6, sdt_names={1: "x"}, scte35_pid=0x1F0)))
    for _ in range(flips):
        at = dice.randrange(len(data))
        if header_only:
            at = at // 188 * 188 + dice.randrange(1, 24)
        data[at] = dice.randrange(256)
    analysis = analysed(bytes(data))
    assert analysis.packet_count * 188 + analysis.bytes_skipped == len(data)


@pytest.mark.parametrize(
    ("stream", "kind", "name", "language"),
    [
        (Stream(1, 0x24), "video", "H.265", ""),
        (Stream(1, 0x06, ((0x59, b"swe\x10\0\1\0\1"),)), "subtitles", "DVB subtitles", "swe"),
        (Stream(1, 0x06, ((0x56, b"SWE\x09\0"),)), "teletext", "teletext", "swe"),
        (Stream(1, 0x06, ((0x0A, b"eng\0"), (0x6A, b"\0"))), "audio", "AC-3", "eng"),
        (Stream(1, 0x06, ((0x05, b"Opus"),)), "audio", "Opus", ""),
        (Stream(1, 0x06), "unknown", "stream type 0x06", ""),
        (Stream(1, 0xB0, ((0x0A, b"1\n2\0"),)), "unknown", "stream type 0xB0", ""),
    ],
)
def test_a_stream_is_called_what_engineers_call_it(stream: Stream, kind: str, name: str, language: str) -> None:
    codec = codec_of(stream)
    assert (codec.kind, codec.name, language_of(stream)) == (kind, name, language)
