"""What a relay does to each datagram, seen by a capture of both of its sides: as set, as decided, and as it reports."""

from __future__ import annotations

import math
import os
import signal
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from app.domain.figures.relay import LATE_SHARE_MAX, RelayFigures
from app.domain.impairment.link import DIRECTIONS, Direction
from app.domain.impairment.words import remarks
from app.engines.relay.loop import LATE_NS
from tests.instruments.relay_traffic import PUNCTUAL, Ends, Flows, Seen, ends_for, flows_of, send_both_ways
from tests.instruments.wire import Wire
from tests.instruments.worker import RunningWorker

HARSH_THERE = {
    "delay_ms": 20,
    "jitter_ms": 30,
    "loss_percent": 5,
    "duplicate_percent": 3,
    "outage": {"every_s": 0.5, "for_ms": 40},
}
HARSH_BACK = {
    "delay_ms": 5,
    "bursts": {"kind": "gilbert", "loss_percent": 4, "mean_burst": 5},
    "reorder_ms": 6,
    "reorder_percent": 20,
    "rate_mbps": 25,
    "queue_ms": 50,
    "route_flap": {"every_s": 0.4, "by_ms": 8},
}
RANDOM = {"delay_ms": 20, "jitter_ms": 8, "loss_percent": 5, "duplicate_percent": 3}
BURSTS = {
    "delay_ms": 10,
    "reorder_ms": 20,
    "reorder_percent": 20,
    "bursts": {"kind": "gilbert", "loss_percent": 4, "mean_burst": 5},
}
TURN_MS = 2  # the relay sends what is due once a millisecond; a busy machine adds to that


@dataclass(frozen=True)
class Observed:
    """The captures of both sides of a relay, and the relay's own figures."""

    ends: Ends
    flows: Flows
    figures: RelayFigures

    def seen(self) -> dict[Direction, Seen]:
        """Return the result of each datagram."""
        return self.ends.seen(self.flows)


@contextmanager
def held_up(pid: int, stop_s: float) -> Iterator[None]:
    """Stop a process for so long, again and again, as a busy machine does."""
    ended = threading.Event()

    def hold() -> None:
        while stop_s and not ended.wait(0.4):
            os.kill(pid, signal.SIGSTOP)
            ended.wait(stop_s)
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def observe(count: int, *, a_millisecond: int = 2, seed: int = 7, stop_s: float = 0, **impairment: Any) -> Observed:
    """Send so many datagrams each way through a relay worker, which stops for so long now and then."""
    with (
        ends_for(seed=seed, **impairment) as ends,
        Wire(ends.ports) as wire,
        RunningWorker(ends.job(), argv=PUNCTUAL) as relay,
    ):
        relay.wait_for_sample(lambda _: True)
        ends.greet()
        with held_up(relay.child.pid, stop_s):
            send_both_ways(ends, count, a_millisecond=a_millisecond)
        relay.wait_for_sample(
            lambda sample: (
                sample.relay and sample.relay.to_target.datagrams + sample.relay.to_caller.datagrams > 2 * count
            )
        )
        last = relay.wait_for_sample(lambda _: True).relay  # a second later: longer than any delay here
        assert last is not None
        return Observed(ends, flows_of(wire.packets()), last)


@pytest.mark.precise
def test_every_datagram_leaves_when_the_schedule_decides() -> None:
    observed = observe(3000, to_target=HARSH_THERE, to_caller=HARSH_BACK)

    for errors_ms in observed.ends.errors_ms(observed.flows).values():
        assert len(errors_ms) > 2000
        # Never before it is due; later only by the relay's turn and what a busy machine adds.
        assert 0 <= min(errors_ms) <= statistics.median(errors_ms) < TURN_MS


def test_the_same_seed_takes_the_same_datagrams_in_both_directions_and_another_seed_others() -> None:
    taken = []
    for seed in (7, 7, 8):
        seen = observe(1500, seed=seed, to_target=RANDOM, to_caller=BURSTS).seen()
        taken.append({way: [(each.number, len(each.left_ns)) for each in seen[way].passages] for way in DIRECTIONS})

    assert taken[0] == taken[1]
    assert all(taken[0][direction] != taken[2][direction] for direction in DIRECTIONS)


def test_a_relay_that_the_machine_holds_up_counts_what_leaves_late_as_the_capture_does() -> None:
    way = {"delay_ms": 20}
    observed = observe(4000, stop_s=0.1, to_target=way, to_caller=way)

    errors_ms = [error for errors in observed.ends.errors_ms(observed.flows).values() for error in errors]
    late = sum(error > LATE_NS / 1e6 for error in errors_ms)
    # Held up for a fifth of the time: so much of what leaves is late, and a rehearsal calls the machine busy.
    assert late > 0.1 * len(errors_ms)
    assert observed.figures.late == pytest.approx(late, rel=0.05)
    assert observed.figures.late > LATE_SHARE_MAX * observed.figures.relayed()
    assert "This machine is busy" in remarks(observed.figures)[0]


@pytest.mark.parametrize(("there", "back"), [(RANDOM, BURSTS), (BURSTS, RANDOM)], ids=["random", "bursts"])
def test_the_capture_measures_what_was_set_and_the_relay_reports_what_was_captured(
    there: dict[str, Any], back: dict[str, Any]
) -> None:
    assert_as_set(there, back, count=8_000)


@pytest.mark.campaign
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("there", "back"), [(RANDOM, BURSTS), (BURSTS, RANDOM)], ids=["random", "bursts"])
def test_the_capture_measures_what_was_set_within_five_percent(there: dict[str, Any], back: dict[str, Any]) -> None:
    # 3 sigma of these counts are below 5 %: three sigma of a mean burst length need 3,000 bursts.
    assert_as_set(there, back, count=400_000, a_millisecond=4, deviations=0)


def assert_as_set(
    there: dict[str, Any], back: dict[str, Any], *, count: int, a_millisecond: int = 2, deviations: float = 3
) -> None:
    """Within 5 %, or so many standard deviations of a count as small as this one."""
    observed = observe(count, a_millisecond=a_millisecond, to_target=there, to_caller=back)
    seen, figures = observed.seen(), observed.figures
    ways: dict[Direction, dict[str, Any]] = {"to_target": there, "to_caller": back}
    for direction, way in ways.items():
        captured = seen[direction]
        reported = figures.to_target if direction == "to_target" else figures.to_caller
        delays_ms = observed.ends.delays_ms(observed.flows, direction, late_ms_most=TURN_MS)
        assert len(delays_ms) > count / 2, "this machine was too busy to measure a delay"
        if "bursts" in way:
            assert_bursts(captured, way, count, deviations)
            assert_held_back(delays_ms, way, deviations)
        else:
            assert_random(captured, way, count, deviations)
            assert_jitter(delays_ms, way, deviations, lasting_ms=count / a_millisecond)
        assert reported.datagrams == count + (direction == "to_target")  # the handshake
        assert (reported.lost, reported.duplicated) == (captured.lost(), captured.duplicated())
        assert reported.reordered == captured.overtaken()
        assert reported.by_chance == reported.lost


def assert_random(captured: Seen, way: dict[str, Any], count: int, deviations: float) -> None:
    """Random loss and duplicates, in order."""
    assert_share(captured.lost(), count, way["loss_percent"], deviations)
    assert_share(captured.duplicated(), count - captured.lost(), way["duplicate_percent"], deviations)
    assert captured.overtaken() == 0


def assert_jitter(delays_ms: list[float], way: dict[str, Any], deviations: float, *, lasting_ms: float) -> None:
    """A delay that moves over the whole width of the jitter."""
    mean_ms = way["delay_ms"] + way["jitter_ms"] / 2
    # The jitter takes about 4 ms for each ms of its width from one turn to the next: so many means are independent.
    independent = lasting_ms / (4 * way["jitter_ms"])
    sigma_ms = way["jitter_ms"] / math.sqrt(12 * independent)
    assert statistics.mean(delays_ms) == pytest.approx(mean_ms, abs=max(0.05 * mean_ms, deviations * sigma_ms))
    assert way["delay_ms"] <= min(delays_ms) < way["delay_ms"] + 1
    assert quantile(delays_ms, 0.95) - quantile(delays_ms, 0.05) == pytest.approx(0.9 * way["jitter_ms"], abs=1.2)


def assert_bursts(captured: Seen, way: dict[str, Any], count: int, deviations: float) -> None:
    """Loss in bursts, and datagrams that were overtaken."""
    mean, bursts = way["bursts"]["mean_burst"], captured.bursts()
    # A geometric length of that mean has a variance of mean x (mean - 1); the share lost varies as the bursts do.
    sigma = math.sqrt(mean * (mean - 1) / len(bursts))
    assert statistics.mean(bursts) == pytest.approx(mean, abs=max(0.05 * mean, deviations * sigma))
    share = way["bursts"]["loss_percent"] / 100
    share_sigma = math.sqrt(share * (1 - share) * (2 * mean - 1) / count)
    assert captured.lost() / count == pytest.approx(share, abs=max(0.05 * share, deviations * share_sigma))
    assert captured.overtaken() > 0.1 * count


def assert_held_back(delays_ms: list[float], way: dict[str, Any], deviations: float) -> None:
    """The share of the datagrams that is held back beyond a turn of the relay."""
    held_back = sum(delay > way["delay_ms"] + TURN_MS for delay in delays_ms)
    assert_share(held_back, len(delays_ms), way["reorder_percent"] * (1 - TURN_MS / way["reorder_ms"]), deviations)


def assert_share(found: int, of: int, percent: float, deviations: float) -> None:
    """A count against the share that was set, within 5 % or so many standard deviations."""
    share = percent / 100
    sigma = math.sqrt(share * (1 - share) / of)
    assert found / of == pytest.approx(share, abs=max(0.05 * share, deviations * sigma))


def quantile(values: list[float], part: float) -> float:
    """Return the value below which this part of the values lies."""
    return sorted(values)[int(part * (len(values) - 1))]
