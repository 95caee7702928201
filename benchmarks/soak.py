"""A soak test of an hour with one receiver per stream: memory, files, threads, drops and errors each minute.

The product runs with one open dashboard. After a warm-up of five minutes (at most a quarter of the run), the slope of
the memory counts. The history of an hour may grow: its memory is measured, reported and subtracted. Ends with status 1
if a limit is exceeded.

    python benchmarks/soak.py [--minutes 60] [--streams 10] [--bitrate 2000000]
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.instruments.product import Product
from tests.instruments.sample import make_sample
from tests.instruments.soak import Moment, Plan, Result, history_cost_mb, soak, what_is_wrong

# The growth of memory per hour that is allowed in addition to the history, because the heap varies.
WORKER_GROWTH_MB = 1.0
WEB_GROWTH_MB = 6.0
WARM_UP_S = 300
FILE_S = 60
_TABLE = (
    ("min", 6),
    ("worker MB", 10),
    ("max MB", 8),
    ("web MB", 8),
    ("worker %", 9),
    ("web %", 7),
    ("files", 6),
    ("threads", 8),
    ("drops rx", 9),
    ("drops tx", 9),
    ("errors", 7),
    ("restarts", 9),
    ("on air", 7),
    ("page ms", 8),
    ("load", 6),
)


def show(*cells: str) -> None:
    """Print a row of the table immediately."""
    print("".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, _TABLE, strict=True)), flush=True)


def notify(moment: Moment) -> None:
    """Print the row of a measurement."""
    show(
        f"{moment.at_s / 60:.1f}",
        f"{statistics.mean(moment.worker_pss_mb):.2f}",
        f"{max(moment.worker_pss_mb):.2f}",
        f"{moment.web_pss_mb:.2f}",
        f"{moment.worker_cpu_percent:.2f}",
        f"{moment.web_cpu_percent:.1f}",
        *(str(count) for count in (moment.files, moment.threads, moment.drops_received, moment.drops_reported)),
        *(str(count) for count in (moment.errors, moment.restarts, moment.delivering)),
        f"{moment.slowest_page_ms:.0f}",
        f"{os.getloadavg()[0]:.1f}",
    )


def judge(result: Result) -> int:
    """Print the totals and the verdict, and return the exit status."""
    packets = sum(figures.packets for figures in result.receivers)
    received_mb = sum(figures.bytes for figures in result.receivers) / 1e6
    pause_ms = max(figures.longest_pause_ms for figures in result.receivers)
    print(f"received: {packets} SRT packets, {received_mb:.0f} MB; longest pause between two {pause_ms:.0f} ms")
    history_worker_mb, history_web_mb = history_cost_mb()
    worker_mb, web_mb = result.growth_mb_an_hour()
    web_history_mb = history_web_mb * result.plan.streams
    print(f"growth an hour: workers {worker_mb:.2f} MB, of which history {history_worker_mb:.2f} MB")
    print(f"growth an hour: web process {web_mb:.2f} MB, of which history {web_history_mb:.2f} MB")
    wrong = what_is_wrong(result, worker_growth_mb=WORKER_GROWTH_MB, web_growth_mb=WEB_GROWTH_MB)
    print("\n".join(f"FAILED: {sentence}" for sentence in wrong) or "passed: no limit was reached")
    return 1 if wrong else 0


def main() -> int:
    """Run the soak test. Return 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("--bitrate", type=int, default=2_000_000, help="of each stream, bit/s")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that streams and receivers end with this process
    seconds = asked.minutes * 60
    plan = Plan(asked.streams, seconds, min(60, seconds / 12), min(WARM_UP_S, seconds / 4))
    with tempfile.TemporaryDirectory() as folder:
        sample = make_sample(Path(folder) / "sample.ts", seconds=FILE_S, bitrate_bps=asked.bitrate)
        mbps = sample.stat().st_size * 8 / FILE_S / 1e6
        print(f"{asked.streams} streams of {mbps:.2f} Mb/s for {asked.minutes:g} minutes; PSS in MB of 2^20")
        show(*(heading for heading, _ in _TABLE))
        with Product(sample, MAX_STREAMS=str(asked.streams)) as product:
            return judge(soak(product, plan, notify))


if __name__ == "__main__":
    sys.exit(main())
