"""Checks "Lost at receiver (est.)": compares the sender's estimate with the count of an independent receiver.

Each case is a path of known loss and delay (a seeded relay) with a latency and an overhead. The receiver counts the SRT
sequence numbers that it never delivered. The sender's estimate is the median of its samples. The estimate must be
within a factor of 3 of the count, given the uncertainty of the count (95 %, Poisson), and must not be rated good if
more than 1e-4 is missing. Prints the table of docs/statistics.md.

Packets that were on their way while a busy machine delayed the relay or an end are not counted, lost or not.

    python benchmarks/receiver_loss.py [--seconds 15] [--rtt-ms 40] [--seed 1] [--losses 1,3,6,8] [--overheads 5,25]
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.domain.receiver_loss import LOST_FAULT, UNCERTAINTY_FACTOR
from app.domain.verdict import Severity, loss_severity
from tests.instruments.residual_loss import Case, Residue, measure
from tests.instruments.sample import make_sample

MULTIPLIERS = (1.0, 1.5, 2.0, 3.0)


def cases(losses: list[float], overheads: list[int], *, rtt_ms: int, seconds: int, seed: int) -> Iterator[Case]:
    """Yield the case of every row of the table."""
    for overhead in overheads:
        for k in MULTIPLIERS:
            for loss in losses:
                yield Case(loss, rtt_ms, round(k * rtt_ms), overhead, seconds, seed)


def estimated(run: Residue) -> float:
    """Return the sender's estimate: the median over its samples."""
    losses = [sample.point.lost_at_receiver for sample in run.samples if sample.point.lost_at_receiver is not None]
    return median(losses)


def range_of(lost: int, packets: int, deviations: float = 2.0) -> tuple[float, float]:
    """Return the lowest and highest loss fraction that agree with a count of lost packets, with 95 % by default.

    The square root of a Poisson count has a standard deviation of one half, independent of its mean.
    """
    low = max(0.0, math.sqrt(lost) - deviations / 2) ** 2
    high = (math.sqrt(lost + 1) + deviations / 2) ** 2
    return low / max(1, packets), high / max(1, packets)


def holds(run: Residue, *, deviations: float = 2.0) -> bool:
    """Whether the estimate is within the factor of the count, and is not rated good when the loss is a fault."""
    low, high = range_of(run.lost, run.packets, deviations)
    estimate = estimated(run)
    is_near = low / UNCERTAINTY_FACTOR <= estimate <= max(high * UNCERTAINTY_FACTOR, LOST_FAULT)
    return is_near and not (low > LOST_FAULT and loss_severity(estimate) is Severity.GOOD)


def main() -> int:
    """Run every case and print a row for each. Return 1 if an estimate does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--rtt-ms", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--losses", default="1,3,6,8")
    parser.add_argument("--overheads", default="5,25")
    asked = parser.parse_args()
    losses = [float(loss) for loss in asked.losses.split(",")]
    overheads = [int(overhead) for overhead in asked.overheads.split(",")]
    print("| Overhead | Latency / RTT | Loss | Packets | Missing | Counted | Estimated | Left out | |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---|")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        sample = make_sample(Path(folder) / "sample.ts")
        for case in cases(losses, overheads, rtt_ms=asked.rtt_ms, seconds=asked.seconds, seed=asked.seed):
            run = measure(case, sample)
            is_true = holds(run)
            failed += not is_true
            print(
                f"| {case.overhead_percent} % | {case.latency_ms / case.rtt_ms:g} | {case.loss_percent:g} % "
                f"| {run.packets} | {run.lost} | {run.lost / run.packets:.1e} | {estimated(run):.1e} "
                f"| {run.left_out} | {'holds' if is_true else 'DOES NOT HOLD'} |",
                flush=True,
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
