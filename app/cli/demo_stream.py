"""The demonstration of `./run.sh --demo`: puts the sample on air and shows how to receive it."""

from __future__ import annotations

import os
import time
from typing import Any, Final

from app.cli.api import Api, Refused, ServerUnreachable

NAME: Final = "Demo"
SAMPLE: Final = "bars_and_tone.ts"
_SOURCE: Final = {"kind": "file", "path": SAMPLE, "loop": True}
_SERVER_DEADLINE_S: Final = 30.0
_ON_AIR: Final = frozenset({"starting", "waiting", "delivering", "stalled"})


class ServerGone(Exception):
    """The server ended before it answered."""

    def __str__(self) -> str:
        return "the server has ended; its last lines say why"


class NoFreePort(Exception):
    """Every listener port is taken."""

    def __str__(self) -> str:
        return "the demo needs a free listener port, and all are in use: stop a stream, or add ports to LISTENER_PORTS"


def put_on_air(api: Api, server_pid: int) -> dict[str, Any]:
    """Wait for the server, then make sure that the demo stream runs. Return its view.

    A demo stream of an earlier start is used again. A new one takes the first free listener port. Raises ServerGone,
    ServerUnreachable, NoFreePort or Refused.
    """
    _wait_for_server(api, server_pid)
    streams = api.get("/api/streams")["streams"]
    known = [stream for stream in streams if _is_demo(stream["spec"])]
    if not known:
        free_ports = api.get("/api/dashboard")["free_ports"]
        if not free_ports:
            raise NoFreePort
        endpoint = {"mode": "listener", "port": free_ports[0]}
        return dict(api.post("/api/streams", {"name": NAME, "endpoint": endpoint, "source": _SOURCE}))
    if known[0]["phase"] in _ON_AIR:
        return dict(known[0])
    return dict(api.post(f"/api/streams/{known[0]['key']}/start"))


def _is_demo(spec: dict[str, Any]) -> bool:
    source = spec.get("source", {})
    is_listener = spec.get("endpoint", {}).get("mode") == "listener"
    return is_listener and (spec.get("name"), source.get("path")) == (NAME, SAMPLE)


def answers(api: Api) -> bool:
    """Return whether a server answers; a 503 because of an unhealthy stream counts as an answer."""
    try:
        api.get("/health")
    except Refused:
        return True
    except ServerUnreachable:
        return False
    return True


def _wait_for_server(api: Api, server_pid: int) -> None:
    deadline = time.monotonic() + _SERVER_DEADLINE_S
    while not answers(api):
        if not _is_alive(server_pid):
            raise ServerGone
        if time.monotonic() > deadline:
            raise ServerUnreachable(f"no answer at {api.address} within {_SERVER_DEADLINE_S:g} s")
        time.sleep(0.1)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def receiving_lines(port: int, host: str = "127.0.0.1") -> list[str]:
    """Return the commands that receive the demo, one per line, ready to type."""
    url = f"srt://{host}:{port}"
    return [
        f"ffplay -fflags nobuffer '{url}'",
        f"vlc '{url}'",
        f"srt-live-transmit '{url}' file://con > received.ts",
    ]
