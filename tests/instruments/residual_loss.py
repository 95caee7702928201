"""How many packets a receiver never gets: a stream of the product through a path of known loss and delay."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from app.domain.spec import FileSource
from tests.instruments.receivers import Receiver
from tests.instruments.relay import Relay
from tests.instruments.waiting import free_port
from tests.instruments.worker import RunningWorker, order_for

# libsrt estimates the input rate, and with it the cap, in the first seconds.
_SETTLING_S = 5
_SEQUENCE_NUMBERS = 1 << 31


@dataclass(frozen=True)
class Case:
    """One run: a path, the stream's settings on it, and how long to count."""

    loss_percent: float
    rtt_ms: int
    latency_ms: int
    overhead_percent: int
    seconds: int
    seed: int = 1


@dataclass(frozen=True)
class Residue:
    """What remained lost. `packets` were owed to the receiver; the relay took `loss_percent` of what it was given.

    `gaps` are the holes: seconds since the first packet, packets in a row. `late_ms` is the delay that the relay itself
    added at worst, on a busy machine: then the path was not the one asked for.
    """

    packets: int
    lost: int
    loss_percent: float
    latency_ms: int
    gaps: tuple[tuple[float, int], ...]
    late_ms: float

    @property
    def residual_loss(self) -> float:
        """The fraction of packets that never came."""
        return self.lost / self.packets


def measure(case: Case, sample: Path) -> Residue:
    """Send `sample` through the path and count the sequence numbers that the receiver never handed out."""
    port = free_port()
    order = order_for(
        FileSource(path=sample.name, loop=True),
        port=port,
        file_path=sample,
        latency_ms=case.latency_ms,
        overhead_percent=case.overhead_percent,
    )
    with (
        RunningWorker(order),
        Relay(port, loss_to_caller=case.loss_percent, rtt_ms=case.rtt_ms, seed=case.seed) as relay,
        # The higher latency of the two ends counts, so that this one must not be higher.
        Receiver.calling(relay.port, latency_ms=case.latency_ms) as receiver,
    ):
        receiver.wait_for_seconds(_SETTLING_S + case.seconds, deadline_s=_SETTLING_S + case.seconds + 30)
        counts, late_ms = relay.counts()["to_caller"], relay.late_ms()
        figures = receiver.finish()
        arrivals = receiver.arrivals()
    settled_ns = arrivals[0].taken_ns + _SETTLING_S * 1_000_000_000
    counted = [arrival for arrival in arrivals if arrival.taken_ns >= settled_ns]
    gaps = tuple(
        ((after.taken_ns - arrivals[0].taken_ns) / 1e9, missing)
        for before, after in pairwise(counted)
        if (missing := (after.sequence - before.sequence - 1) % _SEQUENCE_NUMBERS)
    )
    lost = sum(missing for _, missing in gaps)
    return Residue(len(counted) + lost, lost, counts.dropped_percent(), figures.latency_ms, gaps, late_ms)
