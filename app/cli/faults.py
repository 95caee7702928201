"""Reports the expected errors of a command as a message with exit status 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from app.cli import archives, demo_stream
from app.cli.api import Refused, ServerUnreachable
from app.store.unavailable import StoreUnavailable


@contextmanager
def reported() -> Iterator[None]:
    """Turn an expected error into a message and exit status 1."""
    try:
        yield
    except Refused as refusal:
        lines = refusal.lines()
        if refusal.status == 401:
            lines.append("  set API_KEY to the server's key; if it runs as a service, run mcr as root")
        raise click.ClickException("\n".join(lines)) from None
    except (
        ServerUnreachable,
        demo_stream.ServerGone,
        demo_stream.NoFreePort,
        archives.BackupFailed,
        StoreUnavailable,
        OSError,
    ) as error:
        raise click.ClickException(str(error)) from None
