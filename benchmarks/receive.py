"""Measures CPU and memory of workers that receive and analyse streams: one at 8 and 50 Mb/s, and ten at 8 Mb/s.

The senders are separate processes over loopback, without a bandwidth cap. CPU is user + system from /proc/PID/stat in
percent of a core, and memory is PSS from smaps_rollup, both of the workers alone. The product itself counts the drops,
the continuity errors, and the seconds in which this host did not run a receiver in time.

    python benchmarks/receive.py [--seconds 30]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.instruments.processes import cpu_s, pss_mb
from tests.instruments.product import Product
from tests.instruments.sample import make_sample
from tests.instruments.srt_sender import Sender

CPU_ALLOWED = {8: 5.0, 50: 25.0}
PSS_MB_ALLOWED = 20.0
_SETTLE_S = 5
_CASES: tuple[tuple[int, int, bool], ...] = ((1, 8, False), (1, 8, True), (1, 50, False), (10, 8, False))


def start(product: Product, port: int, *, decodes: bool) -> str:
    """Start a receive stream and return its key."""
    document = {"direction": "receive", "endpoint": {"mode": "listener", "port": port}, "latency_ms": 500}
    return str(product.post("/api/streams", document | {"picture": decodes, "loudness": decodes}).document["key"])


def measure(product: Product, sample: Path, streams: int, mbps: int, seconds: int, *, decodes: bool) -> bool:
    """Receive `streams` streams at a rate, print a row of the table, and return whether the limits are kept."""
    ports = product.listener_ports[:streams]
    keys = [start(product, port, decodes=decodes) for port in ports]
    with ExitStack() as stack:
        for port in ports:
            stack.enter_context(Sender(sample, port, bitrate_bps=mbps * 1_000_000))
        for key in keys:
            product.wait_for_stream(
                key, lambda view: view["reception"] and view["reception"]["seconds"] > _SETTLE_S, deadline_s=60
            )
            product.post(f"/api/streams/{key}/reset")
            product.wait_for_stream(key, lambda view: view["reception"]["seconds"] <= _SETTLE_S, deadline_s=10)
        pids = [product.stream(key)["worker"]["pid"] for key in keys]
        before, began = [cpu_s(pid) for pid in pids], time.monotonic()
        packets = sum(product.stream(key)["reception"]["packets_unique"] for key in keys)
        time.sleep(seconds)
        took_s = time.monotonic() - began
        cpu = [100 * (cpu_s(pid) - earlier) / took_s for pid, earlier in zip(pids, before, strict=True)]
        memory = [pss_mb(pid) for pid in pids]
        views = [product.stream(key)["reception"] for key in keys]
    product.dismiss_all()
    received = (sum(view["packets_unique"] for view in views) - packets) * 1316 * 8 / took_s / streams / 1e6
    dropped = sum(view["packets_dropped"] for view in views)
    row = [
        f"{streams} × {mbps} Mb/s{', picture and loudness' if decodes else ''}",
        f"{statistics.mean(cpu):.1f}",
        f"{max(cpu):.1f}",
        f"{statistics.mean(memory):.1f}",
        f"{max(memory):.1f}",
        f"{received:.1f}",
        str(dropped),
        str(sum(view["continuity_errors"] for view in views)),
        str(sum(view["error_seconds"].get("held_up", 0) for view in views)),
    ]
    show(row)
    return not dropped and statistics.mean(cpu) <= CPU_ALLOWED[mbps] and max(memory) <= PSS_MB_ALLOWED


def show(cells: Sequence[str]) -> None:
    """Print a row of a Markdown table."""
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> int:
    """Print the table and the load of the machine. Return 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=30)
    asked = parser.parse_args()
    kept: list[bool] = []
    print(f"Load before: {' '.join(f'{each:.1f}' for each in os.getloadavg())} on {os.cpu_count()} cores")
    show(["Receive streams", "CPU %", "max", "PSS MB", "max", "Mb/s each", "lost", "CC errors", "seconds held up"])
    show(["---"] * 9)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        sample = make_sample(Path(folder) / "bars.ts")
        with Product(sample, MAX_STREAMS="10") as product:
            for streams, mbps, decodes in _CASES:
                kept.append(measure(product, sample, streams, mbps, asked.seconds, decodes=decodes))
    print(f"Load after: {' '.join(f'{each:.1f}' for each in os.getloadavg())}")
    print(f"Allowed: CPU {CPU_ALLOWED[8]:g} % at 8 Mb/s, {CPU_ALLOWED[50]:g} % at 50 Mb/s, PSS {PSS_MB_ALLOWED:g} MB")
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
