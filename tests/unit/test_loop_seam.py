"""A looped file, judged packet by packet by the independent reader: no receiver sees a seam."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from app.sources.looping_file import LoopingReader
from tests.instruments.ts_maker import Packetizer, Programme, Recipe, make_ts, splice_null
from tests.instruments.ts_reader import WRAP_27, WRAP_90, Report, read_ts, signed

LAPS = 8
NOW = datetime(2026, 1, 31, 12, 34, 56, tzinfo=UTC).timestamp()


def two_programmes(ppm: float = 0.0) -> list[Programme]:
    second = Programme(2, start_pcr=27_000_000 * 5000, ppm=ppm, video_kbps=300)
    return [Programme(1, video_kbps=700), second]


RECIPES = {
    "constant bitrate": Recipe(),
    "two programmes in step": Recipe(programmes=two_programmes()),
    "two programmes, 60 ppm apart": Recipe(programmes=two_programmes(60.0)),
    "variable bitrate": Recipe(constant=False),
    "variable bitrate, two programmes": Recipe(constant=False, programmes=two_programmes()),
    "clock wraps inside": Recipe(programmes=[Programme(start_pcr=WRAP_27 - 27_000_000)]),
    "clock begins just before its wrap": Recipe(programmes=[Programme(start_pcr=WRAP_27 - 1000)]),
    "clock on a separate PID": Recipe(programmes=[Programme(pcr_pid=0x1F0)]),
    "rare clock": Recipe(pcr_ms=95.0),
    "dense clock": Recipe(pcr_ms=5.0),
    "headers split over packets": Recipe(split_headers=True),
    "times in tables": Recipe(tdt=True, scte35_pid=0x1F4),
    "a table that changes": Recipe(pmt_change_at=1.5, scte35_pid=0x1F4),
    "buffers fuller at the end": Recipe(programmes=[Programme(delay_ms=(200, 700))]),
    "buffers fuller at the end, variable bitrate": Recipe(constant=False, programmes=[Programme(delay_ms=(200, 700))]),
    "buffers emptier at the end": Recipe(programmes=[Programme(delay_ms=(700, 200))]),
    "scrambled": Recipe(programmes=[Programme(scrambled=True)]),
    "shorter than a second": Recipe(seconds=0.7),
}


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., bytes]:
    def play(data: bytes, laps: int = LAPS) -> bytes:
        path = tmp_path / "loop.ts"
        path.write_bytes(data)
        reader = LoopingReader(str(path), clock=lambda: NOW)
        out = bytearray()
        while True:
            block = reader.read()
            assert block is not None
            if reader.laps == laps:
                reader.close()
                return bytes(out)
            assert len(block) % 188 == 0
            out += block

    return play


def steps_within(report: Report, pid: int) -> tuple[float, float]:
    steps = report.pids[pid].pcr_steps_ms()
    return min(steps), max(steps)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_eight_laps_have_no_continuity_error_and_clocks_and_times_that_run_on(
    recipe: Recipe, play: Callable[..., bytes]
) -> None:
    data = make_ts(recipe)
    once, looped = read_ts(data), read_ts(play(data + b"\x47 a cut packet"))
    assert (looped.sync_errors, looped.continuity_errors(), looped.section_errors()) == (0, 0, 0)
    for programme in recipe.programmes:
        shortest, longest = steps_within(looped, programme.pcr_pid)
        assert shortest > 0
        assert longest <= steps_within(once, programme.pcr_pid)[1] + 1
    for pid, seen in once.pids.items():
        assert looped.pids[pid].packets >= LAPS * seen.packets
        assert len(looped.pids[pid].units) == LAPS * len(seen.units)
        assert all(step > 0 for step in looped.pids[pid].decode_steps())


@pytest.mark.parametrize(
    "name", ["constant bitrate", "two programmes in step", "clock wraps inside", "dense clock", "shorter than a second"]
)
def test_at_a_constant_bitrate_every_clock_tells_the_time_of_its_packet(name: str, play: Callable[..., bytes]) -> None:
    recipe = RECIPES[name]
    looped = read_ts(play(make_ts(recipe)))
    for programme in recipe.programmes:
        clock = looped.pids[programme.pcr_pid].pcrs
        first_packet, first_pcr = clock[0]
        for packet, pcr in clock:
            due = first_pcr + (packet - first_packet) * 188 * 8 * 27_000_000 / recipe.bitrate_bps
            # PCR_AC of TR 101 290 allows 500 ns, 13 ticks; here over all laps and not only from one to the next.
            assert abs(signed(round(pcr - due), WRAP_27)) <= 13


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_sound_and_picture_keep_their_distance_to_the_clock_in_every_lap(
    recipe: Recipe, play: Callable[..., bytes]
) -> None:
    data = make_ts(recipe)
    once, looped = read_ts(data), read_ts(play(data, 3))
    for programme in recipe.programmes:
        for pid in (programme.video_pid, programme.audio_pid):
            expected = [_shown_after(once, programme.pcr_pid, n, pid) for n in range(len(once.pids[pid].units))]
            found = [_shown_after(looped, programme.pcr_pid, n, pid) for n in range(len(looped.pids[pid].units))]
            assert len(found) == 3 * len(expected)
            for before, after in zip(expected * 3, found, strict=True):
                assert before is None or after is None or abs(before - after) <= 1


def _shown_after(report: Report, pcr_pid: int, number: int, pid: int) -> int | None:
    """Ticks of 90 kHz from the latest clock before an access unit to its presentation; None before the first clock.

    Only units that come in the same lap as that clock can be compared, so a new clock must be near.
    """
    at, pts, _ = report.pids[pid].units[number]
    clock = [pcr for packet, pcr in report.pids[pcr_pid].pcrs if packet <= at]
    return signed((pts or 0) - clock[-1] // 300, WRAP_90) if clock else None


def test_two_programmes_in_step_stay_in_step_however_long_they_loop(play: Callable[..., bytes]) -> None:
    looped = read_ts(play(make_ts(RECIPES["two programmes in step"])))
    one, two = looped.pids[0x101].pcrs, looped.pids[0x201].pcrs
    apart = {signed(b - a, WRAP_27) - round((q - p) * 1504 * 9) for (p, a), (q, b) in zip(one, two, strict=True)}
    assert max(apart) - min(apart) <= 27


def test_a_clock_with_another_crystal_keeps_its_own_pace(play: Callable[..., bytes]) -> None:
    # 60 ppm of 30 s are 1.8 ms: more than a seam may step, so the second clock moves on by its own count.
    recipe = Recipe(seconds=30.0, bitrate_bps=400_000, programmes=two_programmes(60.0))
    for programme in recipe.programmes:
        programme.video_kbps = 60
    looped = read_ts(play(make_ts(recipe), 6))
    pcrs = looped.pids[0x201].pcrs
    passed_s = (pcrs[-1][0] - pcrs[0][0]) * 1504 / recipe.bitrate_bps
    ppm = ((pcrs[-1][1] - pcrs[0][1]) / 27e6 / passed_s - 1) * 1e6
    assert ppm == pytest.approx(60, abs=5)


def test_the_first_lap_is_the_file_bit_by_bit(play: Callable[..., bytes]) -> None:
    data = make_ts(RECIPES["constant bitrate"])
    assert play(data, 1)[: len(data)] == data


def test_later_laps_differ_only_in_counters_clocks_and_times(play: Callable[..., bytes]) -> None:
    data = make_ts(RECIPES["scrambled"])
    looped = play(data, 3)
    for at in range(0, len(data), 188):
        before, after = data[at : at + 188], looped[-len(data) :][at : at + 188]
        assert before[:3] == after[:3]
        assert before[3] & 0xF0 == after[3] & 0xF0
        clocked = before[3] & 0x20 and before[4] and before[5] & 0x10
        assert before[12 if clocked else 4 :] == after[12 if clocked else 4 :]


def test_tdt_and_tot_show_the_present_time_from_the_first_lap_on(play: Callable[..., bytes]) -> None:
    looped = read_ts(play(make_ts(RECIPES["times in tables"]), 2))
    found = looped.pids[0x14].sections
    assert {section[0] for section in found} == {0x70, 0x73}
    # MJD 61071 is 31 January 2026.
    assert {section[3:8] for section in found} == {(61071).to_bytes(2, "big") + bytes.fromhex("123456")}


def test_splice_times_move_with_their_programme(play: Callable[..., bytes]) -> None:
    looped = read_ts(play(make_ts(RECIPES["times in tables"]), 3))
    adjustments = [int.from_bytes(s[4:9], "big") & (WRAP_90 - 1) for s in looped.pids[0x1F4].sections]
    assert adjustments[: len(adjustments) // 3] == [1000] * (len(adjustments) // 3)
    video = [dts if dts is not None else pts for _, pts, dts in looped.pids[0x101].units]
    third = len(video) // 3
    assert adjustments[-1] - 1000 == signed((video[-third] or 0) - (video[0] or 0), WRAP_90)


def test_an_encrypted_splice_keeps_its_algorithm_bits(play: Callable[..., bytes]) -> None:
    data = make_ts(RECIPES["times in tables"])
    assert splice_null(1000)[4] & 0xFE == 0
    looped = read_ts(play(data, 2))
    assert {section[4] & 0xFE for section in looped.pids[0x1F4].sections} == {0}


def test_a_long_filler_repeats_the_tables_and_holds_the_rate(play: Callable[..., bytes]) -> None:
    recipe = RECIPES["buffers fuller at the end"]
    data = make_ts(recipe)
    looped = play(data, 2)
    assert len(looped) - 2 * len(data) == pytest.approx(0.5 * recipe.bitrate_bps / 8, rel=0.25)
    witness = read_ts(looped)
    for pid in (0, 0x100):
        packets = _packets_of(looped, pid)
        longest = max(after - before for before, after in pairwise(packets)) * 1504 / recipe.bitrate_bps
        assert longest < 0.25
    (first, start), (last, end) = witness.pids[0x101].pcrs[0], witness.pids[0x101].pcrs[-1]
    assert (end - start) / 27e6 == pytest.approx((last - first) * 1504 / recipe.bitrate_bps, abs=1e-5)


def _packets_of(stream: bytes, pid: int) -> list[int]:
    return [
        at // 188
        for at in range(0, len(stream), 188)
        if (stream[at + 1] & 0x1F) << 8 | stream[at + 2] == pid and stream[at + 3] & 0x10
    ]


def test_a_file_that_begins_and_ends_with_duplicates_and_empty_packets_keeps_its_counters(
    play: Callable[..., bytes],
) -> None:
    maker = Packetizer(0x150, 9)
    empty = maker.packet(b"", start=False, pcr=27_000_000 * 10 - 100)
    first = maker.packet(b"\0\0\1\xbd" + bytes(20), start=True)
    second = maker.packet(b"some data", start=False)
    last = maker.packet(b"", start=False, pcr=27_000_000 * 13)
    data = empty + first + first + make_ts(Recipe()) + second + second + last
    assert read_ts(data).continuity_errors() == 0
    assert read_ts(play(data)).continuity_errors() == 0


def test_an_announced_jump_at_the_start_is_announced_in_the_first_lap_only(play: Callable[..., bytes]) -> None:
    announced = Packetizer(0x101, 5 + 0x101).packet(b"", start=False, pcr=27_000_000 * 10 - 1000, announce=True)
    looped = read_ts(play(announced + make_ts(Recipe())))
    assert looped.pids[0x101].discontinuities == 1
    assert looped.continuity_errors() == 0


def test_a_clock_that_jumps_inside_the_file_still_joins_at_the_seam(play: Callable[..., bytes]) -> None:
    first = make_ts(Recipe(start_counter=0))
    second = make_ts(Recipe(programmes=[Programme(start_pcr=27_000_000 * 3)], start_counter=0))
    looped = read_ts(play(first + second, 5))
    jumps = [step for step in looped.pids[0x101].pcr_steps_ms() if not 0 < step < 31.1]
    assert len(jumps) == 5, "one jump a lap, which is the file's own, and none at a seam"


def test_opcr_moves_with_the_clock(play: Callable[..., bytes]) -> None:
    data = bytearray(make_ts(Recipe(pcr_ms=20, programmes=[Programme(pcr_pid=0x1F0)])))
    for at in range(0, len(data), 188):
        if (data[at + 1] & 0x1F, data[at + 2]) == (0x01, 0xF0):
            data[at + 5] |= 0x08
            data[at + 12 : at + 18] = data[at + 6 : at + 12]
    looped = read_ts(play(bytes(data), 3)).pids[0x1F0]
    own = len(read_ts(bytes(data)).pids[0x1F0].pcrs)
    assert len(looped.opcrs) == 3 * own
    # The packets between laps have a PCR only.
    assert set(looped.opcrs) <= {pcr for _, pcr in looped.pcrs}


def test_a_file_without_any_clock_keeps_its_counters(play: Callable[..., bytes]) -> None:
    looped = read_ts(play(make_ts(Recipe(pcr_ms=1e9))))
    assert looped.continuity_errors() == 0
