"""The command line's words: options to the API's documents, and its answers to lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import click

_UNKNOWN: Final = "—"


def stream_document(asked: Mapping[str, Any], passphrase: str | None) -> dict[str, Any]:
    """Make the document of POST /api/streams. Raises click.UsageError when the options do not name a stream."""
    document = {
        "name": asked["name"],
        "endpoint": _one("an endpoint", _endpoints(asked)),
        "source": _one("a source", _sources(asked)),
        "latency_ms": asked["latency_ms"],
        "overhead_percent": asked["overhead_percent"],
        "group": asked["group"],
    }
    if passphrase is not None:
        document["encryption"] = {"key_bits": int(asked["key_bits"]), "passphrase": passphrase}
    return document


def receive_document(asked: Mapping[str, Any], passphrase: str | None) -> dict[str, Any]:
    """Make the document of a receive stream. Raises click.UsageError when the options do not name an endpoint."""
    document: dict[str, Any] = {
        "direction": "receive",
        "name": asked["name"],
        "endpoint": _one("an endpoint", _endpoints(asked)),
        "latency_ms": asked["latency_ms"],
    }
    document["picture"], document["loudness"] = asked["picture"], asked["loudness"]
    if passphrase is not None:
        document["encryption"] = {"key_bits": int(asked["key_bits"]), "passphrase": passphrase}
    if asked["record"]:
        document["record"] = {"name": asked["record"]}
    if asked["forward"]:
        address, port = _split("--forward", asked["forward"])
        document["forward"] = {"address": address, "port": port}
    return document


def _one(what: str, given: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if len(given) != 1:
        raise click.UsageError(f"give a KEY, or exactly one option for {what}; mcr start --help lists them")
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
    """Part `host:port` and `[2001:db8::1]:port`; whether the host is one is the server's to judge."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()):
        raise click.UsageError(f"{option} needs HOST:PORT, not {text}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def stream_table(views: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line per stream under a heading; one sentence when there is none."""
    if not views:
        return ["no streams"]
    heading = ("KEY", "PHASE", "PEERS", "Mb/s", "RTT ms", "RETR %", "DROPPED", "STREAM")
    rows = [
        (
            view["key"],
            view["phase"],
            str(len(view["peers"])),
            _number(view["payload_mbps"], 2),
            _number(view["rtt_ms"], 1),
            _number(view["totals"]["retransmitted_percent"], 2),
            str(view["totals"]["packets_dropped"]),
            view["label"],
        )
        for view in views
    ]
    return list(_columns([heading, *rows]))


def stream_line(view: Mapping[str, Any]) -> str:
    """One stream in a line: key, phase, why, label."""
    reason = f" ({view['reason_text']})" if view["reason_text"] else ""
    return f"{view['key']}  {view['phase']}{reason}  {view['label']}"


def network_test_lines(test: Mapping[str, Any]) -> Iterable[str]:
    """What a test found, each figure with its basis, and what it recommends."""
    yield f"{test['state']}: {test['target']['host'] if test['target'] else test['order']['host']}"
    for figure in test["figures"]:
        value = _number(figure["value"], 2)
        yield f"  {figure['label']}: {value} {figure['unit']} ({figure['basis']}, {figure['source']})"
    for problem in [*test["problems"], *([test["problem"]] if test["problem"] else [])]:
        yield f"  ! {problem}"
    if (advice := test["recommendation"]) is not None:
        best = advice["recommended"]
        yield f"recommended: latency {best['latency_ms']} ms, overhead {best['overhead_percent']} %"
        for sentence in (advice["expectation"], *advice["assumptions"], *advice["warnings"]):
            yield f"  {sentence}"


def _columns(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _number(value: float | None, digits: int) -> str:
    """Unknown is a dash, zero is 0."""
    return _UNKNOWN if value is None else f"{value:.{digits}f}"
