"""`mcr export` and `mcr apply`: the streams of a server as one file for version control."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from app.cli.api import Api
from app.cli.faults import reported
from app.configuration.lined_yaml import read_yaml
from app.configuration.passphrases import references_in

_SECRET_BYTES_MAX: Final = 4096
_FILE_BYTES_MAX: Final = 900_000
_APPLY_TIMEOUT_S: Final = 120.0  # fifty streams that start and stop


def export_to(api: Api, path: Path | None) -> None:
    """Print the file, or write it to `path`."""
    text = api.get_text("/api/configuration")
    if path is None:
        click.echo(text, nl=False)
        return
    path.write_text(text)
    click.echo(f"written to {path}", err=True)


def apply_from(api: Api, text: str, *, dry_run: bool, prune: bool, as_json: bool) -> None:
    """Send a file and print what changed. Exits with status 1 when a stream could not be changed."""
    answer = api.post(
        "/api/configuration",
        {"document": text, "secrets": _secrets(text), "dry_run": dry_run, "prune": prune},
        timeout_s=_APPLY_TIMEOUT_S,
    )
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        click.echo(answer["text"])
    refused = [step for step in answer["steps"] if step["problem"]]
    for step in refused:
        click.echo(f"refused: {step['label']}: {step['problem']}", err=True)
    if refused:
        raise click.exceptions.Exit(1)


def _secrets(text: str) -> dict[str, str]:
    """Read the passphrases that the file refers to and that are set here.

    For the others, the server keeps the passphrase that the stream already has.
    """
    document, _ = read_yaml(text)
    return dict(_found(references_in(document.value)))


def _found(references: Iterable[str]) -> Iterable[tuple[str, str]]:
    for reference in references:
        kind, _, name = reference.partition(":")
        if kind == "env":
            if os.environ.get(name):
                yield reference, os.environ[name]
            continue
        try:
            with Path(name).open(encoding="utf-8") as file:
                yield reference, file.read(_SECRET_BYTES_MAX).removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise click.ClickException(f"the passphrase file {name} cannot be read: {error}") from None


@click.command("export")
@click.option("-o", "--output", "path", type=click.Path(path_type=Path, dir_okay=False), help="Write this file.")
@click.pass_obj
def export(api: Api, path: Path | None) -> None:
    """Print all streams as one YAML file. It refers to each passphrase and contains none."""
    with reported():
        export_to(api, path)


@click.command("apply")
@click.option("-f", "--file", "path", required=True, metavar="FILE", help="The file; - stands for standard input.")
@click.option("--dry-run", is_flag=True, help="Show what would change and change nothing.")
@click.option("--prune", is_flag=True, help="Remove the streams that the file does not have.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer as JSON.")
@click.pass_obj
def apply(api: Api, /, path: str, **asked: bool) -> None:
    """Change the server's streams to those of a file, and print the changes.

    A stream is recognised by its name, otherwise by its port or the far end that it calls. A stream that already
    matches the file stays on air unchanged. Passphrases come from the environment variables and files that the file
    names.
    """
    with reported():
        with click.open_file(path, encoding="utf-8", errors="replace") as file:
            text = file.read(_FILE_BYTES_MAX + 1)
        if len(text) > _FILE_BYTES_MAX:
            raise click.ClickException(f"the file is longer than {_FILE_BYTES_MAX // 1000} kB")
        apply_from(api, text, **asked)
