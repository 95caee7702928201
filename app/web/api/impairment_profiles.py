"""The JSON API of impairment profiles: those of the product, own profiles, and profiles of a measured link."""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec
from flask import Blueprint, Response, request

from app.domain.errors import InvalidInput
from app.domain.impairment.my_link import MeasuredLink, profile_of
from app.domain.impairment.own_profiles import parse_profiles
from app.domain.impairment.profiles import PROFILES
from app.domain.spec import ReceiveSpec, SendSpec
from app.machine.steady_clock import unix_now
from app.web.errors import json_response
from app.web.presenters.my_link import link_of_stream, link_of_test
from app.web.requests import read_json
from app.web.services import services

impairment_profiles = Blueprint("impairment_profiles", __name__, url_prefix="/api/impairment-profiles")
_HOUR_S: Final = 3600


@impairment_profiles.get("")
def list_profiles() -> Response:
    """Return the profiles with their sources, first the product's, then the own ones, which `own` names."""
    own = services().own_profiles.all()
    return json_response({"profiles": [*PROFILES.values(), *own], "own": [profile.name for profile in own]})


@impairment_profiles.get("/own")
def export_profiles() -> Response:
    """Return the own profiles as a file that another installation can import."""
    response = json_response({"profiles": services().own_profiles.all()})
    response.headers.set("Content-Disposition", "attachment", filename="impairment-profiles.json")
    return response


@impairment_profiles.post("/own")
def keep_profiles() -> Response:
    """Store own profiles in place of those with the same names: all of them, or none."""
    profiles = parse_profiles(read_json())
    services().own_profiles.keep(profiles)
    return json_response({"profiles": profiles}, 201)


@impairment_profiles.delete("/own/<name>")
def remove_profile(name: str) -> Response:
    """Delete an own profile."""
    services().own_profiles.remove(name)
    return Response(status=204)


@impairment_profiles.get("/measured")
def measured_profiles() -> Response:
    """Return my link and my link × 2, from the network test `test` or the last hour of the stream `stream`."""
    link = _measured(request.args.get("test", ""), request.args.get("stream", ""))
    return json_response({"profiles": [profile_of(link), profile_of(link, times=2)]})


def with_own_profile(impairment: object) -> object:
    """Return the impairment document. If it has no figures, add those of the own profile that it names."""
    if not isinstance(impairment, dict) or impairment.get("to_target") or impairment.get("to_caller"):
        return impairment
    name = impairment.get("profile")
    profile = services().own_profiles.find(name) if isinstance(name, str) else None
    if profile is None:
        return impairment
    directions = msgspec.to_builtins({"to_target": profile.to_target, "to_caller": profile.to_caller})
    return {**cast(dict[str, Any], impairment), **directions}


def with_own_profile_in(document: object) -> object:
    """Return a relay's or rehearsal's document with the figures of the own profile that its impairment names."""
    if not isinstance(document, dict) or "impairment" not in document:
        return document
    return {**document, "impairment": with_own_profile(document["impairment"])}


def _measured(test: str, stream: str) -> MeasuredLink:
    if bool(test) == bool(stream):
        raise InvalidInput.of({"stream": "name a network test by test, or a stream by stream"})
    if test:
        return link_of_test(services().network.get(test))
    manager = services().manager
    snapshot = manager.get(stream)
    sent = manager.history(stream, _HOUR_S) if isinstance(snapshot.spec, SendSpec) else []
    delivered = manager.deliveries(stream, _HOUR_S) if isinstance(snapshot.spec, ReceiveSpec) else []
    return link_of_stream(snapshot, sent, delivered, unix_now())
