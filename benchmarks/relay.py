"""Measures relays: how late each datagram leaves, unscheduled losses, and the CPU of each relay.

The cases are one relay of 50 Mb/s and ten relays of 8 Mb/s, each with a delay of 40 ms in both directions. Datagrams of
1,332 bytes go to the target at the pace of such a stream, and acknowledgements of 44 bytes come back every 10 ms. A
packet socket captures both sides of every relay. The schedule computes each due time from the captured time of arrival;
the lateness is the captured departure minus this due time. CPU is user + system from /proc/PID/stat in percent of a
core. Figures are medians over the rounds; losses are the sum. Ten relays are judged together: the CPU is their mean,
and the lateness covers the datagrams of all. Needs root. Ends with status 1 if a limit is exceeded.

    python -m benchmarks.relay [--rounds 5] [--seconds 10] [--write]

--write replaces the table in docs/impairment.md.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from app.domain.impairment.model import DirectionImpairment, Impairment
from tests.instruments.processes import cpu_s
from tests.instruments.relay_traffic import Ends, Flows, flows_of
from tests.instruments.waiting import free_ports
from tests.instruments.wire import Wire
from tests.instruments.worker import RunningWorker

ROOT = Path(__file__).resolve().parent.parent
DELAY_MS = 40
CASES = ((1, 50), (10, 8))
LATE_P99_MS_ALLOWED = 3.0
ACK_BYTES = 44
_TICK_S = 0.001
_ACK_EVERY_TICKS = 10
_PAYLOAD_BYTES = 1316
_SETTLE_TICKS = 1000
_TABLE = re.compile(r"(<!-- relay -->\n).*?(<!-- /relay -->)", re.S)


@dataclass(frozen=True)
class Round:
    """The results of one round. Lateness is in ms.

    `lost` is the number of datagrams that left more or less often than the schedule says.
    """

    late_median: float
    late_p99: float
    late_most: float
    lost: int
    datagrams: int
    cpu_percent: float


def measure(relays: int, mbps: int, seconds: float) -> Round:
    """Run `relays` relays at the same time, each at `mbps`, and return the results."""
    ports = free_ports(2 * relays)
    way = DirectionImpairment(delay_ms=DELAY_MS)
    impairment = Impairment(to_target=way, to_caller=way)
    with ExitStack() as stack:
        pairs = [stack.enter_context(Ends(impairment, ports[at : at + 2])) for at in range(0, 2 * relays, 2)]
        workers = [stack.enter_context(RunningWorker(ends.job())) for ends in pairs]
        for worker in workers:
            worker.wait_for_sample(lambda _: True)
        wire = stack.enter_context(Wire(ports))
        for ends in pairs:
            ends.greet()
        pump(pairs, mbps, range(_SETTLE_TICKS))
        before, began = [cpu_s(worker.child.pid) for worker in workers], time.monotonic()
        pump(pairs, mbps, range(_SETTLE_TICKS, _SETTLE_TICKS + round(seconds / _TICK_S)))
        took_s = time.monotonic() - began
        cpu = [
            100 * (cpu_s(worker.child.pid) - earlier) / took_s for worker, earlier in zip(workers, before, strict=True)
        ]
        time.sleep(0.5)  # the relay holds the last datagrams for 40 ms
        return judged(pairs, flows_of(wire.packets()), mean(cpu))


def pump(pairs: Sequence[Ends], mbps: int, ticks: range) -> None:
    """Send at the pace of a stream of `mbps`, tick by tick. The ticks determine the numbers of the datagrams."""
    a_tick = mbps * 1e6 / 8 / _PAYLOAD_BYTES * _TICK_S
    began = time.monotonic() - ticks.start * _TICK_S
    for tick in ticks:
        time.sleep(max(0.0, began + tick * _TICK_S - time.monotonic()))
        for ends in pairs:
            for number in range(round(tick * a_tick), round((tick + 1) * a_tick)):
                ends.send("to_target", number)
            if tick % _ACK_EVERY_TICKS == 0:
                ends.send("to_caller", tick, ACK_BYTES)


def judged(pairs: Sequence[Ends], flows: Flows, cpu_percent: float) -> Round:
    """Compare each datagram with the schedule and return the results."""
    late_ms: list[float] = []
    lost = datagrams = 0
    for ends in pairs:
        seen, due = ends.seen(flows), ends.due(flows)
        for direction, passages in ((name, each.passages) for name, each in seen.items()):
            datagrams += len(passages)
            for passage, times_ns in zip(passages, due[direction], strict=True):
                lost += len(passage.left_ns) != len(times_ns)
                late_ms += [(left - at) / 1e6 for left, at in zip(passage.left_ns, times_ns, strict=False)]
    late_ms.sort()
    return Round(median(late_ms), late_ms[len(late_ms) * 99 // 100], late_ms[-1], lost, datagrams, cpu_percent)


def row_of(relays: int, mbps: int, rounds: Sequence[Round]) -> str:
    """Return the row of a case in the table."""
    cells = [
        f"{relays} × {mbps} Mb/s",
        f"{median(each.datagrams for each in rounds):.0f}",
        f"{sum(each.lost for each in rounds)}",
        f"{median(each.late_median for each in rounds):.2f}",
        f"{median(each.late_p99 for each in rounds):.2f}",
        f"{median(each.late_most for each in rounds):.1f}",
        f"{median(each.cpu_percent for each in rounds):.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Measure and print the table with the load of the machine. With --write, write it to docs/impairment.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    lines = [
        "| Relays | Datagrams a round | Unscheduled losses | Late, median ms | p99, ms | Most, ms | CPU each, % |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    is_kept = True
    for relays, mbps in CASES:
        rounds = []
        for _ in range(asked.rounds):
            rounds.append(measure(relays, mbps, asked.seconds))
            print(f"{relays} × {mbps} Mb/s: {rounds[-1]}", flush=True)
        lines.append(row_of(relays, mbps, rounds))
        is_kept &= median(each.late_p99 for each in rounds) < LATE_P99_MS_ALLOWED
        is_kept &= not any(each.lost for each in rounds)
    rounds_text = f"Medians of {asked.rounds} rounds of {asked.seconds:g} s on {os.cpu_count()} cores"
    table = "\n".join([*lines, "", f"{rounds_text}; load average before: {load:.1f}.", ""])
    print(table)
    if asked.write:
        page = ROOT / "docs" / "impairment.md"
        page.write_text(_TABLE.sub(lambda found: f"{found[1]}{table}{found[2]}", page.read_text()))
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
