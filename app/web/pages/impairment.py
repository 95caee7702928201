"""The page of impaired paths: starts relays and rehearsals, and shows what each relay does."""

from __future__ import annotations

from flask import Blueprint, render_template

from app.domain.impairment.checks import bounds_of
from app.domain.impairment.model import DirectionImpairment
from app.domain.impairment.profiles import PROFILES
from app.domain.spec import ReceiveSpec, SendSpec
from app.web.services import services

impairment_pages = Blueprint("impairment_pages", __name__)

_FIELDS = ("delay_ms", "jitter_ms", "loss_percent")
_TITLES = {"delay_ms": "Delay, ms", "jitter_ms": "Jitter, ms", "loss_percent": "Random loss, %"}


@impairment_pages.get("/impairment")
def impairment() -> str:
    """The form of a relay, and the relays that are there."""
    manager = services().manager
    snapshots = manager.list()
    bounds = bounds_of(DirectionImpairment)
    listening = [
        (snapshot.spec.endpoint.port, snapshot.spec.label())
        for snapshot in snapshots
        if isinstance(snapshot.spec, SendSpec | ReceiveSpec) and not snapshot.spec.is_call
    ]
    return render_template(
        "impairment.html",
        profiles=list(PROFILES.values()),
        listening=listening,
        senders=[(each.key, each.spec.label()) for each in snapshots if isinstance(each.spec, SendSpec)],
        free_ports=manager.free_ports(),
        figures=[(name, _TITLES[name], bounds[name]) for name in _FIELDS],
    )
