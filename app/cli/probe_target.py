"""Reads the target of `mcr probe` into the spec of a receive stream. A URL never contains a passphrase."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import click

from app.domain.errors import InvalidInput
from app.domain.spec import ReceiveSpec, parse_spec

_DURATION: Final = re.compile(r"(\d{1,6})(s|m|h)?")
_UNITS_S: Final = {None: 1, "s": 1, "m": 60, "h": 3600}
_PARAMETERS: Final = frozenset({"latency", "streamid", "mode"})


class Duration(click.ParamType[int]):
    """An option type: `90`, `90s`, `15m` or `2h`, in seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds, or fail with a usage error."""
        match = _DURATION.fullmatch(str(value))
        if match is None or int(match[1]) == 0:
            self.fail(f"{value} is not a duration; write 30s, 15m or 2h", param, ctx)
        return int(match[1]) * _UNITS_S[match[2]]


def probe_spec(url: str, *, key_bits: int | None, passphrase: str | None) -> ReceiveSpec:
    """Make the spec of `srt://host:port?latency=200` or, as a listener, of `srt://:port`. Raises click.UsageError."""
    try:
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        _check(parts.scheme, given)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise click.UsageError(f"{url}: {error}") from None
    if port is None:
        raise click.UsageError(f"{url} has no port; write srt://host:port, or srt://:port to listen")
    is_listener = not host or given.get("mode") == "listener"
    document = {
        "direction": "receive",
        "endpoint": {"mode": "listener", "port": port} if is_listener else _caller(host, port),
        "latency_ms": _number("latency", given.get("latency", "200")),
        "stream_id": given.get("streamid") or None,
        "encryption": None if key_bits is None else {"key_bits": key_bits, "passphrase": passphrase},
    }
    try:
        spec = parse_spec(document, listener_ports=range(1, 65536))
    except InvalidInput as error:
        raise click.UsageError(error.message) from None
    if not isinstance(spec, ReceiveSpec):
        raise click.UsageError(f"{url} cannot be received")
    return spec


def _caller(host: str | None, port: int) -> Mapping[str, object]:
    return {"mode": "caller", "host": host, "port": port}


def _check(scheme: str, given: Mapping[str, str]) -> None:
    if scheme != "srt":
        raise click.UsageError("write the target as srt://host:port?latency=200")
    if "passphrase" in given:
        raise click.UsageError("others can read a command line: leave out the passphrase and use --encrypt")
    if unknown := set(given) - _PARAMETERS:
        raise click.UsageError(f"{', '.join(sorted(unknown))}: not known; use latency, streamid or mode")


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,6}", text):
        raise click.UsageError(f"{name} is a whole number of milliseconds, not {text}")
    return int(text)
