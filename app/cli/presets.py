"""`mcr presets`: lists, exports and imports the presets and the address book of the running server."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

import click

from app.cli.api import Api
from app.cli.faults import reported


@click.group()
def presets() -> None:
    """List, export and import presets of streams and the address book of far ends."""


@presets.command("list")
@click.pass_obj
def list_all(api: Api) -> None:
    """List the presets and the far ends."""
    with reported():
        saved, far_ends = api.get("/api/presets"), api.get("/api/far-ends")["far_ends"]
    for preset in saved["presets"]:
        click.echo(f"preset   {preset['name']}  {preset['text']}")
    for far_end in far_ends:
        click.echo(f"far end  {far_end['name']}  {_address(far_end)}  {far_end['notes']}".rstrip())
    for problem in saved["problems"]:
        click.echo(problem, err=True)
    if not saved["presets"] and not far_ends:
        click.echo("no presets and no far ends")


def _address(far_end: dict[str, Any]) -> str:
    host, port = far_end["host"], far_end["port"]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


@presets.command("export")
@click.argument("file", type=click.File("w"), default="-")
@click.pass_obj
def export_all(api: Api, file: TextIO) -> None:
    """Write all presets and far ends to FILE, or to standard output, as one JSON document without passphrases."""
    with reported():
        document = api.get("/api/presets/export")
        file.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


@presets.command("import")
@click.argument("file", type=click.File("r"), default="-")
@click.pass_obj
def import_all(api: Api, file: TextIO) -> None:
    """Import an exported FILE. An entry replaces the one with its name. Exits with 1 if an entry was refused."""
    try:
        document = json.load(file)
    except ValueError as error:
        raise click.ClickException(f"{file.name} is not JSON: {error}; import a file that was exported here") from None
    with reported():
        answer = api.post("/api/presets/import", document)
    replaced = f", {answer['replaced']} of them replaced" if answer["replaced"] else ""
    counts = (_counted(answer["presets"], "preset"), _counted(answer["far_ends"], "far end"))
    click.echo(f"imported: {', '.join(counts)}{replaced}")
    for entry in answer["refused"]:
        click.echo(f"refused: {entry['kind']} {entry['position']} {entry['name']}".rstrip(), err=True)
        for field, text in entry["fields"].items():
            click.echo(f"  {field}: {text}", err=True)
    if answer["refused"]:
        sys.exit(1)
