"""`mcr receive`: starts a receive stream on the running server."""

from __future__ import annotations

from typing import Any

import click

from app.cli import words
from app.cli.api import Api
from app.cli.documents import ask_passphrase, receive_document
from app.cli.faults import reported
from app.cli.spec_options import spec_options
from app.domain.spec import ReceiveSpec


@click.command()
@click.option("--listener", type=int, metavar="PORT", help="Listen for a sender on this UDP port.")
@click.option("--caller", metavar="HOST:PORT", help="Call a sender.")
@spec_options(ReceiveSpec)
@click.option(
    "--encrypt",
    "key_bits",
    type=click.Choice(["128", "256"]),
    help="AES key length; the command prompts for the passphrase.",
)
@click.option("--record", metavar="NAME", help="Record to NAME_<time>.ts in the media folder.")
@click.option("--forward", metavar="ADDRESS:PORT", help="Forward as UDP to this group or host.")
@click.pass_obj
def receive(api: Api, /, **asked: Any) -> None:
    """Receive a stream, measure its delivery and check its transport stream.

    The command prompts for a passphrase. If standard input is not a terminal, it reads the passphrase from there.
    """
    passphrase = ask_passphrase() if asked["key_bits"] else None
    with reported():
        view = api.post("/api/streams", receive_document(asked, passphrase))
    click.echo(words.stream_line(view))
