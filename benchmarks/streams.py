"""Measures ten streams with one receiver each: drops, memory and CPU of the workers, and the response time of the API.

Before and after each round, the same number of `gst-launch-1.0 filesrc ! tsparse ! srtsink` processes runs with the
same kind of receivers. This is the reference for CPU, because the cost of the same work on a virtual machine drifts by
a fifth within minutes. The ratio is the median over the rounds. Times are user + system from /proc/PID/stat, memory is
PSS from smaps_rollup.

    python benchmarks/streams.py [--streams 10] [--seconds 60] [--rounds 3]
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.instruments.child import Child
from tests.instruments.processes import cpu_s, pss_mb
from tests.instruments.product import Product
from tests.instruments.receivers import Receiver
from tests.instruments.sample import make_sample
from tests.instruments.waiting import free_ports

CPU_ALLOWED = 1.15
PSS_MB_ALLOWED = 20.0
_PLAIN = (
    "gst-launch-1.0 -q filesrc location={sample} ! "
    "tsparse set-timestamps=true alignment=7 smoothing-latency=30000 ! "
    "srtsink wait-for-connection=false uri=srt://127.0.0.1:{port}?mode=listener&latency=200"
)


@dataclass(frozen=True)
class Cost:
    """The cost of the senders while they served all receivers. CPU in percent of a core and PSS in MB, by sender."""

    cpu_percent: list[float]
    pss_mb: list[float]
    dropped: int
    received_bytes: int
    api_ms: list[float]


def observe(pids: list[int], ports: list[int], seconds: int, product: Product | None) -> Cost:
    """Connect a receiver to each port, let it settle for 5 s, and measure for `seconds`."""
    with ExitStack() as stack:
        receivers = [stack.enter_context(Receiver.calling(port, latency_ms=200)) for port in ports]
        for receiver in receivers:
            receiver.wait_for_seconds(5, deadline_s=40)
        before, start = [cpu_s(pid) for pid in pids], time.monotonic()
        api_ms: list[float] = []
        while time.monotonic() - start < seconds:
            if product is not None:
                api_ms.append(product.get("/api/streams").took_s * 1000)
            time.sleep(1)
        took_s = time.monotonic() - start
        cpu = [100 * (cpu_s(pid) - earlier) / took_s for pid, earlier in zip(pids, before, strict=True)]
        memory = [pss_mb(pid) for pid in pids]
        figures = [receiver.finish() for receiver in receivers]
    return Cost(cpu, memory, sum(one.packets_dropped for one in figures), sum(one.bytes for one in figures), api_ms)


def plain(sample: Path, streams: int, seconds: int) -> Cost:
    """Measure gst-launch with the same number of streams."""
    ports = list(free_ports(streams))
    with ExitStack() as stack:
        senders = [stack.enter_context(Child(shlex.split(_PLAIN.format(sample=sample, port=port)))) for port in ports]
        return observe([sender.pid for sender in senders], ports, seconds, None)


def ours(sample: Path, streams: int, seconds: int) -> Cost:
    """Measure the product's workers. Drops include those that the product itself reports."""
    with Product(sample, MAX_STREAMS=str(streams)) as product:
        views = [product.start() for _ in range(streams)]
        ports = [view["spec"]["endpoint"]["port"] for view in views]
        cost = observe([view["worker"]["pid"] for view in views], ports, seconds, product)
        reported = sum(view["totals"]["packets_dropped"] for view in product.streams())
        return Cost(cost.cpu_percent, cost.pss_mb, cost.dropped + reported, cost.received_bytes, cost.api_ms)


HEADINGS = ("", "CPU mean", "CPU max", "PSS mean", "PSS max", "drops", "MB received", "API ms", "API max")


def row(cells: tuple[str, ...]) -> None:
    """Print a row of the table."""
    print(f"{cells[0]:22}" + "".join(f"{cell:>12}" for cell in cells[1:]))


def show(name: str, cost: Cost) -> None:
    """Print the row of a measurement."""
    figures = [statistics.mean(cost.cpu_percent), max(cost.cpu_percent), statistics.mean(cost.pss_mb), max(cost.pss_mb)]
    api = [statistics.median(cost.api_ms), max(cost.api_ms)] if cost.api_ms else []
    row(
        (
            name,
            *(f"{figure:.2f}" for figure in figures),
            str(cost.dropped),
            f"{cost.received_bytes / 1e6:.0f}",
            *(f"{figure:.1f}" for figure in api),
        )
    )


def main() -> int:
    """Run gst-launch and the product in turn. Return 1 if the product drops packets or exceeds a limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    plains: list[Cost] = []
    products: list[Cost] = []
    with tempfile.TemporaryDirectory() as folder:
        sample = make_sample(Path(folder) / "sample.ts", seconds=asked.seconds + 30)
        print(f"{asked.streams} streams of 8 Mb/s, {asked.seconds} s; CPU in % of a core and PSS in MB for each stream")
        row(HEADINGS)
        for turn in range(2 * asked.rounds + 1):
            if turn % 2:
                products.append(ours(sample, asked.streams, asked.seconds))
                show("this product", products[-1])
            else:
                plains.append(plain(sample, asked.streams, asked.seconds // 2))
                show("gst-launch-1.0", plains[-1])
    plain_costs = [[*before.cpu_percent, *after.cpu_percent] for before, after in pairwise(plains)]
    ratios = [
        statistics.mean(one.cpu_percent) / statistics.mean(both)
        for one, both in zip(products, plain_costs, strict=True)
    ]
    ratio = statistics.median(ratios)
    memory = max(max(one.pss_mb) for one in products)
    dropped = sum(one.dropped for one in products)
    print("CPU ratio of each round: " + ", ".join(f"{one:.2f}" for one in ratios))
    print(f"CPU ratio {ratio:.2f} (allowed {CPU_ALLOWED})")
    print(f"PSS {memory:.1f} MB (allowed {PSS_MB_ALLOWED}), drops {dropped} (allowed 0)")
    return 0 if dropped == 0 and ratio <= CPU_ALLOWED and memory <= PSS_MB_ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
