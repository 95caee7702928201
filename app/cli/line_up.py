"""`mcr line-up`: starts a line-up test on the server and follows it. The exit status is the verdict."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from app.cli.api import Api, ServerUnreachable
from app.cli.faults import reported

_LOOK_EVERY_S: Final = 1.0
_SILENT_MAX_S: Final = 60.0
_EXIT: Final = {"pass": 0, "remarks": 1, "fail": 2}
_COULD_NOT_MEASURE: Final = 3


def plan_document(
    plan_file: Path | None = None, receiver: str | None = None, probe_report: str | None = None, **options: Any
) -> dict[str, Any]:
    """Return the plan as the API accepts it: from a file, with the options in place of its values.

    `options` are fields of the plan; None and False are options that were not given.
    """
    document: dict[str, Any] = {}
    if plan_file is not None:
        try:
            document = json.loads(plan_file.read_text())
        except ValueError as error:
            raise click.ClickException(f"{plan_file}: {error}") from None
        if not isinstance(document, dict):
            raise click.ClickException(f"{plan_file} must contain one JSON object")
    if receiver is not None:
        host, slash, key = receiver.rpartition("/")
        document["receiver"] = {"kind": "remote", "host": host, "key": key} if slash else {"kind": "local", "key": key}
    if probe_report is not None:
        document["receiver"] = {"kind": "probe", "report": probe_report}
    return document | {name: value for name, value in options.items() if value not in (None, False)}


def follow(api: Api, run: dict[str, Any]) -> dict[str, Any]:
    """Wait for the end of a run. On a terminal, show one line that is updated."""
    answered_at = time.monotonic()
    while run["is_running"]:
        if sys.stderr.isatty():
            remaining_s = run["remaining_s"]
            rest = "" if remaining_s is None else f", {remaining_s:.0f} s remaining"
            click.echo(f"\r{run['state_text']} {run['progress_percent']:.0f} %{rest}  ", nl=False, err=True)
        time.sleep(_LOOK_EVERY_S)
        try:
            run, answered_at = api.get(f"/api/line-ups/{run['id']}"), time.monotonic()
        except ServerUnreachable:
            # The test outlasts a restart of the web process.
            if time.monotonic() - answered_at > _SILENT_MAX_S:
                raise
    if sys.stderr.isatty():
        click.echo(err=True)
    return run


def report_lines(run: dict[str, Any]) -> list[str]:
    """Return the verdict and every figure as lines for a terminal, with the note of each that is not a pass."""
    figures = []
    for each in run["lines"]:
        figures.append(
            f"  {each['verdict_text']:13} {each['title']:24} {each['got_text']:>14}  limit {each['limit_text']}"
        )
        if each["note"] and each["verdict"] != "pass":
            figures.append(f"{'':16}{each['note']}")
    checks = [f"  {each['verdict_text']:13} {each['title']}: {each['got']}" for each in run["checks"]]
    verdict = f"{run['verdict_text'] if run['verdict'] else run['state_text']}: {run['headline'] or run['problem']}"
    return [verdict, *figures, *checks, f"Report: /line-up/{run['id']}/report"]


def exit_status(run: dict[str, Any]) -> int:
    """Return 0 for a pass, 1 with remarks, 2 for a fail, 3 when nothing could be measured."""
    return _COULD_NOT_MEASURE if run["state"] == "failed" else _EXIT.get(run["verdict"], _COULD_NOT_MEASURE)


class _VerdictCommand(click.Command):
    """A command whose every error ends with the status of a test that measured nothing: 1 and 2 are verdicts."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse the options."""
        with _as_unmeasured():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _as_unmeasured():
            return super().invoke(ctx)


@contextmanager
def _as_unmeasured() -> Iterator[None]:
    try:
        yield
    except click.ClickException as error:
        error.exit_code = _COULD_NOT_MEASURE  # type: ignore[misc] # click reads it from the instance
        raise


@click.command("line-up", cls=_VerdictCommand)
@click.option("--plan", "plan_file", type=click.Path(path_type=Path, exists=True), help="A plan as JSON.")
@click.option("--stream", metavar="KEY", help="The send stream under test.")
@click.option("--receiver", metavar="KEY", help="The receive stream that measures; HOST/KEY on another host.")
@click.option(
    "--probe-report", metavar="ID", help="The report of a probe as the receiving end; /api/probe_reports lists them."
)
@click.option("--limits", "limits_name", metavar="NAME", help="Saved limits; `mcr line-up-limits list` names them.")
@click.option(
    "--profile",
    type=click.Choice(["quick", "line-up", "booking", "new-circuit"]),
    help="Profile that sets the duration; line-up (15 min) if neither the plan nor this option names one.",
)
@click.option("--seconds", "duration_s", type=int, help="Duration in seconds, if not that of the profile.")
@click.option(
    "--rate-steps", is_flag=True, help="First load the path in steps; this takes the stream off air for a minute."
)
@click.option(
    "--bitrate",
    "bitrate_mbps",
    type=float,
    metavar="MBPS",
    help="The rate of the 100 % step, if not that of the stream.",
)
@click.option(
    "--margin",
    is_flag=True,
    help="Then test the margin: copies of the source run through twice the measured loss, on the server only.",
)
@click.option("--margin-seconds", "margin_s", type=int, help="Duration of the margin test in seconds; default 60.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer as JSON.")
@click.pass_obj
def line_up(api: Api, /, as_json: bool, **asked: Any) -> None:
    """Test a link and report PASS, PASS WITH REMARKS or FAIL.

    The exit status is 0 for a pass, 1 with remarks, 2 for a failure, 3 when nothing could be measured or
    the test could not be started.
    """
    with reported():
        run = follow(api, api.post("/api/line-ups", plan_document(**asked)))
    for line in [json.dumps(run, indent=2)] if as_json else report_lines(run):
        click.echo(line)
    if status := exit_status(run):
        raise click.exceptions.Exit(status)
