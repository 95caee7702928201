"""Measures how many packets a receiver never gets when the product sends over a path of known loss and delay."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from app.domain.figures.sample import Sample
from app.domain.spec import FileSource
from tests.instruments.receivers import Arrival, Receiver
from tests.instruments.relay import Relay
from tests.instruments.waiting import free_port
from tests.instruments.worker import RunningWorker, job_for

# libsrt estimates the input rate, and with it the cap, in the first seconds.
_SETTLING_S = 5
_SEQUENCE_NUMBERS = 1 << 31


@dataclass(frozen=True)
class Case:
    """One run: the path, the settings of the stream, and the duration."""

    loss_percent: float
    rtt_ms: int
    latency_ms: int
    overhead_percent: int
    seconds: int
    seed: int = 1


@dataclass(frozen=True)
class Residue:
    """The packets that remained lost, and the circumstances.

    `packets` is the number that the receiver should have got, `lost` the number that it did not get. `loss_percent` is
    the share of the data packets that the relay dropped. `left_out` packets are not counted, whether they arrived or
    not: they were on their way while a busy machine delayed the relay or one of the ends, so that the path was not the
    requested one. `latency_ms` is the latency that the receiver reports. `samples` are those of the sender.
    """

    packets: int
    lost: int
    left_out: int
    loss_percent: float
    latency_ms: int
    samples: tuple[Sample, ...] = ()


def measure(case: Case, sample: Path) -> Residue:
    """Send `sample` over the path and count the sequence numbers that the receiver never delivered."""
    port = free_port()
    order = job_for(
        FileSource(path=sample.name, loop=True),
        port=port,
        file_path=sample,
        latency_ms=case.latency_ms,
        overhead_percent=case.overhead_percent,
    )
    with (
        RunningWorker(order) as worker,
        Relay(port, loss_to_caller=case.loss_percent, rtt_ms=case.rtt_ms, seed=case.seed) as relay,
        # SRT uses the higher latency of the two ends, so the receiver's must not exceed the sender's.
        Receiver.calling(relay.port, latency_ms=case.latency_ms) as receiver,
    ):
        link = worker.link
        receiver.wait_for_seconds(_SETTLING_S + case.seconds, deadline_s=_SETTLING_S + case.seconds + 30)
        loss_percent, disturbed_ns = relay.counts()["to_caller"].dropped_percent(), relay.disturbances_ns()
        samples = [sample for sample in link.heard(Sample) if sample.peers][_SETTLING_S:]
        figures = receiver.finish()
        arrivals = receiver.arrivals()
    settled_ns = arrivals[0].taken_ns + _SETTLING_S * 1_000_000_000
    settled = [arrival for arrival in arrivals if arrival.taken_ns >= settled_ns]
    # A packet is sent, lost and requested again within the latency. A request takes another RTT to have an effect.
    reach_ns = (case.latency_ms + 2 * case.rtt_ms) * 1_000_000
    packets, lost, left_out = count(settled, disturbed_ns, reach_ns)
    return Residue(packets, lost, left_out, loss_percent, figures.latency_ms, tuple(samples))


def count(arrivals: Sequence[Arrival], disturbed_ns: Sequence[int], reach_ns: int) -> tuple[int, int, int]:
    """Return the numbers of packets expected, packets missing, and packets left out.

    Packets within `reach_ns` of a disturbance are left out of the other two numbers.
    """
    packets = lost = left_out = 0
    for before, after in pairwise(arrivals):
        owed = (after.sequence - before.sequence) % _SEQUENCE_NUMBERS
        nearest = bisect_left(disturbed_ns, after.taken_ns - reach_ns)
        if nearest < len(disturbed_ns) and disturbed_ns[nearest] <= after.taken_ns + reach_ns:
            left_out += owed
        else:
            packets += owed
            lost += owed - 1
    return packets, lost, left_out
