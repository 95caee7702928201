"""`mcr streams`, `mcr start` and `mcr stop`: send streams on the running server."""

from __future__ import annotations

import json
from typing import Any

import click

from app.cli import all_streams, words
from app.cli.api import Api
from app.cli.documents import ask_passphrase, stream_document
from app.cli.faults import reported
from app.cli.spec_options import spec_options
from app.domain.spec import SendSpec


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer as JSON.")
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


@click.command()
@click.argument("key", required=False)
@click.option("--listener", type=int, metavar="PORT", help="Listen for receivers on this UDP port.")
@click.option("--caller", metavar="HOST:PORT", help="Call a receiver.")
@click.option("--file", "path", metavar="PATH", help="Send this file from the media folder.")
@click.option("--once", is_flag=True, help="Play the file once instead of looping it.")
@click.option("--multicast", metavar="GROUP:PORT", help="Send this UDP multicast group.")
@click.option("--interface", default="auto", show_default=True, help="Interface to join the group on.")
@click.option("--bars", type=click.Choice(["720p50", "1080i25"]), help="Send colour bars.")
@spec_options(SendSpec)
@click.option(
    "--encrypt",
    "key_bits",
    type=click.Choice(["128", "256"]),
    help="AES key length; the command prompts for the passphrase.",
)
@click.option(
    "--all", "wants_all", is_flag=True, help="Start every stream that is off air; with --group, those of that group."
)
@click.pass_obj
def start(api: Api, /, key: str | None, wants_all: bool, **asked: Any) -> None:
    """Put a stream on air: a known one by its KEY, or a new one by the options.

    The command prompts for a passphrase. If standard input is not a terminal, it reads the passphrase from there. There
    is no option for it, because every user of this host can read a command line.
    """
    with reported():
        if wants_all:
            all_streams.order(api, "start", key, asked["group"])
            return
        if key:
            view = api.post(f"/api/streams/{key}/start")
        else:
            passphrase = ask_passphrase() if asked["key_bits"] else None
            view = api.post("/api/streams", stream_document(asked, passphrase))
    click.echo(words.stream_line(view))


@click.command()
@click.argument("key", required=False)
@click.option("--all", "wants_all", is_flag=True, help="Stop every stream that is on air.")
@click.option("--group", default="", help="With --all: stop only the streams of this group.")
@click.option("--forget", is_flag=True, help="Also delete the stream from the list.")
@click.pass_obj
def stop(api: Api, key: str | None, wants_all: bool, group: str, forget: bool) -> None:
    """Take a stream off air."""
    if bool(key) == wants_all or (wants_all and forget) or (group and not wants_all):
        raise click.UsageError("enter the KEY of one stream, or --all, which deletes none; --group needs --all")
    with reported():
        if wants_all:
            all_streams.order(api, "stop", key, group)
        elif forget:
            api.delete(f"/api/streams/{key}")
            click.echo(f"{key} was deleted")
        else:
            click.echo(words.stream_line(api.post(f"/api/streams/{key}/stop")))
