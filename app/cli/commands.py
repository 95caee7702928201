"""`mcr`: the command line. It uses the JSON API of the running server, as any script can.

Only `check`, `backup`, `restore` and `fleet` read this host themselves, with the server's settings.
"""

from __future__ import annotations

import os

import click

from app.cli import host, relay, streams
from app.cli.api import Api
from app.cli.configuration import apply, export
from app.cli.fleet import fleet
from app.cli.line_up import line_up
from app.cli.line_up_limits import line_up_limits
from app.cli.network_test import network_test
from app.cli.presets import presets
from app.cli.probe import probe
from app.cli.receive import receive
from app.cli.rehearse import rehearse
from app.domain.version import VERSION


@click.group()
@click.version_option(VERSION, prog_name="MCR SRT Streamer")
@click.pass_context
def cli(context: click.Context) -> None:
    """Control and check MCR SRT Streamer.

    HOST, PORT and API_KEY come from the environment, as for the server.
    """
    context.obj = Api.from_environment(os.environ)


for command in (
    *(streams.streams, streams.start, streams.stop, receive, probe, presets),
    *(relay.relay, relay.outage, rehearse, network_test, line_up, line_up_limits),
    *(export, apply, fleet),
    *(host.backup, host.restore, host.check, host.demo),
):
    cli.add_command(command)


def main() -> None:
    """Run the command line."""
    cli(prog_name="mcr")
