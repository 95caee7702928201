"""`mcr`: the product from the command line. It speaks to the running server over the JSON API, as any script would."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from app import cli_demo
from app.cli_api import Api, Refused, ServerUnreachable


@click.group()
@click.pass_context
def cli(context: click.Context) -> None:
    """Look after MCR SRT Streamer.

    HOST, PORT and API_KEY are read from the environment, as the server reads them.
    """
    context.obj = Api(os.environ)


@contextmanager
def _told() -> Iterator[None]:
    """Turn a refusal into a message and exit status 1."""
    try:
        yield
    except Refused as refusal:
        for field, text in refusal.fields.items():
            click.echo(f"  {field}: {text}", err=True)
        raise click.ClickException(refusal.message) from None
    except (ServerUnreachable, cli_demo.ServerGone) as error:
        raise click.ClickException(str(error) or "the server has ended; its last lines say why") from None


@cli.command()
@click.option("--server-pid", type=int, required=True, help="Give up when this process is gone.")
@click.pass_obj
def demo(api: Api, server_pid: int) -> None:
    """Put the sample on air and print how to receive it; ./run.sh --demo calls this."""
    with _told():
        stream = cli_demo.put_on_air(api, server_pid)
    click.echo(
        f"==> on air: {cli_demo.SAMPLE} as listener on port {cli_demo.PORT}, {api.address}/stream/{stream['key']}"
    )
    click.echo("    receive it with one of")
    for line in cli_demo.receiving_lines():
        click.echo(f"      {line}")


def main() -> None:
    """Run the command line."""
    cli(prog_name="mcr")


if __name__ == "__main__":
    main()
