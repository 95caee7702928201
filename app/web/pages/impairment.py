"""The pages of impaired paths: relays and rehearsals, and one rehearsal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from flask import Blueprint, render_template

from app.domain.impairment.checks import bounds_of
from app.domain.impairment.model import (
    SEED_MAX,
    Bounds,
    Bursts,
    DirectionImpairment,
    FourProbabilities,
    PeriodicOutage,
    RouteFlap,
)
from app.domain.impairment.profiles import PROFILES, REHEARSAL_SPEED
from app.domain.snapshot import Snapshot
from app.domain.spec import ReceiveSpec, RelaySpec, SendSpec
from app.machine.steady_clock import unix_now
from app.web.presenters.rehearsal import present_rehearsal
from app.web.services import services

impairment_pages = Blueprint("impairment_pages", __name__)


class Figure(msgspec.Struct, frozen=True):
    """A field of the form: its path in a direction, its label with the unit, and the bounds."""

    path: str
    label: str
    bounds: Bounds


def _figures(kind: type[msgspec.Struct], labels: dict[str, str], part: str = "") -> list[Figure]:
    bounds = bounds_of(kind)
    return [Figure(f"{part}{name}", label, bounds[name]) for name, label in labels.items()]


_FIRST: Final = _figures(
    DirectionImpairment, {"delay_ms": "Delay, ms", "jitter_ms": "Jitter, ms", "loss_percent": "Random loss, %"}
)
_MORE: Final = {
    "Reordering": _figures(
        DirectionImpairment,
        {"reorder_ms": "Held back, ms", "reorder_percent": "Of all, %", "duplicate_percent": "Duplicates, %"},
    ),
    "Loss in bursts": _figures(Bursts, {"loss_percent": "Lost, %", "mean_burst": "Mean burst"}, "bursts."),
    "Loss by Gilbert-Elliott": _figures(
        FourProbabilities,
        {
            "good_to_bad_percent": "Good to bad, %",
            "bad_to_good_percent": "Bad to good, %",
            "loss_in_bad_percent": "Lost in bad, %",
            "loss_in_good_percent": "Lost in good, %",
        },
        "bursts.",
    ),
    "Outage": _figures(PeriodicOutage, {"every_s": "Every, s", "for_ms": "For, ms"}, "outage."),
    "Route flap": _figures(RouteFlap, {"every_s": "Every, s", "by_ms": "By, ms"}, "route_flap."),
    "Rate limit and MTU": _figures(
        DirectionImpairment, {"rate_mbps": "Rate, Mb/s", "queue_ms": "Queue, ms", "mtu_bytes": "MTU, bytes"}
    ),
}


@impairment_pages.get("/impairment")
def impairment() -> str:
    """Show the form of a relay, the present relays and the rehearsals."""
    manager = services().manager
    snapshots = manager.list()
    listening = [
        (snapshot.spec.endpoint.port, snapshot.spec.label())
        for snapshot in snapshots
        if isinstance(snapshot.spec, SendSpec | ReceiveSpec) and not snapshot.spec.is_call
    ]
    return render_template(
        "impairment.html",
        profiles=list(PROFILES.values()),
        listening=listening,
        measured=_measured(snapshots),
        senders=[(each.key, each.spec.label()) for each in snapshots if isinstance(each.spec, SendSpec)],
        free_ports=manager.free_ports(),
        first=_FIRST,
        more=_MORE,
        seed_max=SEED_MAX,
        rehearsal_speed=f"{REHEARSAL_SPEED:g}",
    )


@impairment_pages.get("/impairment/rehearsals/<run_id>")
def rehearsal(run_id: str) -> str:
    """Show a rehearsal, live until it is over."""
    return render_template("rehearsal.html", run=present_rehearsal(services().rehearsals.get(run_id), unix_now()))


def _measured(snapshots: Sequence[Snapshot]) -> list[tuple[str, str]]:
    """Return the sources of "my link": each as a query of the API, with its label."""
    streams = [each for each in snapshots if not isinstance(each.spec, RelaySpec) and each.sample is not None]
    tests = [each for each in services().network.list() if each.findings.rtt_ms is not None]
    return [(f"stream={each.key}", each.spec.label()) for each in streams] + [
        (f"test={each.id}", f"network test to {each.findings.target.host if each.findings.target else each.order.host}")
        for each in tests
    ]
