"""Measures the CPU of the live analysis, without the receiver: `python -m benchmarks.live_analysis`.

For each bitrate, a synthetic constant-rate stream of ten seconds is fed as payloads of seven packets, with a report
each second. The figure is in percent of one core, the median of the rounds. A busy machine can only increase it.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from app.mpegts.inspect.live import LiveAnalyser
from tests.instruments.ts_maker import Programme, Recipe, make_ts

SECONDS = 10
ROUNDS = 5
PAYLOAD_BYTES = 1316
BUDGET_PERCENT = {8_000_000: 5.0, 50_000_000: 25.0}


def cpu_percent(data: bytes, bitrate_bps: int) -> float:
    """Return the CPU time of one pass in percent of the stream's duration."""
    payloads = [data[at : at + PAYLOAD_BYTES] for at in range(0, len(data), PAYLOAD_BYTES)]
    analyser, duration = LiveAnalyser(0.0), PAYLOAD_BYTES * 8 / bitrate_bps
    reported = 0
    started = time.process_time()
    for index, payload in enumerate(payloads):
        now = index * duration
        analyser.feed(payload, now)
        if int(now) != reported:
            reported = int(now)
            analyser.report(now)
    return (time.process_time() - started) / (len(payloads) * duration) * 100


def main() -> int:
    """Measure each bitrate. Return 1 if one of them exceeds its budget."""
    is_over = False
    for bitrate_bps, budget in BUDGET_PERCENT.items():
        video_kbps = bitrate_bps * 7 // 10_000
        recipe = Recipe(seconds=SECONDS, bitrate_bps=bitrate_bps, programmes=[Programme(video_kbps=video_kbps)])
        data = make_ts(recipe)
        percent = statistics.median(cpu_percent(data, bitrate_bps) for _ in range(ROUNDS))
        packets = len(data) // 188 / SECONDS
        print(f"{bitrate_bps / 1e6:g} Mb/s: {percent:.2f} % of a core ({percent * 1e4 / packets:.2f} µs a packet)")
        is_over |= percent > budget
    pss = next(line for line in Path("/proc/self/smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))
    print(f"memory with the streams that were made: {pss.split()[1]} kB PSS")
    return int(is_over)


if __name__ == "__main__":
    sys.exit(main())
