"""The relay as a worker: what it does to a real SRT stream, seen by the receiver and by the relay itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from app.domain.impairment.model import Impairment
from app.domain.spec import BarsSource, RelaySpec, Target
from app.protocol import Cut, Impair, Job
from tests.instruments.receivers import Receiver
from tests.instruments.waiting import free_port
from tests.instruments.worker import RunningWorker, job_for

CUT_MS = 2500


def relay_job(target_port: int, **impairment: Any) -> Job:
    spec = RelaySpec(
        listen_port=free_port(),
        target=Target("127.0.0.1", target_port),
        impairment=msgspec.convert(impairment, Impairment),
    )
    return Job(key="relay1", spec=spec, relay_targets="private")


@contextmanager
def relayed(latency_ms: int = 200, **impairment: Any) -> Iterator[tuple[RunningWorker, RunningWorker, int]]:
    """A sender of bars behind a relay: both workers and the port that a receiver calls."""
    port = free_port()
    job = relay_job(port, **impairment)
    assert isinstance(job.spec, RelaySpec)
    with (
        RunningWorker(job_for(BarsSource(), port=port, latency_ms=latency_ms)) as sender,
        RunningWorker(job) as relay,
    ):
        yield sender, relay, job.spec.listen_port


def test_a_stream_passes_a_relay_and_the_relay_counts_both_directions() -> None:
    way = {"delay_ms": 20}
    with relayed(to_target=way, to_caller=way) as (_, relay, port), Receiver.calling(port) as receiver:
        receiver.wait_for_seconds(2)
        sample = relay.wait_for_sample(lambda sample: sample.relay and sample.relay.to_caller.datagrams > 500)
        figures = receiver.finish()

    assert figures.rtt_ms == pytest.approx(40, abs=8)
    assert sample.relay is not None
    assert (sample.relay.callers, len(sample.peers)) == (1, 1)
    assert sample.relay.to_target.datagrams > 20
    assert sample.relay.to_caller.delayed == sample.relay.to_caller.datagrams
    assert sample.relay.to_caller.lost == sample.relay.to_target.lost == 0


@pytest.mark.precise
def test_jitter_that_keeps_the_order_makes_srt_repeat_nothing_and_reordering_does() -> None:
    with relayed(latency_ms=400) as (sender, relay, port), Receiver.calling(port, latency_ms=400) as receiver:
        receiver.wait_for_seconds(2)
        way = {"delay_ms": 20, "jitter_ms": 40}
        steady = repeated_percent(sender, relay, to_target=way, to_caller=way)
        little = repeated_percent(sender, relay, to_target=way, to_caller={**way, "reorder_ms": 1})
        reordering = repeated_percent(sender, relay, to_target=way, to_caller={**way, "reorder_ms": 2})
        sample = relay.wait_for_sample(lambda sample: sample.relay is not None)

    assert steady < 0.5
    # Datagrams are 1.3 ms apart unless the sender catches up: how many overtake within 1 ms depends on that.
    assert little > 0
    assert reordering > max(1, 4 * steady)
    assert sample.relay is not None
    assert sample.relay.to_caller.lost == 0
    assert sample.relay.to_caller.reordered > 100


def repeated_percent(sender: RunningWorker, relay: RunningWorker, **impairment: Any) -> float:
    """Return the retransmissions under another impairment, in percent of 1,500 packets."""
    relay.link.say(Impair(msgspec.convert(impairment, Impairment)))
    before = sender.wait_for_sample(lambda sample: True).point
    enough = before.packets_sent_unique_total + 1500
    after = sender.wait_for_sample(lambda sample: sample.point.packets_sent_unique_total > enough, deadline_s=20).point
    repeated = after.packets_retransmitted_total - before.packets_retransmitted_total
    return 100 * repeated / (after.packets_sent_unique_total - before.packets_sent_unique_total)


def test_an_outage_now_lets_nothing_pass() -> None:
    with relayed(latency_ms=600) as (_, relay, port), Receiver.calling(port, latency_ms=600) as receiver:
        receiver.wait_for_seconds(2)
        relay.link.say(Cut(CUT_MS))
        # A receiver without data acknowledges nothing; both ends send a keep-alive after a second of silence.
        relay.wait_for_sample(
            lambda sample: (
                sample.relay and sample.relay.to_caller.in_outage > 50 and sample.relay.to_target.in_outage > 0
            )
        )
        receiver.wait_for_seconds(6)
        receiver.finish()
        taken_ns = [arrival.taken_ns for arrival in receiver.arrivals()]

    # The buffer of 600 ms goes on for that long; nothing else reaches the receiver in the outage.
    assert max(after - before for before, after in pairwise(taken_ns)) > (CUT_MS - 600) * 0.9e6


def test_a_target_on_the_internet_is_refused_by_the_worker() -> None:
    job = msgspec.structs.replace(
        relay_job(9), spec=RelaySpec(listen_port=free_port(), target=Target("192.0.2.1", 10001))
    )
    with RunningWorker(job) as relay:
        relay.child.wait(deadline_s=10)
        ended = relay.last_word()

    assert ended is not None
    assert (ended.reason, "add it to RELAY_TARGETS" in ended.detail) == ("target_refused", True)
