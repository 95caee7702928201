"""Measures whether open dashboards affect streams: ten streams with none, thirty and again no dashboards.

A dashboard here opens the page as a browser does and then sends the requests of the page's script, at its interval and
with its headers. The three phases are compared within one run and on the same SRT connections. The pace is computed
from the origin times in the SRT packets, so the receivers' scheduling has no effect.

    python benchmarks/dashboards.py [--dashboards 30] [--seconds 30]
"""

from __future__ import annotations

import argparse
import bisect
import contextlib
import itertools
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.instruments.audience import Viewer, audience
from tests.instruments.dashboard import INTERVAL_S, Dashboard, Poll
from tests.instruments.processes import cpu_s
from tests.instruments.product import Product
from tests.instruments.sample import make_sample
from tests.instruments.ts_reader import read_ts

PACE_RATIO_ALLOWED = 1.2
_STREAMS = 10
_SETTLE_S = 5
_SEQUENCE_NUMBERS = 1 << 31  # SRT, draft-sharabayko-srt, 3.1: 31 bits


@dataclass
class Phase:
    """A part of the run: the CPU of the processes in percent of a core, and the packets that the receivers got."""

    name: str
    start_ns: int = 0
    end_ns: int = 0
    load: float = 0.0
    worker_cpu_percent: float = 0.0
    web_cpu_percent: float = 0.0
    drops_reported: int = 0
    packets: int = 0
    missing: int = 0
    continuity_errors: int = 0
    gaps_ms: list[float] = field(default_factory=list)
    polls: list[Poll] = field(default_factory=list)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the percentile of the values, or NaN if there are none."""
    return sorted(values)[len(values) * percent // 100] if values else math.nan


def dropped_of(product: Product) -> int:
    """Return the number of dropped packets that the product reports."""
    return sum(view["totals"]["packets_dropped"] for view in product.streams())


@contextlib.contextmanager
def measured(product: Product, viewers: list[Viewer], phase: Phase) -> Iterator[None]:
    """Record in `phase` the CPU of the processes and the drops that the product reports while the block runs."""
    pids = [viewer.worker_pid for viewer in viewers]
    dropped, web_s, workers_s = dropped_of(product), cpu_s(product.web.pid), sum(map(cpu_s, pids))
    phase.start_ns, start = time.time_ns(), time.monotonic()
    yield
    took_s = time.monotonic() - start
    phase.end_ns, phase.load = time.time_ns(), os.getloadavg()[0]
    phase.web_cpu_percent = 100 * (cpu_s(product.web.pid) - web_s) / took_s
    phase.worker_cpu_percent = 100 * (sum(map(cpu_s, pids)) - workers_s) / took_s / len(pids)
    phase.drops_reported = dropped_of(product) - dropped


def run(product: Product, viewers: list[Viewer], phase: Phase, *, dashboards: int, seconds: int) -> None:
    """Measure the streams for `seconds` while `dashboards` are open. The first _SETTLE_S seconds do not count."""
    with contextlib.ExitStack() as stack:
        delays_s = [INTERVAL_S * number / dashboards for number in range(dashboards)]
        opened = [stack.enter_context(Dashboard(product.port, delay_s=delay_s)) for delay_s in delays_s]
        time.sleep(_SETTLE_S)
        before = [len(dashboard.polls) for dashboard in opened]
        with measured(product, viewers, phase):
            time.sleep(seconds)
        phase.polls = [
            poll for dashboard, count in zip(opened, before, strict=True) for poll in dashboard.polls[count:]
        ]


def judge(viewer: Viewer, phases: list[Phase]) -> None:
    """End a receiver and add its messages to the phases. The time when a message was taken decides its phase."""
    viewer.receiver.finish()
    arrivals = viewer.receiver.arrivals()
    ends = list(itertools.accumulate(arrival.bytes for arrival in arrivals))
    report = read_ts(viewer.receiver.payload.read_bytes())
    broken = [bisect.bisect(ends, 188 * index) for pid in report.pids.values() for index in pid.continuity_errors]
    taken_ns = [arrival.taken_ns for arrival in arrivals]
    for phase in phases:
        first, last = bisect.bisect(taken_ns, phase.start_ns), bisect.bisect(taken_ns, phase.end_ns)
        part = arrivals[first:last]
        phase.packets += len(part)
        phase.missing += (part[-1].sequence - part[0].sequence) % _SEQUENCE_NUMBERS + 1 - len(part)
        phase.continuity_errors += sum(first <= index < last for index in broken)
        phase.gaps_ms += [(after.due_us - before.due_us) / 1000 for before, after in itertools.pairwise(part)]


def figures(phase: Phase) -> dict[str, float]:
    """Return the printed figures of a phase by name."""
    took_ms = [poll.took_ms for poll in phase.polls]
    return {
        "load average": phase.load,
        "polls": len(took_ms),
        "poll median, ms": percentile(took_ms, 50),
        "poll p95, ms": percentile(took_ms, 95),
        "poll, bytes": percentile([poll.bytes for poll in phase.polls], 50),
        "web process, % of a core": phase.web_cpu_percent,
        "a worker, % of a core": phase.worker_cpu_percent,
        "packets received": phase.packets,
        "packets missing": phase.missing,
        "drops reported": phase.drops_reported,
        "continuity errors": phase.continuity_errors,
        "pace, median gap, ms": percentile(phase.gaps_ms, 50),
        "pace, p99 gap, ms": percentile(phase.gaps_ms, 99),
        "pace, longest gap, ms": max(phase.gaps_ms),
    }


def show(phases: list[Phase]) -> None:
    """Print a table with one column for each phase."""
    columns = [figures(phase) for phase in phases]
    print(f"{'':26}" + "".join(f"{phase.name:>16}" for phase in phases))
    for name in columns[0]:
        cells = [f"{column[name]:.2f}" if isinstance(column[name], float) else str(column[name]) for column in columns]
        print(f"{name:26}" + "".join(f"{cell:>16}" for cell in cells))


def main() -> int:
    """Run the three phases. Return 1 if the dashboards affect the streams."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dashboards", type=int, default=30)
    parser.add_argument("--seconds", type=int, default=30)
    asked = parser.parse_args()
    none, many, again = phases = [Phase("none"), Phase(f"{asked.dashboards} dashboards"), Phase("none again")]
    with tempfile.TemporaryDirectory() as folder:
        sample = make_sample(Path(folder) / "sample.ts", seconds=20)
        with Product(sample, MAX_STREAMS=str(_STREAMS)) as product, audience(product, _STREAMS) as viewers:
            for phase in phases:
                run(product, viewers, phase, dashboards=asked.dashboards * (phase is many), seconds=asked.seconds)
            for viewer in viewers:
                judge(viewer, phases)
    show(phases)
    pace = percentile(many.gaps_ms, 99) / max(percentile(phase.gaps_ms, 99) for phase in (none, again))
    untouched = not (many.missing or many.drops_reported or many.continuity_errors) and pace <= PACE_RATIO_ALLOWED
    cost = many.worker_cpu_percent / statistics.mean(phase.worker_cpu_percent for phase in (none, again))
    print(
        f"with dashboards against without: p99 gap {pace:.2f} (allowed {PACE_RATIO_ALLOWED}), a worker's CPU {cost:.2f}"
    )
    print("the streams are untouched" if untouched else "the streams are NOT untouched")
    return 0 if untouched else 1


if __name__ == "__main__":
    sys.exit(main())
