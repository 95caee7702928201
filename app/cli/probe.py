"""`mcr probe`: receives an SRT stream, measures its delivery and says whether the link is good. Needs no server."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from app.cli.api import Api, Refused, ServerUnreachable
from app.cli.probe_report import api_of, post
from app.cli.probe_run import Outcome, Probe, Wanted
from app.cli.probe_target import Duration, probe_spec
from app.domain.figures.live_report import LiveReport
from app.domain.figures.reception import Reception
from app.domain.json_value import JsonObject
from app.domain.spec import ReceiveSpec, public_spec
from app.web.presenters.reception import present_reception
from app.web.presenters.reception_views import ReceptionView
from app.web.presenters.stream import iso
from app.words.states import reason_text, remedy_text

_STATUS: Final = {"good": 0, "attention": 1, "fault": 2}
_NO_CONNECTION: Final = 3
_WRONG_USAGE: Final = 64  # EX_USAGE of sysexits.h; click's own 2 is a verdict here


class _WrongUsage(click.UsageError):
    """Wrong usage, with an exit status that no verdict has."""

    exit_code = _WRONG_USAGE


class _Command(click.Command):
    """A command with a separate exit status for wrong usage."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise _WrongUsage(error.format_message(), ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise _WrongUsage(error.format_message(), ctx) from None


@click.command(cls=_Command)
@click.argument("url")
@click.option(
    "--for", "seconds", type=Duration(), default="1m", show_default=True, help="Duration, such as 30s, 15m or 2h."
)
@click.option(
    "--wait",
    "wait_s",
    type=Duration(),
    default="1m",
    show_default=True,
    help="How long to wait for the first connection.",
)
@click.option(
    "--encrypt", type=click.Choice(["128", "256"]), help="AES key length; the command prompts for the passphrase."
)
@click.option("--passphrase-file", type=click.Path(path_type=Path), help="Read the passphrase from this file.")
@click.option("--report", "report_url", metavar="URL", help="Post the result to the installation at this address.")
@click.option(
    "--api-key-file",
    type=click.Path(path_type=Path),
    help="A file with the API key of that installation; without this option, API_KEY of the environment is used.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def probe(url: str, **asked: Any) -> None:
    """Receive URL and report whether it arrives completely and in time.

    srt://host:port?latency=200 calls a sender, srt://:port waits for one. Exit status: 0 good, 1 attention, 2 fault, 3
    no connection, 64 wrong usage. The command prompts for a passphrase. If standard input is not a terminal, it reads
    the passphrase from there.
    """
    key_bits = int(asked["encrypt"]) if asked["encrypt"] else None
    passphrase = _read_passphrase(asked["passphrase_file"]) if key_bits else None
    spec = probe_spec(url, key_bits=key_bits, passphrase=passphrase)
    report_to = api_of(asked["report_url"], asked["api_key_file"]) if asked["report_url"] else None
    line = _LiveLine(is_shown=sys.stderr.isatty())
    run = Probe(spec, Wanted(asked["seconds"], asked["wait_s"]), line.show)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: run.stop())
    outcome = run.run()
    line.end()
    document = _document(public_spec(spec), outcome)
    click.echo(json.dumps(document, indent=2) if asked["as_json"] else "\n".join(_lines(outcome)))
    if report_to is not None:
        _post(report_to, spec, outcome)
    verdict = document["reception"]["verdict"]["severity"] if document["reception"] else None
    sys.exit(_STATUS[verdict] if verdict else _NO_CONNECTION)


def _post(api: Api, spec: ReceiveSpec, outcome: Outcome) -> None:
    """Post the result. If it is refused, report that; the exit status remains that of the verdict."""
    try:
        click.echo(f"reported to {api.address} as {post(api, spec, outcome, _view(outcome))}", err=True)
    except (Refused, ServerUnreachable) as error:
        click.echo(f"the result could not be reported: {error}", err=True)


def _read_passphrase(path: Path | None) -> str:
    if path is not None:
        try:
            return path.read_text().rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"the passphrase cannot be read: {error}") from None
    if sys.stdin.isatty():
        return str(click.prompt("Passphrase", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\n")


class _LiveLine:
    """One line on the terminal that is replaced each second."""

    def __init__(self, *, is_shown: bool) -> None:
        self._is_shown = is_shown

    def show(self, reception: Reception, analysis: LiveReport) -> None:
        """Write the line."""
        if self._is_shown:
            view = present_reception(reception, analysis)
            late = f"{view.lateness_ms.max:.0f}" if view.lateness_ms else "–"
            rtt = f"{view.rtt_ms.avg:.0f}" if view.rtt_ms else "–"
            text = (
                f"{view.seconds} s  {view.delivered_mbps:.2f} Mb/s  RTT {rtt} ms  late ≤ {late} ms  "
                f"lost {view.packets_dropped}  {view.verdict.severity}: {view.verdict.text}"
            )
            click.echo(f"\r\033[K{text[:150]}", nl=False, err=True)

    def end(self) -> None:
        """Keep the line and go to the next one."""
        if self._is_shown:
            click.echo("", err=True)


def _document(spec: JsonObject, outcome: Outcome) -> dict[str, Any]:
    view = _view(outcome)
    return {
        "spec": spec,
        "started_at": iso(outcome.started_at),
        "ended_at": iso(outcome.ended_at),
        "reception": msgspec.to_builtins(view) if view else None,
        "problem": None if view else reason_text(outcome.problem),
    }


def _view(outcome: Outcome) -> ReceptionView | None:
    if outcome.received is None:
        return None
    return present_reception(outcome.received, outcome.analysis, whole=True)


def _lines(outcome: Outcome) -> list[str]:
    view = _view(outcome)
    if view is None:
        return [f"no connection: {reason_text(outcome.problem)}", f"  {remedy_text(outcome.problem)}"]
    late = view.lateness_ms
    return [
        f"{view.verdict.severity}: {view.verdict.text}",
        *(f"  {text}" for text in view.verdict.findings[1:]),
        f"  received {view.packets_unique:,} packets, recovered {view.packets_recovered:,}, "
        f"lost for good {view.packets_dropped:,}",
        f"  lateness p50/p99/max {late.p50:.0f}/{late.p99:.0f}/{late.max:.0f} ms of the last minute"
        if late
        else "  no packet was delivered",
        f"  longest gap {view.longest_gap_ms:.0f} ms, lowest headroom {_known(view.lowest_headroom_ms)} of "
        f"{_known(view.latency_ms)} ms, continuity errors {view.continuity_errors:,}",
    ]


def _known(value: int | None) -> str:
    return "–" if value is None else str(value)
