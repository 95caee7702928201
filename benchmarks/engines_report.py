"""Reports the measurements of `benchmarks/engines.py` as a table, a plot and a line of ratios."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

_COLOURS = {"direct": "#32A532", "gstreamer": "#3C6EB4", "gst-launch": "#9AA5B1", "ffmpeg": "#FFC346"}


@dataclass(frozen=True)
class Case:
    """The work that each sender does: `streams` streams of one rate, each with `receivers` receivers."""

    rate_bps: int
    streams: int = 1
    receivers: int = 1
    is_capped: bool = True

    def __str__(self) -> str:
        streams = f"{self.streams} × " if self.streams > 1 else ""
        receivers = f", {self.receivers} receivers" if self.receivers > 1 else ""
        return f"{streams}{self.rate_bps // 1_000_000} Mb/s{receivers}{'' if self.is_capped else ', no cap'}"


@dataclass(frozen=True)
class Cost:
    """The cost of one sender while it served its receivers. CPU and wake-ups are for each stream."""

    cpu_percent: float
    pss_mb: float
    wakeups_per_s: float
    received_mbps: float
    dropped: int
    pcr_p99_us: float | None

    @property
    def cpu_percent_per_mbps(self) -> float | None:
        """The CPU for each Mb/s that one receiver got; None if it got nothing."""
        return self.cpu_percent / self.received_mbps if self.received_mbps else None


Costs = Mapping[Case, Mapping[str, list[Cost]]]


def _median(found: list[Cost], name: str) -> float | None:
    values = [value for cost in found if (value := getattr(cost, name)) is not None]
    return statistics.median(values) if values else None


def _cell(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def table_of(costs: Costs, rounds: int, seconds: int) -> str:
    """Return the medians as a Markdown table."""
    lines = [
        "| Case | Sender | Received, Mb/s | CPU, % of a core | CPU, % for each Mb/s | PSS, MB "
        "| Wake-ups a second | Dropped | PCR p99, µs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    columns = (
        ("received_mbps", 2),
        ("cpu_percent", 2),
        ("cpu_percent_per_mbps", 3),
        ("pss_mb", 1),
        ("wakeups_per_s", 0),
        ("dropped", 0),
    )
    for case, by_sender in costs.items():
        for sender, found in by_sender.items():
            cells = [_cell(_median(found, name), digits) for name, digits in (*columns, ("pcr_p99_us", 1))]
            lines.append(f"| {case} | {sender} | {' | '.join(cells)} |")
    load = os.getloadavg()[0]
    end = f"Medians of rounds: {rounds} of {seconds} s. Load average at the end: {load:.1f}."
    return "\n".join([*lines, "", end, ""])


def ratios_of(case: Case, by_sender: Mapping[str, list[Cost]]) -> str:
    """Return a line that compares the direct engine's CPU with each other sender's, also for each Mb/s received."""
    direct, others = by_sender["direct"], {name: found for name, found in by_sender.items() if name != "direct"}
    names = ("cpu_percent", "cpu_percent_per_mbps")
    compared = {other: [_ratio(direct, found, name) for name in names] for other, found in others.items()}
    ratios = [f"{cpu} × {other} ({for_each} for each Mb/s)" for other, (cpu, for_each) in compared.items()]
    cpu, pss = _cell(_median(direct, "cpu_percent"), 2), _cell(_median(direct, "pss_mb"), 1)
    return f"{case}: direct {cpu} % of a core, {pss} MB, {', '.join(ratios)}"


def _ratio(direct: list[Cost], other: list[Cost], name: str) -> str:
    ours, theirs = _median(direct, name), _median(other, name)
    return _cell(ours / theirs if ours is not None and theirs else None, 2)


def plot_of(costs: Costs) -> str:
    """Return an SVG with the CPU medians as bars."""
    medians = {
        (str(case), sender): _median(found, "cpu_percent") or 0.0
        for case, by_sender in costs.items()
        for sender, found in by_sender.items()
    }
    longest, rows = max(medians.values()), []
    for number, ((case, sender), value) in enumerate(medians.items()):
        y, width = 24 + number * 20, value / longest * 300
        rows.append(
            f'<text x="4" y="{y + 12}">{case}, {sender}</text>'
            f'<rect x="240" y="{y}" width="{width:.0f}" height="15" fill="{_COLOURS[sender]}"/>'
            f'<text x="{246 + width:.0f}" y="{y + 12}">{value:.1f} %</text>'
        )
    size = f'width="610" height="{34 + 20 * len(medians)}" font-family="sans-serif" font-size="12"'
    title = '<text x="4" y="14">CPU for each stream, percent of a core</text>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{title}\n' + "\n".join(rows) + "\n</svg>\n"
