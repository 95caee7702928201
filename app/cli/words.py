"""The API's answers as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_UNKNOWN: Final = "–"


def stream_table(views: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a heading and a line per stream, or one sentence when there is no stream."""
    if not views:
        return ["no streams"]
    heading = ("KEY", "PHASE", "PEERS", "Mb/s", "RTT ms", "RESENT %", "LOST", "SENDER DROPS", "STREAM")
    rows = [
        (
            view["key"],
            view["phase_text"].lower(),
            str(len(view["peers"])),
            _number(view["payload_mbps"], 2),
            _number(view["rtt_ms"], 1 if (view["rtt_ms"] or 0) >= 1 else 2),
            *_loss_cells(view),
            view["label"],
        )
        for view in views
    ]
    return list(_columns([heading, *rows]))


def _loss_cells(view: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the cells for loss: resent, lost and dropped by the sender. A receive stream counts its own loss."""
    if (reception := view.get("reception")) is not None:
        return _UNKNOWN, str(reception["packets_dropped"]), _UNKNOWN
    dropped = _UNKNOWN if view["spec"]["direction"] == "receive" else str(view["totals"]["packets_dropped"])
    return _number(view["totals"]["retransmitted_percent"], 2), view["lost_text"], dropped


def stream_line(view: Mapping[str, Any]) -> str:
    """Return one line for a stream: key, phase, reason, label."""
    reason = f" ({view['reason_text']})" if view["reason_text"] else ""
    return f"{view['key']}  {view['phase_text'].lower()}{reason}  {view['label']}"


def network_test_lines(test: Mapping[str, Any]) -> Iterable[str]:
    """Return what a test found, each figure with its basis, and what it recommends."""
    yield f"{test['state']}: {test['target']['host'] if test['target'] else test['order']['host']}"
    for figure in test["figures"]:
        value = _number(figure["value"], 2 if figure["unit"] else 0)
        yield f"  {figure['label']}: {value} {figure['unit']} ({figure['basis']}, {figure['source']})"
    for problem in [*test["problems"], *([test["problem"]] if test["problem"] else [])]:
        yield f"  ! {problem}"
    if (advice := test["recommendation"]) is not None:
        best = advice["recommended"]
        yield f"recommended: latency {best['latency_ms']} ms, overhead {best['overhead_percent']} %"
        for sentence in (advice["expectation"], *advice["assumptions"], *advice["warnings"]):
            yield f"  {sentence}"


def _columns(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _number(value: float | None, digits: int) -> str:
    """Return a figure as text. Unknown is a dash, zero is 0."""
    return _UNKNOWN if value is None else f"{value:.{digits}f}"
