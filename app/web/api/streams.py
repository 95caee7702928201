"""The JSON API of single streams: start, show, stop. app.web.errors turns errors of the services into answers."""

from __future__ import annotations

import math
import time
from typing import Final

import msgspec
from flask import Blueprint, Response, g, request

from app.domain.errors import InvalidInput
from app.domain.snapshot import Snapshot
from app.domain.spec import parse_spec
from app.domain.spec.parse import with_kept_passphrase
from app.protocol import HISTORY_SECONDS
from app.web.access import is_scripted
from app.web.api.impairment_profiles import with_own_profile_in
from app.web.api.sheets import csv_response
from app.web.api.summaries import LATEST, read_range, show_summaries
from app.web.errors import Unauthorized, json_response
from app.web.presenters.events import present_latest
from app.web.presenters.machine import present_overview
from app.web.presenters.reception import present_delivery_second
from app.web.presenters.reception_views import DeliverySecondView
from app.web.presenters.stream import iso, present_advice, present_event, present_second, present_stream
from app.web.presenters.stream_views import SecondView, StreamView
from app.web.presenters.views import EventView, LiveView
from app.web.requests import read_json, read_number
from app.web.services import services

api = Blueprint("api", __name__, url_prefix="/api")

EVENTS_MAX: Final = 1000
_LIVE_SECONDS: Final = 300
_LIVE_EVENTS: Final = 30
_EVENTS_LOOKED_BACK: Final = 100


@api.get("/streams")
def list_streams() -> Response:
    """Return all streams, oldest first, with their summary."""
    snapshots = services().manager.list()
    return json_response(
        {"overview": present_overview(snapshots), "streams": [view_of(snapshot) for snapshot in snapshots]}
    )


@api.post("/streams")
def start_stream() -> Response:
    """Put a stream on air and answer with its state within 3 s."""
    spec = parse_spec(with_own_profile_in(read_json()), listener_ports=services().settings.listener_ports)
    return started(services().manager.start(spec, actor=g.actor))


@api.get("/streams/<key>")
def show_stream(key: str) -> Response:
    """Return a stream."""
    return json_response(view_of(services().manager.get(key)))


@api.put("/streams/<key>")
def change_stream(key: str) -> Response:
    """Give a stream another spec under the same key. With a key length alone, its passphrase is kept."""
    kept = services().manager.get(key).spec.encryption
    document = with_kept_passphrase(read_json(), kept)
    spec = parse_spec(document, listener_ports=ports_for(key))
    return json_response(view_of(services().manager.change(key, spec, actor=g.actor)))


def ports_for(key: str) -> list[int]:
    """Return the ports on which a stream may listen: those of the settings, and its present one."""
    own = services().manager.get(key).spec.local_port()
    return [*services().settings.listener_ports, *([] if own is None else [own])]


@api.delete("/streams/<key>")
def dismiss_stream(key: str) -> Response:
    """Take a stream off air and delete it."""
    services().manager.dismiss(key, actor=g.actor)
    return Response(status=204)


@api.post("/streams/<key>/undo_dismiss")
def undo_dismiss(key: str) -> Response:
    """Bring back a stream that was dismissed in the last 10 s, on air if it was."""
    return json_response(view_of(services().manager.undo_dismiss(key, actor=g.actor)))


@api.post("/streams/<key>/stop")
def stop_stream(key: str) -> Response:
    """Take a stream off air; it stays listed."""
    return json_response(view_of(services().manager.stop(key, actor=g.actor)))


@api.post("/streams/<key>/start")
def restart_stream(key: str) -> Response:
    """Put a stream on air again with the same spec, stopping it first where it runs."""
    return json_response(view_of(services().manager.restart(key, actor=g.actor)))


@api.get("/streams/<key>/history")
def show_history(key: str) -> Response:
    """Return the stream's last seconds, or the summaries between `from` and `to`, oldest first; JSON or CSV."""
    is_range = "from" in request.args or "to" in request.args
    if is_range and "seconds" in request.args:
        raise InvalidInput.of({"seconds": "send either seconds, or `from` and `to`"})
    if is_range and request.args.get("step") != "1":
        return show_summaries(key)
    seconds = HISTORY_SECONDS if is_range else read_number("seconds", default=300, low=1, high=HISTORY_SECONDS)
    start, end = read_range() if is_range else (0, LATEST)
    found = [second for second in services().manager.history(key, seconds) if start < second.at <= end]
    samples = [present_second(second) for second in found]
    if request.args.get("format") != "csv":
        return json_response({"samples": samples})
    columns = [field.name for field in msgspec.structs.fields(SecondView) if field.name != "at"]
    rows = [(iso(sample.at), sample.at, *(getattr(sample, column) for column in columns)) for sample in samples]
    return csv_response(key, ["time_utc", "at", *columns], rows)


@api.get("/streams/<key>/live")
def show_live(key: str) -> Response:
    """Return all data of a stream's page, with the history after `since` (Unix time; default: five minutes)."""
    manager = services().manager
    snapshots = manager.list()
    snapshot = manager.get(key)
    since = read_number("since", default=0, low=0, high=10**11)
    wanted_s = min(HISTORY_SECONDS, max(1, math.ceil(time.time() - since) + 1)) if since else _LIVE_SECONDS
    history = manager.history(key, wanted_s)
    return json_response(
        LiveView(
            overview=present_overview(snapshots),
            stream=present_stream(snapshot, services().workers),
            samples=[present_second(second) for second in history if second.at > since],
            delivery=_delivery(snapshot, since, wanted_s),
            events=present_latest(manager.events(key=key, limit=_EVENTS_LOOKED_BACK), _LIVE_EVENTS),
            advice=present_advice(snapshot),
        )
    )


def _delivery(snapshot: Snapshot, since: int, wanted_s: int) -> list[DeliverySecondView]:
    if snapshot.reception is None:
        return []
    points = services().manager.deliveries(snapshot.key, wanted_s)
    return [present_delivery_second(point) for point in points if point.at > since]


@api.get("/streams/<key>/debug")
def show_debug(key: str) -> Response:
    """Return raw engine values, allow-listed, without secrets."""
    return json_response(services().manager.debug(key))


@api.post("/streams/<key>/passphrase")
def reveal_passphrase(key: str) -> Response:
    """Return the stream's passphrase for the far-end card. For people only: a script that set it knows it."""
    if is_scripted():
        raise Unauthorized("A passphrase is shown to a person on the stream's page, never to a script.")
    passphrase = services().manager.passphrase(key)
    return json_response({"passphrase": None if passphrase is None else passphrase.reveal()})


@api.get("/events")
def list_events() -> Response:
    """Return the event log, newest first. `key` selects a stream; JSON or CSV."""
    limit = read_number("limit", default=200, low=1, high=EVENTS_MAX)
    entries = services().manager.events(key=request.args.get("key") or None, limit=limit)
    events = [present_event(entry) for entry in entries]
    if request.args.get("format") == "csv":
        return csv_response("events", EventView.__struct_fields__, [msgspec.structs.astuple(event) for event in events])
    return json_response({"overview": present_overview(services().manager.list()), "events": events})


def view_of(snapshot: Snapshot) -> StreamView:
    """Return the view of a snapshot, with the resources that its worker uses."""
    return present_stream(snapshot, services().workers)


def started(snapshot: Snapshot) -> Response:
    """Answer that a stream was started: 201, its view, and its address."""
    response = json_response(view_of(snapshot), 201)
    response.headers["Location"] = f"/api/streams/{snapshot.key}"
    return response
