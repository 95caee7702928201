"""`mcr`: the product from the command line. It speaks to the running server over the JSON API, as any script would.

Only `check`, `backup` and `restore` look at this host themselves, with the settings that the server reads.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

import click

from app.cli import all_streams, archives, checks, demo_stream, words
from app.cli import line_up as line_ups
from app.cli import relay as relays
from app.cli.api import Api
from app.cli.faults import reported
from app.cli.probe import probe
from app.cli.receive import receive
from app.domain.version import VERSION
from app.settings import BadSettings, Settings, read_settings, with_kept_key

_TEST_POLL_S: Final = 1.0


@click.group()
@click.version_option(VERSION, prog_name="MCR SRT Streamer")
@click.pass_context
def cli(context: click.Context) -> None:
    """Look after MCR SRT Streamer.

    HOST, PORT and API_KEY come from the environment, as the server reads them.
    """
    context.obj = Api(os.environ)


def _settings() -> Settings:
    try:
        return read_settings(with_kept_key(os.environ))
    except BadSettings as error:
        raise click.ClickException(f"the settings are not right:\n{error}") from None


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="The API's answer as it is.")
@click.pass_obj
def streams(api: Api, as_json: bool) -> None:
    """List the streams with their figures."""
    with reported():
        answer = api.get("/api/streams")
    if as_json:
        click.echo(json.dumps(answer, indent=2))
        return
    for line in words.stream_table(answer["streams"]):
        click.echo(line)


@cli.command()
@click.argument("key", required=False)
@click.option("--listener", type=int, metavar="PORT", help="Wait for receivers on this UDP port.")
@click.option("--caller", metavar="HOST:PORT", help="Call a receiver.")
@click.option("--file", "path", metavar="PATH", help="Send this file of the media folder.")
@click.option("--once", is_flag=True, help="Play the file once instead of looping it.")
@click.option("--multicast", metavar="GROUP:PORT", help="Send this UDP group.")
@click.option("--interface", default="auto", show_default=True, help="Interface to join the group on.")
@click.option("--bars", type=click.Choice(["720p50", "1080i25"]), help="Send colour bars.")
@click.option("--latency", "latency_ms", type=int, default=200, show_default=True, metavar="MS")
@click.option("--overhead", "overhead_percent", type=int, default=25, show_default=True, metavar="PERCENT")
@click.option("--encrypt", "key_bits", type=click.Choice(["128", "256"]), help="AES; asks for the passphrase.")
@click.option("--name", default="", help="A label.")
@click.option("--all", "wants_all", is_flag=True, help="Every stream that is off air.")
@click.option("--group", default="", help="The new stream's group; with --all, only the streams of this group.")
@click.pass_obj
def start(api: Api, /, key: str | None, wants_all: bool, **asked: Any) -> None:
    """Put a stream on air: a known one by its KEY, or a new one by the options.

    A passphrase is asked for, or read from standard input when that is no terminal; it is no option, because
    everybody can read a command line.
    """
    with reported():
        if wants_all:
            all_streams.order(api, "start", key, asked["group"])
            return
        if key:
            view = api.post(f"/api/streams/{key}/start")
        else:
            passphrase = _ask_passphrase() if asked["key_bits"] else None
            view = api.post("/api/streams", words.stream_document(asked, passphrase))
    click.echo(words.stream_line(view))


def _ask_passphrase() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


@cli.command()
@click.argument("key", required=False)
@click.option("--all", "wants_all", is_flag=True, help="Every stream that is on air.")
@click.option("--group", default="", help="With --all: only the streams of this group.")
@click.option("--forget", is_flag=True, help="Remove it from the list too.")
@click.pass_obj
def stop(api: Api, key: str | None, wants_all: bool, group: str, forget: bool) -> None:
    """Take a stream off air."""
    if bool(key) == wants_all or (wants_all and forget) or (group and not wants_all):
        raise click.UsageError(
            "name one stream by its KEY, or all of them by --all, which forgets none; --group needs --all"
        )
    with reported():
        if wants_all:
            all_streams.order(api, "stop", key, group)
        elif forget:
            api.delete(f"/api/streams/{key}")
            click.echo(f"{key} is forgotten")
        else:
            click.echo(words.stream_line(api.post(f"/api/streams/{key}/stop")))


@cli.command()
@click.argument("listen_port", type=click.IntRange(1, 65535), metavar="PORT", required=False)
@click.argument("target", metavar="HOST:PORT", required=False)
@click.option("--profile", help="A profile by name.")
@click.option("--profiles", "wants_profiles", is_flag=True, help="List the profiles with their sources.")
@click.option("--rehearsal", is_flag=True, help="Outages and route flaps 15 times as often.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed takes the same decisions.")
@click.option("--delay", "delay_ms", type=relays.figure("delay_ms"), metavar="MS")
@click.option("--jitter", "jitter_ms", type=relays.figure("jitter_ms"), metavar="MS", help="Keeps the order.")
@click.option("--reorder", "reorder_ms", type=relays.figure("reorder_ms"), metavar="MS")
@click.option("--loss", "loss_percent", type=relays.figure("loss_percent"), metavar="PERCENT")
@click.option("--duplicates", "duplicate_percent", type=relays.figure("duplicate_percent"), metavar="PERCENT")
@click.option("--rate", "rate_mbps", type=relays.figure("rate_mbps"), metavar="MBPS")
@click.option("--outage", type=(float, float), metavar="EVERY_S FOR_MS")
@click.option("--name", default="", help="A label.")
@click.pass_obj
def relay(api: Api, /, listen_port: int | None, target: str | None, wants_profiles: bool, **asked: Any) -> None:
    """Relay SRT between callers of PORT and HOST:PORT over an impaired path, both directions alike."""
    with reported():
        if wants_profiles:
            relays.list_profiles(api)
            return
        if listen_port is None or target is None:
            raise click.UsageError("give the port to listen on and the target as HOST:PORT")
        view = api.post("/api/streams", relays.relay_document(listen_port, target, asked))
    click.echo(words.stream_line(view))


@cli.command()
@click.argument("key")
@click.argument("for_ms", type=float, metavar="MS")
@click.option("--direction", type=click.Choice(["both", "to_target", "to_caller"]), default="both", show_default=True)
@click.pass_obj
def outage(api: Api, key: str, for_ms: float, direction: str) -> None:
    """Let nothing pass the relay KEY for MS milliseconds, from now on."""
    with reported():
        relays.cut(api, key, for_ms, direction)


@cli.command("network-test")
@click.argument("host")
@click.option("--port", type=int, default=5201, show_default=True, help="Port of the iperf3 server there.")
@click.option("--udp", is_flag=True, help="UDP at the stream's bitrate instead of TCP.")
@click.option("--bitrate", "bitrate_mbps", type=float, default=10.0, show_default=True, metavar="MBPS")
@click.option("--seconds", "duration_s", type=int, default=10, show_default=True)
@click.pass_obj
def network_test(api: Api, host: str, port: int, udp: bool, bitrate_mbps: float, duration_s: int) -> None:
    """Measure the path to HOST and recommend SRT latency and overhead."""
    order = {
        "mode": "manual",
        "host": host,
        "port": port,
        "protocol": "udp" if udp else "tcp",
        "bitrate_mbps": bitrate_mbps,
        "duration_s": duration_s,
    }
    with reported():
        test = api.post("/api/network-tests", order)
        while test["state"] == "running":
            time.sleep(_TEST_POLL_S)
            test = api.get(f"/api/network-tests/{test['id']}")
    for line in words.network_test_lines(test):
        click.echo(line)
    if test["state"] == "failed":
        raise click.exceptions.Exit(1)


@cli.command("line-up")
@click.option("--plan", "plan_file", type=click.Path(path_type=Path, exists=True), help="A plan as JSON.")
@click.option("--stream", metavar="KEY", help="The send stream under test.")
@click.option("--receiver", metavar="KEY", help="The receive stream that measures; HOST/KEY on another host.")
@click.option("--profile", type=click.Choice(["quick", "line-up", "booking", "new-circuit"]), default="line-up")
@click.option("--seconds", type=int, help="Another duration than the profile's.")
@click.option("--json", "as_json", is_flag=True, help="The API's answer as it is.")
@click.pass_obj
def line_up(api: Api, /, as_json: bool, **asked: Any) -> None:
    """Test a link and report PASS, PASS WITH REMARKS or FAIL.

    The exit status is 0 for a pass, 1 with remarks, 2 for a failure, 3 when nothing could be measured.
    """
    with reported():
        run = line_ups.follow(api, api.post("/api/line-ups", line_ups.plan_document(**asked)))
    for line in [json.dumps(run, indent=2)] if as_json else line_ups.report_lines(run):
        click.echo(line)
    if status := line_ups.exit_status(run):
        raise click.exceptions.Exit(status)


@cli.command()
@click.argument("archive", type=click.Path(path_type=Path))
def backup(archive: Path) -> None:
    """Write streams, events, channels and keys to ARCHIVE, a .tar.gz that only this user can read.

    It holds SECRET_KEY, which opens the stored passphrases: keep it like a key. Media files are not in it, and with
    PostgreSQL neither are streams and events: it then says how to save them.
    """
    with reported():
        settings = _settings()
        names = archives.back_up(settings, archive)
        elsewhere = archives.store_elsewhere(settings)
    click.echo(f"{archive}: {', '.join(names)}")
    if elsewhere is not None:
        click.echo(elsewhere, err=True)


@cli.command()
@click.argument("archive", type=click.Path(path_type=Path, exists=True))
@click.pass_obj
def restore(api: Api, archive: Path) -> None:
    """Put back what ARCHIVE holds. The server must be stopped; its next start puts the same streams on air."""
    with reported():
        if demo_stream.answers(api):
            raise click.ClickException(f"stop the server at {api.address} first")
        names, secret_key_differs = archives.restore(_settings(), archive)
    click.echo(f"restored: {', '.join(names)}")
    if secret_key_differs:
        click.echo(
            "The archive was made under another SECRET_KEY. Set SECRET_KEY to the one in the archive's file "
            f"{archives.KEY_NAME} (tar -xOzf {archive} {archives.KEY_NAME}), or passphrases stay unreadable.",
            err=True,
        )


@cli.command()
@click.pass_obj
def check(api: Api) -> None:
    """Check this host and installation: what is wrong, and what mends it."""
    findings = checks.check_all(_settings(), api)
    for finding in findings:
        click.echo(f"{finding.level.value:5}  {finding.text}")
        if finding.remedy:
            click.echo(f"       {finding.remedy}")
    if any(finding.level is checks.Level.FAULT for finding in findings):
        raise click.exceptions.Exit(1)


@cli.command(hidden=True)
@click.option("--server-pid", type=int, required=True, help="Give up when this process is gone.")
@click.pass_obj
def demo(api: Api, server_pid: int) -> None:
    """Put the sample on air and print how to receive it; ./run.sh --demo calls this."""
    with reported():
        stream = demo_stream.put_on_air(api, server_pid)
    port = stream["spec"]["endpoint"]["port"]
    click.echo(f"==> on air: {demo_stream.SAMPLE} as listener on port {port}")
    click.echo(f"    watch it at {api.address}/stream/{stream['key']}, receive it with one of")
    for line in demo_stream.receiving_lines(port):
        click.echo(f"      {line}")


cli.add_command(probe)
cli.add_command(receive)


def main() -> None:
    """Run the command line."""
    cli(prog_name="mcr")
