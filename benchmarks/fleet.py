"""Measures the interruption of streams when a cluster host is killed, cut off or drained.

Twelve caller streams of 1 Mb/s run on three hosts in network namespaces, four on each, under real corosync and
pacemaker. A capture at the far end shows which host sent when. A gap is the time in which no host sent a stream that
moved. "Packets" is the number of packets that the median gap would have contained. Run as root, with the packages of
the tests.

    python -m benchmarks.fleet [--streams 12]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from app.domain.constants import SRT_PAYLOAD_BYTES
from tests.instruments.cluster_on_air import OnAir, callers_on_air
from tests.instruments.cluster_streams import BITRATE_BPS, connections, longest_gap_s, overlaps
from tests.instruments.processes import cpu_s, pss_mb
from tests.instruments.sample import make_sample

_ENGINE = (b"corosync", b"pacemaker", b"/pacemaker/")
_WATCHED_S = 20
EVENTS: dict[str, Callable[[OnAir], object]] = {
    "killed": lambda on_air: on_air.nodes[2].power_off(),
    "cut off": lambda on_air: on_air.nodes[2].cut_cluster_network(),
    "drained": lambda on_air: on_air.nodes[0].run("crm_standby", "--node", "host3", "--update", "on"),
}


def measure(media: Path, streams: int, name: str) -> str:
    """Cause the event on one host and return the row of the table."""
    with callers_on_air(media, streams) as on_air:
        moved = on_air.ports_of(on_air.nodes[2])
        EVENTS[name](on_air)
        sent = on_air.wait_taken_over(moved, on_air.nodes[2])
    gaps_s = sorted(longest_gap_s(sent[port]) for port in moved)
    packets = statistics.median(gaps_s) * BITRATE_BPS / 8 / SRT_PAYLOAD_BYTES
    two_senders = sum(bool(overlaps(found)) for found in sent.values())
    disturbed = sum(connections(found) != 1 for port, found in sent.items() if port not in moved)
    gaps = f"{gaps_s[0]:.1f} / {statistics.median(gaps_s):.1f} / {gaps_s[-1]:.1f}"
    return f"| {name} | {len(moved)} | {gaps} | {packets:.0f} | {two_senders} | {disturbed} |"


def engine_cost(media: Path, streams: int) -> str:
    """Return the CPU and memory of corosync and pacemaker on one host while no stream moves."""
    with callers_on_air(media, streams) as on_air:
        pids = [pid for pid in on_air.nodes[1].processes() if _is_engine(pid)]
        before, began = sum(map(cpu_s, pids)), time.monotonic()
        time.sleep(_WATCHED_S)
        percent = 100 * (sum(map(cpu_s, pids)) - before) / (time.monotonic() - began)
        return f"corosync and pacemaker of a host: {percent:.1f} % of a core, {sum(map(pss_mb, pids)):.0f} MB PSS"


def _is_engine(pid: int) -> bool:
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    return command.startswith(_ENGINE[:2]) or _ENGINE[2] in command.partition(b"\0")[0]


def main() -> int:
    """Measure all events and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=12, choices=(3, 6, 9, 12))
    asked = parser.parse_args()
    print("| Host | Streams moved | Gap, s: shortest / median / longest | Packets | Two senders | Others disturbed |")
    print("|---|---:|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        media = make_sample(Path(folder) / "bars.ts", seconds=8, bitrate_bps=BITRATE_BPS)
        for name in EVENTS:
            print(measure(media, asked.streams, name), flush=True)
        print(engine_cost(media, asked.streams))
    return 0


if __name__ == "__main__":
    sys.exit(main())
