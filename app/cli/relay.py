"""`mcr relay` and `mcr outage`: impaired paths on the running server."""

from __future__ import annotations

from typing import Any, Final

import click

from app.cli.api import Api
from app.cli.words import stream_line
from app.domain.impairment.checks import bounds_of
from app.domain.impairment.model import DirectionImpairment
from app.domain.impairment.profiles import REHEARSAL_SPEED

_FIGURES: Final = ("delay_ms", "jitter_ms", "reorder_ms", "loss_percent", "duplicate_percent", "rate_mbps")


def figure(name: str) -> click.FloatRange:
    """The range of a direction's figure, for an option."""
    bounds = bounds_of(DirectionImpairment)[name]
    return click.FloatRange(bounds.low, bounds.high)


def relay_document(listen_port: int, target: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The relay that the options describe, as the API takes it; both directions alike."""
    host, _, port = target.rpartition(":")
    if not host or not port.isdigit():
        raise click.UsageError(f"give the target as HOST:PORT, not {target!r}")
    both: dict[str, Any] = {name: asked[name] for name in _FIGURES if asked[name] is not None}
    if asked["outage"] is not None:
        both["outage"] = dict(zip(("every_s", "for_ms"), asked["outage"], strict=True))
    return {
        "direction": "relay",
        "listen_port": listen_port,
        "target": {"host": host.strip("[]"), "port": int(port)},
        "name": asked["name"],
        "impairment": {
            "profile": asked["profile"],
            "seed": asked["seed"],
            "to_target": both or None,
            "to_caller": both or None,
            "event_speed": REHEARSAL_SPEED if asked["rehearsal"] else 1,
        },
    }


def list_profiles(api: Api) -> None:
    """Print the profiles with their sources."""
    for profile in api.get("/api/impairment-profiles")["profiles"]:
        click.echo(f"{profile['name']:26} {profile['title']}; {profile['citation']}")


def cut(api: Api, key: str, for_ms: float, direction: str) -> None:
    """Order an outage of a relay and print its line."""
    click.echo(stream_line(api.post(f"/api/streams/{key}/outage", {"for_ms": for_ms, "direction": direction})))
