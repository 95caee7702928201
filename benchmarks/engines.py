"""Compares both engines, gst-launch and ffmpeg with the same SRT options: CPU, memory, wake-ups and PCR.

CPU is the user and system time of a sender over the measured time. Wake-ups are the voluntary context switches of all
its threads. Both are given for each stream. PSS is the highest value of any sender. PCR is the deviation of the SRT
origin timestamps from the PCRs, corrected for the position in the packet (p99, from a capture: run as root). "Received"
proves that all senders do the same work: ffmpeg removes null packets, and -muxrate makes it fill up to the file's rate
again. Figures are medians over the rounds.

    python -m benchmarks.engines [--rates 2,8,20,50] [--receivers 1,10] [--streams 1,10,50] [--rounds 5] [--seconds 10]
                                 [--write]

--write replaces the table and its plot in docs/.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import msgspec

from app.domain.spec import FileSource
from app.supervisor.launchers.base import WorkerHandle, wait_dead
from app.supervisor.launchers.local import WORKER_COMMAND, LocalLauncher
from benchmarks.crowd import Crowd
from benchmarks.engines_report import Case, Cost, plot_of, ratios_of, table_of
from tests.instruments.child import Child
from tests.instruments.pcr import pcr_jitter
from tests.instruments.processes import pss_mb
from tests.instruments.sample import make_sample
from tests.instruments.waiting import free_ports
from tests.instruments.wire import Wire
from tests.instruments.worker import job_for

ROOT = Path(__file__).resolve().parent.parent
LATENCY_MS = 200
COMMANDS = {
    "gst-launch": "gst-launch-1.0 -q filesrc location={file} ! tsparse set-timestamps=true alignment=7 "
    "smoothing-latency=30000 ! srtsink wait-for-connection=false "
    "uri=srt://127.0.0.1:{port}?mode=listener&latency=200&{options}",
    "ffmpeg": "ffmpeg -v error -re -i {file} -c copy -map 0 -muxrate {rate_bps} -f mpegts "
    "srt://127.0.0.1:{port}?mode=listener&latency=200000&pkt_size=1316&{options}",
}
SENDERS = ("direct", "gstreamer", *COMMANDS)
UNCAPPED_COMMAND = (*WORKER_COMMAND[:-1], "benchmarks.uncapped_worker")
_TABLE = re.compile(r"(<!-- engines -->\n).*?(<!-- /engines -->)", re.S)
_keys = count()


@dataclass(frozen=True)
class Busy:
    """The CPU and wake-ups of senders since they started, and the bytes that the receivers got."""

    cpu_s: float
    wakeups: int
    at: float
    bytes: int
    counted_at: float  # when the receivers counted these bytes

    @classmethod
    def of(cls, pids: list[int], crowd: Crowd) -> Busy:
        """Read the present values of these processes and receivers."""
        counted = crowd.figures()
        wakeups = sum(map(_switches, pids))
        return cls(sum(map(_cpu_s, pids)), wakeups, time.monotonic(), counted["bytes"], counted["at_us"] / 1e6)


def _cpu_s(pid: int) -> float:
    """Return the CPU time of a process's present threads in seconds, with a resolution of 1 ns.

    It reads schedstat, because /proc/PID/stat counts ticks of 10 ms.
    """
    return sum(int(text.split()[0]) for text in _of_threads(pid, "schedstat")) / 1e9


def _switches(pid: int) -> int:
    found = [re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M) for text in _of_threads(pid, "status")]
    return sum(int(each[1]) for each in found if each)


def _of_threads(pid: int, name: str) -> list[str]:
    return [path.read_text() for path in Path(f"/proc/{pid}/task").glob(f"*/{name}")]


def measure(sender: str, case: Case, file: Path, seconds: int) -> Cost:
    """Measure the cost of a sender that serves the case's receivers for `seconds`."""
    ports = list(free_ports(case.streams))
    with ExitStack() as running:
        pids = _start(sender, case, file, ports, running)
        is_captured = case.is_capped and (case.streams, case.receivers) == (1, 1)
        wire = running.enter_context(Wire(ports[0], with_payload=True)) if is_captured else None
        crowd = running.enter_context(Crowd(ports * case.receivers, latency_ms=LATENCY_MS))
        crowd.wait_for_all()
        time.sleep(2)  # the same time to settle for each sender
        before = Busy.of(pids, crowd)
        time.sleep(seconds)
        after = Busy.of(pids, crowd)
        took_s, counted_s = after.at - before.at, after.counted_at - before.counted_at
        return Cost(
            cpu_percent=100 * (after.cpu_s - before.cpu_s) / took_s / case.streams,
            pss_mb=max(map(pss_mb, pids)),
            wakeups_per_s=(after.wakeups - before.wakeups) / took_s / case.streams,
            received_mbps=(after.bytes - before.bytes) * 8e-6 / counted_s / case.streams / case.receivers,
            dropped=crowd.figures()["dropped"],
            pcr_p99_us=None if wire is None else _pcr_p99_us(wire, ports[0], case.rate_bps),
        )


def _start(sender: str, case: Case, file: Path, ports: list[int], running: ExitStack) -> list[int]:
    """Start a sender for each port and return the process ids. The product's launcher starts the workers."""
    if sender in COMMANDS:
        options = "maxbw=0&oheadbw=25" if case.is_capped else "maxbw=-1"
        lines = [
            COMMANDS[sender].format(file=file, port=port, rate_bps=case.rate_bps, options=options) for port in ports
        ]
        return [running.enter_context(Child(shlex.split(line))).pid for line in lines]
    folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="mcr-")))
    launcher = LocalLauncher(folder, command=WORKER_COMMAND if case.is_capped else UNCAPPED_COMMAND)
    workers: list[WorkerHandle] = []
    running.callback(lambda: _end(workers))
    for port in ports:
        job = job_for(FileSource(file.name), port=port, file_path=file, engine=sender, latency_ms=LATENCY_MS)
        job = msgspec.structs.replace(
            job, key=f"bench{next(_keys)}", bitrate_bps=case.rate_bps, is_constant_bitrate=True
        )
        workers.append(launcher.launch(job))
    return [worker.pid for worker in workers]


def _end(workers: list[WorkerHandle]) -> None:
    for worker in workers:
        worker.terminate()
    for worker in wait_dead(workers, 5):
        worker.kill()


def _pcr_p99_us(wire: Wire, port: int, rate_bps: int) -> float | None:
    packets = [packet for packet in wire.packets() if packet.source_port == port]
    try:
        return pcr_jitter(packets, bitrate_bps=rate_bps).p99_us
    except AssertionError:  # too few PCRs within a short measurement
        return None


def cases_of(asked: argparse.Namespace) -> list[Case]:
    """Return the cases: one stream at each rate with and without a cap, more receivers at 8 Mb/s, and more streams.

    Up to ten streams have 8 Mb/s each; more streams have 2 Mb/s each.
    """
    rates, receivers, streams = (
        [int(number) for number in text.split(",") if number] for text in (asked.rates, asked.receivers, asked.streams)
    )
    alone = [Case(rate * 1_000_000, is_capped=is_capped) for rate in rates for is_capped in (True, False)]
    crowds = [Case(8_000_000, receivers=number) for number in receivers if number > 1]
    many = [Case(8_000_000 if number <= 10 else 2_000_000, streams=number) for number in streams if number > 1]
    return alone + crowds + many


def main() -> int:
    """Measure all cases and print the table. With --write, write it to docs/."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="2,8,20,50")
    parser.add_argument("--receivers", default="1,10")
    parser.add_argument("--streams", default="1,10,50")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    if not (cases := cases_of(asked)):
        parser.error("no case is left to measure")
    costs: dict[Case, dict[str, list[Cost]]] = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            file = Path(folder) / f"{case.rate_bps}.ts"
            if not file.exists():
                make_sample(file, seconds=asked.seconds + 30, bitrate_bps=case.rate_bps, is_full=True)
            for _ in range(asked.rounds):
                for sender in SENDERS:
                    if sender != "ffmpeg" or case.receivers == 1:  # ffmpeg's listener accepts one receiver
                        costs[case][sender].append(measure(sender, case, file, asked.seconds))
            print(ratios_of(case, costs[case]), flush=True)
    table = table_of(costs, asked.rounds, asked.seconds)
    print(table)
    if asked.write:
        page = ROOT / "docs" / "benchmarks.md"
        page.write_text(_TABLE.sub(lambda found: f"{found[1]}{table}{found[2]}", page.read_text()))
        (ROOT / "docs" / "engines.svg").write_text(plot_of(costs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
