"""`mcr relay` and `mcr outage`: impaired paths on the running server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from app.cli.api import Api
from app.cli.faults import reported
from app.cli.words import stream_line
from app.domain.impairment.checks import bounds_of
from app.domain.impairment.model import DirectionImpairment
from app.domain.impairment.profiles import REHEARSAL_SPEED

_FIGURES: Final = ("delay_ms", "jitter_ms", "reorder_ms", "loss_percent", "duplicate_percent", "rate_mbps")


def figure(name: str) -> click.FloatRange:
    """Return an option type with the range of a direction's figure."""
    bounds = bounds_of(DirectionImpairment)[name]
    return click.FloatRange(bounds.low, bounds.high)


F = TypeVar("F", bound=Callable[..., Any])


def _figure_option(flag: str, name: str, unit: str, text: str) -> Callable[[F], F]:
    return click.option(flag, name, type=figure(name), metavar=unit, help=text)


def impairment_options(command: F) -> F:
    """Add the options of an impairment to a command; they apply to both directions."""
    options = [
        click.option("--profile", help="A profile; `mcr relay --profiles` lists them."),
        click.option("--rehearsal", is_flag=True, help="Make outages and route flaps 15 times as frequent."),
        click.option(
            "--seed", type=int, default=1, show_default=True, help="The same seed repeats the same losses and delays."
        ),
        _figure_option("--delay", "delay_ms", "MS", "Delay each datagram by this much."),
        _figure_option("--jitter", "jitter_ms", "MS", "Vary the delay by up to this much; the order is kept."),
        _figure_option(
            "--reorder", "reorder_ms", "MS", "Hold datagrams back by up to this much, so that others overtake."
        ),
        _figure_option("--loss", "loss_percent", "PERCENT", "Random loss."),
        _figure_option("--duplicates", "duplicate_percent", "PERCENT", "Send this share of the datagrams twice."),
        _figure_option("--rate", "rate_mbps", "MBPS", "Limit the rate, headers included."),
        click.option(
            "--outage",
            type=(float, float),
            metavar="EVERY_S FOR_MS",
            help="Block all datagrams for FOR_MS every EVERY_S.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def relay_document(listen_port: int, target: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Return the relay that the options describe as the API accepts it."""
    host, _, port = target.rpartition(":")
    if not host or not port.isdigit():
        raise click.UsageError(f"write the target as HOST:PORT, not {target!r}")
    return {
        "direction": "relay",
        "listen_port": listen_port,
        "target": {"host": host.strip("[]"), "port": int(port)},
        "name": asked["name"],
        "impairment": directions_document(asked),
    }


def directions_document(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the impairment that the options describe as the API accepts it, the same in both directions."""
    both: dict[str, Any] = {name: asked[name] for name in _FIGURES if asked[name] is not None}
    if asked["outage"] is not None:
        both["outage"] = dict(zip(("every_s", "for_ms"), asked["outage"], strict=True))
    return {
        "profile": asked["profile"],
        "seed": asked["seed"],
        "to_target": both or None,
        "to_caller": both or None,
        "event_speed": REHEARSAL_SPEED if asked["rehearsal"] else 1,
    }


def list_profiles(api: Api) -> None:
    """Print the profiles with their sources."""
    for profile in api.get("/api/impairment-profiles")["profiles"]:
        click.echo(f"{profile['name']:26} {profile['title']}; {profile['citation']}")


@click.command()
@click.argument("listen_port", type=click.IntRange(1, 65535), metavar="PORT", required=False)
@click.argument("target", metavar="HOST:PORT", required=False)
@click.option("--profiles", "wants_profiles", is_flag=True, help="List the profiles with their sources.")
@impairment_options
@click.option("--name", default="", help="Optional; shown in lists.")
@click.pass_obj
def relay(api: Api, /, listen_port: int | None, target: str | None, wants_profiles: bool, **asked: Any) -> None:
    """Relay SRT between the callers of PORT and HOST:PORT, and impair both directions as the options say."""
    with reported():
        if wants_profiles:
            list_profiles(api)
            return
        if listen_port is None or target is None:
            raise click.UsageError("enter the port to listen on, and the target as HOST:PORT")
        view = api.post("/api/streams", relay_document(listen_port, target, asked))
    click.echo(stream_line(view))


@click.command()
@click.argument("key")
@click.argument("for_ms", type=float, metavar="MS")
@click.option(
    "--direction",
    type=click.Choice(["both", "to_target", "to_caller"]),
    default="both",
    show_default=True,
    help="Which direction to block.",
)
@click.pass_obj
def outage(api: Api, key: str, for_ms: float, direction: str) -> None:
    """Block the relay KEY for MS milliseconds, beginning now."""
    with reported():
        click.echo(stream_line(api.post(f"/api/streams/{key}/outage", {"for_ms": for_ms, "direction": direction})))
