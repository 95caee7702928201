"""Turns the options of a command into the documents that the API accepts."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from app.cli.spec_options import settings_document
from app.domain.spec import ReceiveSpec, SendSpec


def stream_document(asked: Mapping[str, Any], passphrase: str | None) -> dict[str, Any]:
    """Make the document of POST /api/streams. Raises click.UsageError when the options do not name a stream."""
    return {
        **settings_document(SendSpec, asked),
        **_encryption(asked, passphrase),
        "endpoint": _one("an endpoint", _endpoints(asked)),
        "source": _one("a source", _sources(asked)),
    }


def receive_document(asked: Mapping[str, Any], passphrase: str | None) -> dict[str, Any]:
    """Make the document of a receive stream. Raises click.UsageError when the options do not name an endpoint."""
    document: dict[str, Any] = {
        "direction": "receive",
        **settings_document(ReceiveSpec, asked),
        **_encryption(asked, passphrase),
        "endpoint": _one("an endpoint", _endpoints(asked)),
    }
    if asked["record"]:
        document["record"] = {"name": asked["record"]}
    if asked["forward"]:
        address, port = _split("--forward", asked["forward"])
        document["forward"] = {"address": address, "port": port}
    return document


def ask_passphrase() -> str:
    """Prompt for a passphrase. If standard input is not a terminal, read it from there."""
    if sys.stdin.isatty():
        return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


def _encryption(asked: Mapping[str, Any], passphrase: str | None) -> dict[str, Any]:
    if passphrase is None:
        return {}
    return {"encryption": {"key_bits": int(asked["key_bits"]), "passphrase": passphrase}}


def _one(what: str, given: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if len(given) != 1:
        raise click.UsageError(f"enter a KEY, or exactly one option for {what}; mcr start --help lists them")
    return given[0]


def _endpoints(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if asked["listener"] is not None:
        found.append({"mode": "listener", "port": asked["listener"]})
    if asked["caller"]:
        host, port = _split("--caller", asked["caller"])
        found.append({"mode": "caller", "host": host, "port": port})
    return found


def _sources(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if asked["path"]:
        found.append({"kind": "file", "path": asked["path"], "loop": not asked["once"]})
    if asked["multicast"]:
        group, port = _split("--multicast", asked["multicast"])
        found.append({"kind": "multicast", "address": group, "port": port, "interface": asked["interface"]})
    if asked["bars"]:
        found.append({"kind": "bars", "format": asked["bars"]})
    return found


def _split(option: str, text: str) -> tuple[str, int]:
    """Split `host:port` or `[2001:db8::1]:port`. The server checks whether the host is valid."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()):
        raise click.UsageError(f"{option} needs HOST:PORT, not {text}")
    return host.removeprefix("[").removesuffix("]"), int(port)
