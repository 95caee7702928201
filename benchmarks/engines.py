"""Both engines of the product, gst-launch and ffmpeg in turn, with the same SRT options: CPU, memory, wake-ups, PCR.

CPU is user + system of the sender over the measured time, wake-ups are voluntary context switches of all its threads,
PCR is the deviation of the SRT origin timestamps from PCR, corrected for the place in the packet (p99, captured: run as
root). Figures are medians over the rounds. With --write, the table and its plot in docs/ are replaced.

    python benchmarks/engines.py [--rates 2,8,20,50] [--rounds 5] [--seconds 10] [--write]
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import statistics
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.domain.spec import FileSource
from app.protocol import Sample
from tests.instruments.child import Child
from tests.instruments.pcr import pcr_jitter
from tests.instruments.processes import cpu_s, pss_mb
from tests.instruments.receivers import Receiver
from tests.instruments.sample import make_sample
from tests.instruments.waiting import free_port
from tests.instruments.wire import Wire
from tests.instruments.worker import RunningWorker, job_for

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = "maxbw=0&oheadbw=25"
COMMANDS = {
    "gst-launch": "gst-launch-1.0 -q filesrc location={file} ! tsparse set-timestamps=true alignment=7 "
    "smoothing-latency=30000 ! srtsink wait-for-connection=false "
    "uri=srt://127.0.0.1:{port}?mode=listener&latency=200&" + OPTIONS,
    "ffmpeg": "ffmpeg -v error -re -i {file} -c copy -map 0 -f mpegts "
    "srt://127.0.0.1:{port}?mode=listener&latency=200000&pkt_size=1316&" + OPTIONS,
}
SENDERS = ("direct", "gstreamer", *COMMANDS)
_TABLE = re.compile(r"(<!-- engines -->\n).*?(<!-- /engines -->)", re.S)


@dataclass(frozen=True)
class Cost:
    """What one sender cost while its receiver was served."""

    cpu_percent: float
    pss_mb: float
    wakeups_per_s: float
    pcr_p99_us: float | None


def measure(sender: str, file: Path, rate_bps: int, seconds: int) -> Cost:
    """Serve one receiver for so long."""
    port = free_port()
    with ExitStack() as running:
        if sender in COMMANDS:
            child = running.enter_context(Child(shlex.split(COMMANDS[sender].format(file=file, port=port))))
        else:
            job = job_for(FileSource(file.name), port=port, file_path=file, engine=sender)
            worker = running.enter_context(RunningWorker(job))
            worker.link.wait_for(Sample)
            child = worker.child
        wire = running.enter_context(Wire(port, with_payload=True))
        receiver = running.enter_context(Receiver.calling(port, latency_ms=200, connect_ms=20_000))
        receiver.wait_for_seconds(2, deadline_s=30)
        cpu, wakeups = cpu_s(child.pid), _switches(child.pid)
        receiver.wait_for_seconds(2 + seconds, deadline_s=seconds + 30)
        cpu, wakeups = cpu_s(child.pid) - cpu, _switches(child.pid) - wakeups
        packets = [packet for packet in wire.packets() if packet.source_port == port]
        try:
            pcr = pcr_jitter(packets, bitrate_bps=rate_bps).p99_us
        except AssertionError:  # too few PCRs in so short a time
            pcr = None
        return Cost(100 * cpu / seconds, pss_mb(child.pid), wakeups / seconds, pcr)


def _switches(pid: int) -> int:
    statuses = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M)[1]) for text in statuses)  # type: ignore[index]


def table_of(costs: dict[tuple[int, str], list[Cost]], rounds: int, seconds: int) -> str:
    """The medians as a table."""
    lines = [
        "| Mb/s | Sender | CPU, % of a core | PSS, MB | Wake-ups a second | PCR p99, µs |",
        "|---|---|---|---|---|---|",
    ]
    for (rate, sender), found in costs.items():
        pcrs = [cost.pcr_p99_us for cost in found if cost.pcr_p99_us is not None]
        pcr = f"{statistics.median(pcrs):.1f}" if pcrs else "–"
        cpu, pss, wakeups = (
            statistics.median(getattr(cost, name) for cost in found)
            for name in ("cpu_percent", "pss_mb", "wakeups_per_s")
        )
        lines.append(f"| {rate} | {sender} | {cpu:.1f} | {pss:.1f} | {wakeups:.0f} | {pcr} |")
    load = os.getloadavg()[0]
    return "\n".join([*lines, "", f"Rounds: {rounds} of {seconds} s. Load average at the end: {load:.1f}.", ""])


def plot_of(costs: dict[tuple[int, str], list[Cost]]) -> str:
    """The CPU medians as bars in an SVG."""
    medians = {key: statistics.median(cost.cpu_percent for cost in found) for key, found in costs.items()}
    longest = max(medians.values())
    rows = []
    for number, ((rate, sender), value) in enumerate(medians.items()):
        y = 20 + number * 22
        rows.append(
            f'<text x="4" y="{y + 12}">{rate} Mb/s, {sender}</text>'
            f'<rect x="170" y="{y}" width="{value / longest * 300:.0f}" height="16" fill="#32A532"/>'
            f'<text x="{176 + value / longest * 300:.0f}" y="{y + 12}">{value:.1f} %</text>'
        )
    height = 30 + 22 * len(medians)
    style = 'font-family="sans-serif" font-size="12"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="540" height="{height}" {style}>'
    return f'{head}\n<text x="4" y="12">CPU of one stream, percent of a core</text>\n' + "\n".join(rows) + "\n</svg>\n"


def main() -> int:
    """Measure, print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="2,8,20,50")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    costs: dict[tuple[int, str], list[Cost]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for rate in map(int, asked.rates.split(",")):
            file = make_sample(Path(folder) / f"{rate}.ts", seconds=asked.seconds + 20, bitrate_bps=rate * 1_000_000)
            for _ in range(asked.rounds):
                for sender in SENDERS:
                    costs[rate, sender].append(measure(sender, file, rate * 1_000_000, asked.seconds))
    table = table_of(costs, asked.rounds, asked.seconds)
    print(table)
    if asked.write:
        page = ROOT / "docs" / "benchmarks.md"
        page.write_text(_TABLE.sub(lambda found: f"{found[1]}{table}{found[2]}", page.read_text()))
        (ROOT / "docs" / "engines.svg").write_text(plot_of(costs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
