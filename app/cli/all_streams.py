"""`mcr start --all` and `mcr stop --all`: orders to every stream or to one group."""

from __future__ import annotations

import click

from app.cli import words
from app.cli.api import Api


def order(api: Api, word: str, key: str | None, group: str = "") -> None:
    """Order all streams, or those of a group, to start or stop, and print a line for each.

    Exits with status 1 when a stream did not follow the order.
    """
    if key:
        raise click.UsageError("name one stream by its KEY or all of them by --all, not both")
    answer = api.post(f"/api/streams/{word}-all", {"group": group} if group else None)
    for view in answer["streams"]:
        click.echo(words.stream_line(view))
    for refused in answer["refused"]:
        click.echo(f"{refused['key']}  refused: {refused['message']}  {refused['label']}", err=True)
    if not answer["streams"] and not answer["refused"]:
        click.echo(f"no stream to {word}")
    if answer["refused"]:
        raise click.exceptions.Exit(1)
