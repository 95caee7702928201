"""Checks the predictions of the recommendation: sends streams over a path of known loss and delay.

Each loss (1, 3, 5, 10 %) is measured at 2, 3 and 4 x RTT, and at the settings that the product recommends for it. The
residual loss is counted from SRT sequence numbers and compared with the prediction. It must be within a factor of 4
(plus or minus 1e-4), and at most 1e-4 at the recommended settings. Prints the table of docs/recommendation.md.

Packets that were on their way while a busy machine delayed the relay or an end are not counted, lost or not.

    python benchmarks/recommendation_matrix.py [--packets 30000] [--seconds 45] [--rtt-ms 100] [--seed 1]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.domain.advice.recommendation import Basis, Figure, Link, overhead_for, recommend, residual_loss
from tests.instruments.residual_loss import Case, Residue, measure
from tests.instruments.sample import BITRATE_BPS, make_sample

LOSSES_PERCENT = (1.0, 3.0, 5.0, 10.0)
MULTIPLIERS = (2, 3, 4)
FACTOR_ALLOWED = 4
RESIDUE_ALLOWED = 1e-4
RUNS_ALLOWED = 6


def cases(rtt_ms: int, seconds: int, seed: int) -> Iterator[tuple[str, Case]]:
    """Yield the name and the case of every row of the table."""
    for loss_percent in LOSSES_PERCENT:
        for k in MULTIPLIERS:
            yield f"{k} × RTT", Case(loss_percent, rtt_ms, k * rtt_ms, overhead_for(k, loss_percent), seconds, seed)
        yield "recommended", recommended(loss_percent, rtt_ms, seconds, seed)


def recommended(loss_percent: float, rtt_ms: int, seconds: int, seed: int) -> Case:
    """Return the case with the settings that the product recommends for this path."""
    link = Link(
        Figure(rtt_ms, Basis.MEASURED, "the relay"), BITRATE_BPS, Figure(loss_percent, Basis.MEASURED, "the relay")
    )
    settings = recommend(link).recommended
    return Case(loss_percent, rtt_ms, settings.latency_ms, settings.overhead_percent, seconds, seed)


def predicted(case: Case) -> float:
    """Return the residual loss that the product predicts, as a fraction."""
    return residual_loss(case.loss_percent / 100, case.latency_ms / case.rtt_ms)


def fraction_lost(runs: list[Residue]) -> float:
    """Return the residual loss over all runs, as a fraction."""
    return sum(run.lost for run in runs) / sum(run.packets for run in runs)


def holds(name: str, case: Case, lost: float) -> bool:
    """Whether the measured residual loss agrees with the prediction, within the allowed deviation."""
    if name == "recommended":
        return lost <= RESIDUE_ALLOWED
    high = FACTOR_ALLOWED * predicted(case) + RESIDUE_ALLOWED
    low = predicted(case) / FACTOR_ALLOWED - RESIDUE_ALLOWED
    return low <= lost <= high


def measure_until(packets: int, case: Case, sample: Path, *, runs: int) -> list[Residue]:
    """Run the case with different seeds until at least `packets` packets are counted, at most `runs` times."""
    done: list[Residue] = []
    for number in range(runs):
        done.append(measure(replace(case, seed=case.seed + number), sample))
        if sum(run.packets for run in done) >= packets:
            break
    return done


def main() -> int:
    """Run every case and print a row for each. Return 1 if a prediction does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=45, help="of each run")
    parser.add_argument("--packets", type=int, default=30_000, help="that must count in each row")
    parser.add_argument("--rtt-ms", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print("| Loss | Latency | Overhead | Packets | Lost for good | Measured | Predicted | Left out | |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---|")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        sample = make_sample(Path(folder) / "sample.ts")
        for name, case in cases(asked.rtt_ms, asked.seconds, asked.seed):
            runs = measure_until(asked.packets, case, sample, runs=RUNS_ALLOWED)
            packets, left_out = sum(run.packets for run in runs), sum(run.left_out for run in runs)
            if packets < asked.packets:
                print(f"| {case.loss_percent:g} % | {name} | | {packets} | | | | {left_out} | machine too busy |")
                failed += 1
                continue
            lost = fraction_lost(runs)
            good = holds(name, case, lost)
            failed += not good
            print(
                f"| {case.loss_percent:g} % | {name}, {runs[0].latency_ms} ms | {case.overhead_percent} % "
                f"| {packets} | {sum(run.lost for run in runs)} | {lost:.1e} | {predicted(case):.1e} "
                f"| {left_out} | {'holds' if good else 'DOES NOT HOLD'} |",
                flush=True,
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
