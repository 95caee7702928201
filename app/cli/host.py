"""`mcr check`, `backup`, `restore` and `demo`: this host and its installation."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app.cli import archives, checks, demo_stream
from app.cli.api import Api
from app.cli.faults import reported
from app.settings import BadSettings, Settings, read_settings, with_kept_keys


@click.command()
@click.argument("archive", type=click.Path(path_type=Path))
def backup(archive: Path) -> None:
    """Write streams, events, lists, reports and SECRET_KEY to ARCHIVE, a .tar.gz that only this user can read.

    SECRET_KEY decrypts the stored passphrases: keep the archive secret. The archive contains neither media
    files nor the 72 hours of history. With PostgreSQL it does not contain streams, events and presets either;
    the command then prints how to save them.
    """
    with reported():
        current = settings()
        names = archives.back_up(current, archive)
        elsewhere = archives.store_elsewhere(current)
    click.echo(f"{archive}: {', '.join(names)}")
    if elsewhere is not None:
        click.echo(elsewhere, err=True)


@click.command()
@click.argument("archive", type=click.Path(path_type=Path, exists=True))
@click.pass_obj
def restore(api: Api, archive: Path) -> None:
    """Restore the contents of ARCHIVE. The server must be stopped; its next start puts the same streams on air."""
    with reported():
        if demo_stream.answers(api):
            raise click.ClickException(f"stop the server at {api.address} first")
        names, secret_key_differs = archives.restore(settings(), archive)
    click.echo(f"restored: {', '.join(names)}")
    if secret_key_differs:
        click.echo(
            "The archive was made with another SECRET_KEY. Set SECRET_KEY to the one in the archive's file "
            f"{archives.KEY_NAME} (tar -xOzf {archive} {archives.KEY_NAME}), or passphrases stay unreadable.",
            err=True,
        )


@click.command()
@click.pass_obj
def check(api: Api) -> None:
    """Check this host and installation: list faults and their remedies."""
    findings = checks.check_all(settings(), api)
    for finding in findings:
        click.echo(f"{finding.level.value:5}  {finding.text}")
        if finding.remedy:
            click.echo(f"       {finding.remedy}")
    if any(finding.level is checks.Level.FAULT for finding in findings):
        raise click.exceptions.Exit(1)


@click.command(hidden=True)
@click.option("--server-pid", type=int, required=True, help="Stop when this process has ended.")
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


def settings() -> Settings:
    """Return the settings that the server reads. Ends the command if they are not valid."""
    try:
        return read_settings(with_kept_keys(os.environ))
    except BadSettings as error:
        raise click.ClickException(f"the settings are not valid:\n{error}") from None
