"""Seams of files with several unrelated clocks, cut at arbitrary packets: each clock follows its own packets."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from app.sources.looping_file import LoopingReader
from tests.instruments.ts_maker import Programme, Recipe, make_ts
from tests.instruments.ts_reader import WRAP_27, Report, read_ts

LAPS = 3
PCR_MS = 35.0
TOLERATED_MS = 10.0
PACKET = 188


def looped(path: Path, data: bytes, laps: int = LAPS) -> bytes:
    """Return this many laps of a file."""
    path.write_bytes(data)
    reader = LoopingReader(str(path))
    out = bytearray()
    while True:
        block = reader.read()
        if reader.laps == laps or block is None:
            reader.close()
            return bytes(out)
        out += block


def unrelated(count: int, dice: random.Random) -> list[Programme]:
    """Programmes whose clocks have nothing in common but the interval of their PCRs."""
    return [
        Programme(
            number,
            start_pcr=dice.randrange(WRAP_27),
            video_kbps=dice.choice((150, 300, 600)),
            pcr_phase_ms=dice.uniform(0, PCR_MS),
            ppm=dice.uniform(-20, 20),
        )
        for number in range(1, count + 1)
    ]


def cut(data: bytes, dice: random.Random) -> bytes:
    """Without up to 400 packets at each end, as a recorder cuts."""
    return data[dice.randrange(400) * PACKET : len(data) - dice.randrange(400) * PACKET]


def clock_faults(once: Report, many: Report) -> dict[int, tuple[float, float]]:
    """The clocks that run back over a seam, or pause for longer than in the file: PID, shortest and longest step."""
    faults = {}
    for pid, seen in once.pids.items():
        own = seen.pcr_steps_ms()
        if not own:
            continue
        steps = many.pids[pid].pcr_steps_ms()
        if min(steps) <= 0 or max(steps) > max(own) + TOLERATED_MS:
            faults[pid] = (min(steps), max(steps))
    return faults


@pytest.mark.parametrize("constant", [False, True], ids=["variable", "constant"])
@pytest.mark.parametrize("count", range(1, 10))
def test_no_clock_runs_back_or_pauses_at_a_seam(count: int, constant: bool, tmp_path: Path) -> None:
    dice = random.Random(count)
    rate, seconds = 1_000_000 + 1_500_000 * count, 6.0 if count < 3 else 1.2
    whole = make_ts(
        Recipe(seconds=seconds, bitrate_bps=rate, constant=constant, pcr_ms=PCR_MS, programmes=unrelated(count, dice))
    )
    for _ in range(4):
        data = cut(whole, dice)
        many = read_ts(looped(tmp_path / "loop.ts", data))
        assert clock_faults(read_ts(data), many) == {}
        assert many.continuity_errors() == 0


@pytest.mark.parametrize("count", [2, 5, 9])
def test_no_clock_pauses_in_a_seam_that_waits_for_buffers_to_drain(count: int, tmp_path: Path) -> None:
    dice = random.Random(count)
    programmes = unrelated(count, dice)
    programmes[0].delay_ms = (200.0, 337.0)
    recipe = Recipe(
        seconds=1.5, bitrate_bps=2_000_000 * count, constant=False, pcr_ms=PCR_MS, programmes=programmes, seed=count
    )
    data = cut(make_ts(recipe), dice)
    many = looped(tmp_path / "loop.ts", data)
    assert len(many) > LAPS * len(data) + 50 * PACKET
    assert clock_faults(read_ts(data), read_ts(many)) == {}


def test_a_clock_that_ends_early_does_not_squeeze_what_follows(tmp_path: Path) -> None:
    """The only clock stops a third before the end: the last third keeps its duration."""
    recipe = Recipe(seconds=1.5, pcr_ms=PCR_MS, programmes=[Programme(pcr_until_s=0.96)])
    data = make_ts(recipe)
    clock = read_ts(looped(tmp_path / "loop.ts", data)).pids[0x101].pcrs
    laps = [pcr for packet, pcr in clock if packet % (len(data) // PACKET) < 20]
    lap_s = (laps[1] - laps[0]) / 27e6
    assert lap_s == pytest.approx(recipe.seconds, abs=0.05)


def test_what_follows_the_last_clock_of_a_slower_programme_is_not_squeezed(tmp_path: Path) -> None:
    slow = Programme(2, start_pcr=27_000_000 * 900, video_kbps=200, pcr_until_s=0.9)
    recipe = Recipe(seconds=1.5, constant=False, pcr_ms=PCR_MS, programmes=[Programme(1), slow])
    data = make_ts(recipe)
    many = read_ts(looped(tmp_path / "loop.ts", data))
    for pid in (0x101, 0x201):
        own = read_ts(data).pids[pid].pcrs
        pcrs = many.pids[pid].pcrs
        assert len(pcrs) >= LAPS * len(own)
        passed_s = (pcrs[-1][1] - pcrs[0][1]) % WRAP_27 / 27e6
        whole_laps_s = passed_s - (own[-1][1] - own[0][1]) / 27e6
        assert whole_laps_s / (LAPS - 1) == pytest.approx(recipe.seconds, abs=0.08)
