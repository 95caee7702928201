"""The schedule of a relay: the same for the same seed, and what was set on average."""

from __future__ import annotations

import math
from itertools import accumulate, groupby, pairwise
from statistics import fmean
from typing import Any

import msgspec
import pytest

from app.domain.impairment.jitter import Jitter
from app.domain.impairment.link import ImpairedLink
from app.domain.impairment.model import DirectionImpairment, Impairment, OutageEvent, RebindEvent
from app.domain.impairment.schedule import Path

MS = 1_000_000
S = 1_000_000_000
SPACING_NS = 1_316_000  # 8 Mb/s in datagrams of 1,316 bytes
SIZE = 1332
GOLDEN_LOST = [3, 14, 18, 19, 20, 22, 34, 46, 57, 62, 70, 76, 96]
GOLDEN_DELAYS = [10002340, 16501926, 15980709, 16519291]


def path_of(seed: str = "7", **settings: Any) -> Path:
    return Path(msgspec.convert(settings, DirectionImpairment), seed=seed)


def decide(path: Path, count: int, *, size: int = SIZE, spacing_ns: int = SPACING_NS) -> list[tuple[int, ...]]:
    return [path.decide(size, number * spacing_ns) for number in range(count)]


def test_the_same_seed_decides_the_same_for_each_datagram() -> None:
    harsh: dict[str, Any] = {
        "delay_ms": 20,
        "jitter_ms": 30,
        "reorder_ms": 2,
        "loss_percent": 3,
        "bursts": {"kind": "gilbert", "loss_percent": 2},
        "duplicate_percent": 1,
        "rate_mbps": 9,
    }

    assert decide(path_of(**harsh), 5000) == decide(path_of(**harsh), 5000)
    assert decide(path_of(**harsh), 5000) != decide(path_of("8", **harsh), 5000)


def test_a_seed_means_the_same_on_every_machine_and_python() -> None:
    lost = [number for number, leaves in enumerate(decide(path_of(loss_percent=10), 100)) if not leaves]
    delays = decide(path_of(delay_ms=10, jitter_ms=8), 4, spacing_ns=50 * MS)

    assert lost == GOLDEN_LOST
    assert [leaves[0] - number * 50 * MS for number, leaves in enumerate(delays)] == GOLDEN_DELAYS


def test_without_settings_everything_passes_at_once() -> None:
    path = path_of()

    assert decide(path, 3) == [(0,), (SPACING_NS,), (2 * SPACING_NS,)]
    assert (path.counters.datagrams, path.counters.lost, path.counters.delayed) == (3, 0, 0)


def test_random_loss_is_the_share_that_was_set() -> None:
    path = path_of(loss_percent=5)
    decide(path, 40_000)

    sigma = math.sqrt(0.05 * 0.95 / 40_000)
    assert path.counters.by_chance / 40_000 == pytest.approx(0.05, abs=3 * sigma)
    assert path.counters.lost == path.counters.by_chance


def test_bursts_have_the_mean_length_and_the_share_that_were_set() -> None:
    decided = decide(path_of(bursts={"kind": "gilbert", "loss_percent": 4, "mean_burst": 5}), 200_000)
    bursts = [len(list(run)) for is_lost, run in groupby(decided, key=lambda leaves: not leaves) if is_lost]

    assert fmean(bursts) == pytest.approx(5, rel=0.05)
    assert sum(bursts) / 200_000 == pytest.approx(0.04, rel=0.1)


def test_four_probabilities_lose_in_both_states() -> None:
    model = {
        "kind": "gilbert_elliott",
        "good_to_bad_percent": 1,
        "bad_to_good_percent": 9,
        "loss_in_bad_percent": 50,
        "loss_in_good_percent": 2,
    }
    decided = decide(path_of(bursts=model), 200_000)

    # A tenth of the time in the bad state: 0.1 x 50 % + 0.9 x 2 %.
    assert sum(not leaves for leaves in decided) / 200_000 == pytest.approx(0.068, rel=0.05)


@pytest.mark.parametrize("spacing_ns", [200_000, 5 * MS])
def test_probabilities_by_the_millisecond_do_not_depend_on_how_often_datagrams_come(spacing_ns: int) -> None:
    model = {"kind": "gilbert_elliott", "good_to_bad_percent": 2, "bad_to_good_percent": 8, "per": "millisecond"}
    decided = decide(path_of(bursts=model), 100_000, spacing_ns=spacing_ns)

    assert sum(not leaves for leaves in decided) / 100_000 == pytest.approx(0.2, rel=0.08)


def test_small_datagrams_only_or_large_ones_only_can_be_lost() -> None:
    small = path_of(loss_percent=100, loss_of="small")
    large = path_of(loss_percent=100, loss_of="large")

    assert [small.decide(44, 0), small.decide(SIZE, 0)] == [(), (0,)]
    assert [large.decide(44, 0), large.decide(SIZE, 0)] == [(0,), ()]


def test_jitter_keeps_the_order_and_is_uniform() -> None:
    decided = decide(path_of(delay_ms=10, jitter_ms=40), 60_000)
    leaves = [times[0] for times in decided]
    delays_ms = [(time - number * SPACING_NS) / MS for number, time in enumerate(leaves)]

    assert all(before <= after for before, after in pairwise(leaves))
    assert 10 <= min(delays_ms) < 11
    assert 49 < max(delays_ms) <= 50
    assert fmean(delays_ms) == pytest.approx(30, rel=0.05)
    assert sum(delay < 20 for delay in delays_ms) / 60_000 == pytest.approx(0.25, abs=0.05)


def test_jitter_after_a_long_silence_is_ready_at_once() -> None:
    jitter = Jitter(1000, chance=Path(DirectionImpairment(), seed="1")._chance("jitter"))

    assert 0 <= jitter.at(86_400 * S) <= 1000


def test_a_jitter_of_less_than_a_nanosecond_is_none() -> None:
    assert decide(path_of(delay_ms=10, jitter_ms=1e-7), 2, spacing_ns=MS) == [(10 * MS,), (11 * MS,)]


def test_reordering_lets_datagrams_overtake() -> None:
    path = path_of(delay_ms=5, reorder_ms=10)
    leaves = [times[0] for times in decide(path, 1000)]

    # RFC 4737: a datagram is reordered when one that came later left before it.
    by_time = sorted(range(1000), key=lambda number: (leaves[number], number))
    overtaken = sum(number < latest for number, latest in zip(by_time, accumulate(by_time, max), strict=True))
    assert path.counters.reordered == overtaken > 200
    assert all(5 * MS <= time - number * SPACING_NS <= 15 * MS for number, time in enumerate(leaves))


def test_a_share_of_the_datagrams_is_held_back() -> None:
    leaves = [times[0] for times in decide(path_of(reorder_ms=10, reorder_percent=20), 5000)]

    assert sum(time != number * SPACING_NS for number, time in enumerate(leaves)) / 5000 == pytest.approx(0.2, abs=0.02)


def test_duplicates_leave_twice() -> None:
    path = path_of(duplicate_percent=10, delay_ms=3)
    decided = decide(path, 5000)

    assert {len(leaves) for leaves in decided} == {1, 2}
    assert sum(len(leaves) == 2 for leaves in decided) == path.counters.duplicated
    assert path.counters.duplicated / 5000 == pytest.approx(0.1, abs=0.015)


def test_a_periodic_outage_begins_after_its_period() -> None:
    path = path_of(outage={"every_s": 1, "for_ms": 100})
    lost_ms = [number for number in range(3000) if not path.decide(SIZE, number * MS)]

    assert lost_ms == [*range(1000, 1100), *range(2000, 2100)]
    assert path.counters.in_outage == 200


def test_losses_after_an_outage_are_those_without_it() -> None:
    whole = decide(path_of(loss_percent=5), 2000)
    path = path_of(loss_percent=5)
    path.cut(500 * SPACING_NS, 600 * SPACING_NS)
    broken = decide(path, 2000)

    assert all(not leaves for leaves in broken[500:600])
    assert broken[:500] + broken[600:] == whole[:500] + whole[600:]


def test_a_route_flap_raises_the_delay_and_takes_it_back() -> None:
    path = path_of(delay_ms=10, route_flap={"every_s": 1, "by_ms": 16})
    delays_ms = {second: (path.decide(SIZE, second * S)[0] - second * S) // MS for second in range(4)}

    assert delays_ms == {0: 10, 1: 26, 2: 10, 3: 26}


def test_a_delay_that_falls_does_not_reorder() -> None:
    path = path_of(delay_ms=100)
    before = path.decide(SIZE, 0)[0]
    path.change(DirectionImpairment(), at_ns=MS)

    assert path.decide(SIZE, 2 * MS) == (before,)


def test_a_rate_limit_queues_and_then_drops() -> None:
    path = path_of(rate_mbps=8, queue_ms=20)
    decided = decide(path, 100, size=972, spacing_ns=100_000)  # 1,000 bytes with headers: 1 ms each

    leaves = [times[0] for times in decided if times]
    assert {after - before for before, after in pairwise(leaves)} == {MS}
    assert path.counters.queue_full == 100 - len(leaves) > 60
    assert path.queue_ms(99 * 100_000) == pytest.approx(20, abs=1.1)


def test_a_datagram_above_the_mtu_is_lost() -> None:
    path = path_of(mtu_bytes=1360)

    assert path.decide(1332, 0)
    assert not path.decide(1333, 0)
    assert path.counters.too_large == 1


def test_time_does_not_run_back() -> None:
    path = path_of(delay_ms=1)

    assert path.decide(SIZE, 10 * MS) == (11 * MS,)
    assert path.decide(SIZE, 9 * MS) == (11 * MS,)


def test_both_directions_have_their_own_chance_and_one_beginning() -> None:
    same = DirectionImpairment(loss_percent=20)
    link = ImpairedLink(Impairment(seed=3, to_target=same, to_caller=same, events=[OutageEvent(at_s=1, for_ms=10)]))
    decided = {
        direction: [bool(link.decide(direction, SIZE, number * MS)) for number in range(1020)]
        for direction in ("to_target", "to_caller")
    }

    assert decided["to_target"] != decided["to_caller"]
    assert not any(decided["to_target"][1000:1010])
    assert not any(decided["to_caller"][1000:1010])


def test_an_outage_can_concern_one_direction() -> None:
    link = ImpairedLink(Impairment(events=[OutageEvent(at_s=0, for_ms=10, direction="to_caller")]))

    assert link.decide("to_target", SIZE, 0)
    assert not link.decide("to_caller", SIZE, 5 * MS)


def test_rebinding_is_due_once() -> None:
    link = ImpairedLink(Impairment(events=[RebindEvent(at_s=2)]))
    link.decide("to_target", SIZE, 0)

    assert [link.is_rebinding_due(second * S) for second in (1, 2, 3)] == [False, True, False]


def test_a_change_takes_effect_at_once_and_counts_its_outages_from_then() -> None:
    link = ImpairedLink(Impairment(to_target=DirectionImpairment(loss_percent=100)))
    assert not link.decide("to_target", SIZE, 0)

    outage = {"every_s": 1, "for_ms": 100}
    link.change(msgspec.convert({"to_target": {"outage": outage}}, Impairment), at_ns=5 * S)

    assert link.decide("to_target", SIZE, 5 * S)
    assert not link.decide("to_target", SIZE, 6 * S)
    assert link.decide("to_target", SIZE, 6 * S + 100 * MS)
