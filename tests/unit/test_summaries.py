"""72 hours of history: summaries are correct and small, and a restart keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from app.domain.figures.history import Second
from app.domain.figures.history import seconds as as_seconds
from app.domain.figures.sample import Point
from app.domain.figures.summaries import FIGURES, Spread, Summary, coarser, pack, summaries, unpack
from app.store.history_file import KEPT_S, HistoryFile
from app.store.unavailable import StoreUnavailable
from app.streams import history_keeper
from app.streams.history_keeper import HistoryKeeper


def history(seconds: int) -> list[Second]:
    """Return this many seconds of a stream at 1 to 10 Mb/s."""
    points, sent = [], 0
    for number in range(seconds + 1):
        sent += 125_000 * (number % 10 + 1)
        at = 1_000_003.5 + number
        points.append(Point(at=at, peers=1, payload_bytes_total=sent, wire_bytes_total=sent, rtt_ms=number % 7 + 1.0))
    return as_seconds(points)


def flat(at: int, value: float = 1.5) -> Summary:
    return Summary(at, 10, dict.fromkeys(FIGURES, Spread(value, value, value)))


def test_a_summary_has_the_least_the_mean_and_the_greatest_of_its_own_seconds() -> None:
    past = history(60)
    made = summaries(past, 0, past[-1].at)
    one = made[2]
    own = [second for second in past if one.at - 10 < second.at <= one.at]
    rates = [second.rates.payload_mbps for second in own]
    assert one.count == len(own) == 10
    spread = one.figures["payload_mbps"]
    assert spread is not None
    assert spread == Spread(min(rates), spread.mean, max(rates))
    assert spread.mean == pytest.approx(sum(rates) / 10)
    assert [later.at - earlier.at for earlier, later in pairwise(made)] == [10] * (len(made) - 1)
    assert made[-1].at <= past[-1].at


def test_what_is_unknown_stays_unknown_when_it_is_packed_and_joined() -> None:
    known = Summary(100, 10, {**flat(100).figures, "rtt_ms": None})
    assert unpack(100, pack(known)) == known
    assert unpack(100, b"of another version") is None
    (joined,) = coarser([known, flat(90, 4.5)], 100)
    assert joined.figures["rtt_ms"] == Spread(4.5, 4.5, 4.5)
    assert joined.figures["wire_mbps"] == Spread(1.5, 3.0, 4.5)
    assert (joined.at, joined.count) == (100, 20)


def test_three_days_of_ten_streams_are_below_60_mb(tmp_path: Path) -> None:
    file = HistoryFile(tmp_path / "history.sqlite3")
    six_hours = [flat(at, at / 7) for at in range(10, 6 * 3600, 10)]
    file.append({f"stream{number:02}": six_hours for number in range(10)}, 6 * 3600)
    size = sum(each.stat().st_size for each in tmp_path.glob("history.sqlite3"))
    assert size * 12 < 60e6
    assert len(file.read("stream03", 0, 1e9)) == len(six_hours)


def test_what_is_older_than_three_days_is_dropped_and_a_range_is_a_range(tmp_path: Path) -> None:
    file = HistoryFile(tmp_path / "history.sqlite3")
    file.append({"a": [flat(at) for at in (10, 20, KEPT_S + 20)]}, KEPT_S + 15)
    again = HistoryFile(tmp_path / "history.sqlite3")
    assert [one.at for one in again.read("a", 0, 1e9)] == [20, KEPT_S + 20]
    assert [one.at for one in again.read("a", 21, 1e9)] == [KEPT_S + 20]
    assert again.newest() == {"a": KEPT_S + 20}
    assert (tmp_path / "history.sqlite3").stat().st_mode & 0o077 == 0


def test_a_damaged_file_costs_the_history_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    path.write_bytes(b"no database" * 1000)
    file = HistoryFile(path)
    with pytest.raises(StoreUnavailable):
        file.read("a", 0, 1)
    file.append({"a": [flat(10)]}, 10)
    assert file.newest() == {"a": 10}


def test_the_keeper_catches_up_with_what_an_adopted_worker_remembers_and_writes_nothing_twice(tmp_path: Path) -> None:
    past = history(300)
    file = HistoryFile(tmp_path / "history.sqlite3")

    def seconds_of(_key: str) -> Sequence[Second]:
        return past

    first = HistoryKeeper(file, lambda: ["a"], seconds_of, every_s=3600, clock=lambda: past[100].at)
    first.keep(past[100].at)
    first.close()
    second = HistoryKeeper(file, lambda: ["a"], seconds_of, every_s=3600, clock=lambda: past[-1].at)
    second.keep(past[-1].at)
    second.close()
    kept = file.read("a", 0, 1e12)
    assert [one.at for one in kept] == list(range(kept[0].at, kept[-1].at + 1, 10))
    assert kept[-1].at >= past[-1].at
    assert sum(one.count for one in kept) == len(past)


@pytest.mark.parametrize("phase_s", [0.0, 1.7, 3.3, 4.9])
def test_a_loss_of_everything_at_any_moment_costs_less_than_ten_seconds(tmp_path: Path, phase_s: float) -> None:
    past = history(60)
    file = HistoryFile(tmp_path / "history.sqlite3")
    now = [0.0]
    keeper = HistoryKeeper(
        file, lambda: ["a"], lambda _: [one for one in past if one.at <= now[0]], every_s=3600, clock=lambda: now[0]
    )
    next_write = past[0].at + phase_s
    for moment in [past[0].at + step / 2 for step in range(100)]:
        now[0] = moment
        if moment >= next_write:
            keeper.keep(moment)
            next_write += history_keeper._EVERY_S
        kept = sum(one.count for one in HistoryFile(tmp_path / "history.sqlite3").read("a", 0, 1e12))
        known = sum(one.at <= moment for one in past)
        assert known - kept <= 6, moment
    keeper.close()


def test_a_stream_that_starts_again_in_the_same_ten_seconds_overwrites_nothing(tmp_path: Path) -> None:
    past = history(60)
    whole = summaries(past, 0, past[-1].at)[2]
    part = summaries([one for one in past if one.at > whole.at - 3], 0, whole.at)[0]
    file = HistoryFile(tmp_path / "history.sqlite3")
    for one in (part, whole, part):
        file.append({"a": [one]}, whole.at)

    assert file.read("a", 0, 1e12)[0].count == whole.count == 10
