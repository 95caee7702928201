"""`mcr rehearse`: runs a rehearsal on the server and follows it. The exit status is its result."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Final

import click

from app.cli.api import Api
from app.cli.faults import reported
from app.cli.relay import directions_document, impairment_options

_LOOK_EVERY_S: Final = 1.0
_NONE_HELD: Final = 2
_COULD_NOT_MEASURE: Final = 3
_COLUMNS: Final = (
    ("latency_ms", "Latency ms"),
    ("dropped", "Dropped"),
    ("gaps", "Gaps"),
    ("longest_gap_ms", "Longest ms"),
    ("continuity_errors", "CC errors"),
    ("overhead_percent", "Overhead %"),
    ("verdict_text", "Verdict"),
)


@click.command()
@click.argument("stream", metavar="KEY")
@impairment_options
@click.option(
    "--latency",
    "latencies_ms",
    type=int,
    multiple=True,
    metavar="MS",
    help="A latency to try. Repeat the option for several latencies.",
)
@click.option(
    "--rtt",
    "rtt_ms",
    type=float,
    metavar="MS",
    help="Try 1, 2, 3, 4 and 6 times this RTT; default: the RTT of the path.",
)
@click.option(
    "--minutes", type=click.FloatRange(0.2, 60), default=3.0, show_default=True, help="Duration of the measurement."
)
@click.option(
    "--gap",
    "output_gap_max_ms",
    type=int,
    default=40,
    show_default=True,
    metavar="MS",
    help="A longer output gap is a failure.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print the table as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer as JSON.")
@click.pass_obj
def rehearse(api: Api, /, stream: str, as_csv: bool, as_json: bool, **asked: Any) -> None:
    """Send copies of the stream KEY through an impaired path, each with another latency; report the lowest that held.

    The exit status is 0 if a latency held, 2 if none did, and 3 if nothing could be measured.
    """
    document: dict[str, Any] = {
        "stream": stream,
        "impairment": directions_document(asked),
        "latencies_ms": list(asked["latencies_ms"]),
        "rtt_ms": asked["rtt_ms"],
        "duration_s": round(60 * asked["minutes"]),
        "output_gap_max_ms": asked["output_gap_max_ms"],
    }
    with reported():
        run = _follow(api, api.post("/api/rehearsals", document))
    lines = _csv_lines(run) if as_csv else [json.dumps(run, indent=2)] if as_json else _table(run)
    for line in lines:
        click.echo(line)
    if status := _exit_status(run):
        raise click.exceptions.Exit(status)


def _follow(api: Api, run: dict[str, Any]) -> dict[str, Any]:
    """Wait for the end of a rehearsal; Ctrl-C cancels it."""
    path = f"/api/rehearsals/{run['id']}"
    try:
        while run["is_running"]:
            if sys.stderr.isatty():
                click.echo(f"\r{run['state_text']} {run['progress_percent']:.0f} %  ", nl=False, err=True)
            time.sleep(_LOOK_EVERY_S)
            run = api.get(path)
    except KeyboardInterrupt:
        api.post(f"{path}/cancel")
        raise
    if sys.stderr.isatty():
        click.echo(err=True)
    return run


def _table(run: dict[str, Any]) -> list[str]:
    lines = ["  ".join(f"{title:>10}" for _, title in _COLUMNS)]
    for attempt in run["attempts"]:
        cells = "  ".join(f"{'–' if attempt[name] is None else attempt[name]:>10}" for name, _ in _COLUMNS)
        lines.append(f"{cells}  {attempt['reason']}".rstrip())
    return [run["impairment_text"], *lines, run["headline"]]


def _csv_lines(run: dict[str, Any]) -> list[str]:
    names = [name for name, _ in _COLUMNS]
    rows = [
        ",".join("" if attempt[name] is None else str(attempt[name]) for name in names) for attempt in run["attempts"]
    ]
    return [",".join(names), *rows]


def _exit_status(run: dict[str, Any]) -> int:
    if run["state"] == "failed" or not any(attempt["seconds"] for attempt in run["attempts"]):
        return _COULD_NOT_MEASURE
    return 0 if run["lowest_held_ms"] is not None else _NONE_HELD
