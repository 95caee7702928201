"""Compares the PCR jitter of the product with that of plain GStreamer, measured in turn in the same run.

The jitter is computed from captured SRT origin timestamps (tests/instruments/pcr.py), so the receiver's scheduling has
no effect. The capture needs CAP_NET_RAW: run it as root.

    python benchmarks/pcr_jitter.py [--runs 9] [--seconds 15] [--smoothing-ms 30]
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.instruments.child import Child
from tests.instruments.pcr import PcrJitter, pcr_jitter
from tests.instruments.product import Product
from tests.instruments.receivers import Receiver
from tests.instruments.sample import BITRATE_BPS, make_sample
from tests.instruments.waiting import free_port
from tests.instruments.wire import Wire

RATIO_ALLOWED = 1.2
_PLAIN = (
    "gst-launch-1.0 -q filesrc location={sample} ! "
    "tsparse set-timestamps=true alignment=7 smoothing-latency={smoothing_us} ! "
    "srtsink wait-for-connection=false uri=srt://127.0.0.1:{port}?mode=listener&latency=200"
)


def measure(port: int, seconds: int) -> PcrJitter:
    """Receive from a listener for `seconds` and return the PCR jitter of its origin timestamps."""
    with Wire(port, with_payload=True) as wire, Receiver.calling(port, latency_ms=200) as receiver:
        receiver.wait_for_seconds(seconds, deadline_s=seconds + 20)
        return pcr_jitter([one for one in wire.packets() if one.source_port == port], bitrate_bps=BITRATE_BPS)


@contextmanager
def plain(sample: Path, smoothing_ms: int) -> Iterator[int]:
    """Run gst-launch-1.0 as a listener and yield its port."""
    port = free_port()
    with Child(shlex.split(_PLAIN.format(sample=sample, port=port, smoothing_us=smoothing_ms * 1000))):
        yield port


@contextmanager
def ours(product: Product, smoothing_ms: int) -> Iterator[int]:
    """Start a listener stream of the product and yield its port."""
    view = product.start(smoothing_latency_ms=smoothing_ms)
    yield view["spec"]["endpoint"]["port"]
    product.dismiss(view["key"])


def compare(sample: Path, product: Product, *, runs: int, seconds: int, smoothing_ms: int) -> float:
    """Measure both in turn and print each run. Return the ratio of the median jitters, product to GStreamer.

    The ratio of the p99 jitters is only printed.
    """
    results: dict[str, list[PcrJitter]] = {"gst-launch-1.0": [], "this product": []}
    for run in range(runs):
        order = list(results)[:: 1 if run % 2 == 0 else -1]
        for name in order:
            sender = plain(sample, smoothing_ms) if name == "gst-launch-1.0" else ours(product, smoothing_ms)
            with sender as port:
                results[name].append(measure(port, seconds))
    print(f"\nsmoothing {smoothing_ms} ms, {runs} runs of {seconds} s each, deviations in µs")
    print(f"{'':16}{'PCRs':>7}{'median':>9}{'p99':>9}{'worst':>9}   medians of all runs: median, p99")
    for name, measured in results.items():
        for number, one in enumerate(measured):
            summary = f"{median_of(measured, _median):10.1f}{median_of(measured, _p99):9.1f}" if not number else ""
            print(
                f"{name if not number else '':16}{one.count:7}{one.median_us:9.1f}{one.p99_us:9.1f}"
                f"{one.worst_us:9.1f}   {summary}"
            )
    ratios = [
        median_of(results["this product"], of) / max(1.0, median_of(results["gst-launch-1.0"], of))
        for of in (_median, _p99)
    ]
    print(f"ratio of the medians: median {ratios[0]:.2f}, p99 {ratios[1]:.2f} (allowed {RATIO_ALLOWED})")
    return ratios[0]


def median_of(measured: list[PcrJitter], of: Callable[[PcrJitter], float]) -> float:
    """Return the median of one figure over all runs."""
    return statistics.median(of(one) for one in measured)


def _median(one: PcrJitter) -> float:
    return one.median_us


def _p99(one: PcrJitter) -> float:
    return one.p99_us


def main() -> int:
    """Compare both, by default with a smoothing of 30 ms as in the form. Return 1 if the ratio is not allowed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--smoothing-ms", type=int, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sample = make_sample(Path(folder) / "sample.ts", seconds=asked.seconds + 10)
        with Product(sample) as product:
            ratio = compare(sample, product, runs=asked.runs, seconds=asked.seconds, smoothing_ms=asked.smoothing_ms)
    return 0 if ratio <= RATIO_ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
