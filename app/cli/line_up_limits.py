"""`mcr line-up-limits`: lists, saves and removes the named limits of line-up tests on the server."""

from __future__ import annotations

import json
from typing import Final, TextIO
from urllib.parse import quote

import click

from app.cli.api import Api
from app.cli.faults import reported

_PATH: Final = "/api/line-up-limits"


@click.group("line-up-limits")
def line_up_limits() -> None:
    """List, save and remove named limits of line-up tests."""


@line_up_limits.command("list")
@click.pass_obj
def list_all(api: Api) -> None:
    """Print the saved limits as one JSON document, which `save` reads."""
    with reported():
        click.echo(json.dumps(api.get(_PATH), indent=2, ensure_ascii=False))


@line_up_limits.command("save")
@click.argument("file", type=click.File("r"), default="-")
@click.pass_obj
def save(api: Api, file: TextIO) -> None:
    """Save the limits in FILE, in the format that `list` prints. If one of them is refused, none is saved."""
    try:
        document = json.load(file)
    except ValueError as error:
        raise click.ClickException(f"{file.name} is not JSON: {error}") from None
    with reported():
        for entry in api.post(_PATH, document)["limits"]:
            click.echo(f"saved {entry['name']}")


@line_up_limits.command("remove")
@click.argument("name")
@click.pass_obj
def remove(api: Api, name: str) -> None:
    """Delete the limits NAME. Reports keep the limits that they were judged by."""
    with reported():
        api.delete(f"{_PATH}/{quote(name, safe='')}")
    click.echo(f"removed {name}")
