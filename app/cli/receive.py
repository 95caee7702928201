"""`mcr receive`: starts a receive stream on the running server."""

from __future__ import annotations

import sys
from typing import Any

import click

from app.cli import words
from app.cli.api import Api
from app.cli.faults import reported


@click.command()
@click.option("--listener", type=int, metavar="PORT", help="Wait for a sender on this UDP port.")
@click.option("--caller", metavar="HOST:PORT", help="Call a sender.")
@click.option("--latency", "latency_ms", type=int, default=200, show_default=True, metavar="MS")
@click.option("--encrypt", "key_bits", type=click.Choice(["128", "256"]), help="AES; asks for the passphrase.")
@click.option("--record", metavar="NAME", help="Record to NAME_<time>.ts in the media folder.")
@click.option("--forward", metavar="ADDRESS:PORT", help="Send on as UDP to this group or host.")
@click.option("--picture", is_flag=True, help="Show a key frame every 5 s; report a black or frozen picture.")
@click.option("--loudness", is_flag=True, help="Measure EBU R 128; report silence.")
@click.option("--name", default="", help="A label.")
@click.pass_obj
def receive(api: Api, /, **asked: Any) -> None:
    """Receive a stream, measure its delivery and check it.

    A passphrase is asked for, or read from standard input when that is no terminal.
    """
    passphrase = _ask_passphrase() if asked["key_bits"] else None
    with reported():
        view = api.post("/api/streams", words.receive_document(asked, passphrase))
    click.echo(words.stream_line(view))


def _ask_passphrase() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")
