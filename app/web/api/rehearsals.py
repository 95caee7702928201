"""The JSON API of rehearsals: one path without a verdict, or several latencies with a verdict each."""

from __future__ import annotations

from typing import Final

import msgspec
from flask import Blueprint, Response, g, request

from app.domain.errors import InvalidInput, LimitReached
from app.domain.rehearsal.plan import parse_rehearsal
from app.domain.spec import parse_impairment
from app.machine.steady_clock import unix_now
from app.rehearsal.path import PathOrder, send_spec, start_path
from app.web.api.impairment_profiles import with_own_profile_in
from app.web.api.sheets import csv_response
from app.web.api.streams import view_of
from app.web.errors import json_response
from app.web.presenters.machine import present_overview
from app.web.presenters.rehearsal import RehearsalView, present_rehearsal, present_rehearsal_row
from app.web.requests import read_json
from app.web.services import services

rehearsals = Blueprint("rehearsals", __name__, url_prefix="/api")

_COLUMNS: Final = (
    *("latency_ms", "rtt_multiple", "verdict", "packets", "dropped", "gaps", "longest_gap_ms", "continuity_errors"),
    *("overhead_percent", "overhead_peak_percent", "seconds", "late_percent", "reason"),
)


@rehearsals.get("/rehearsals")
def list_rehearsals() -> Response:
    """Return a summary of every rehearsal, newest first."""
    now = unix_now()
    return json_response(
        {
            "overview": present_overview(services().manager.list()),
            "rehearsals": [present_rehearsal_row(run, now) for run in services().rehearsals.runs()],
        }
    )


@rehearsals.post("/rehearsals")
def start_rehearsal() -> Response:
    """Begin a rehearsal and answer with its id at once; 409 while another one runs."""
    run = services().rehearsals.start(parse_rehearsal(with_own_profile_in(read_json())), actor=g.actor)
    response = json_response(present_rehearsal(run, unix_now()), 202)
    response.headers["Location"] = f"/api/rehearsals/{run.id}"
    return response


@rehearsals.get("/rehearsals/<run_id>")
def show_rehearsal(run_id: str) -> Response:
    """Return a rehearsal: progress, a row per latency, and the lowest that held. `format` is json or csv."""
    view = present_rehearsal(services().rehearsals.get(run_id), unix_now())
    match request.args.get("format", "json"):
        case "json":
            return json_response(view)
        case "csv":
            return csv_response(f"rehearsal-{run_id}", _COLUMNS, _rows(view))
        case other:
            raise InvalidInput.of({"format": f"{other[:20]!r} is not a format; use json or csv"})


@rehearsals.post("/rehearsals/<run_id>/cancel")
def cancel_rehearsal(run_id: str) -> Response:
    """End a rehearsal early and keep its measurements."""
    return json_response(present_rehearsal(services().rehearsals.cancel(run_id), unix_now()), 202)


@rehearsals.delete("/rehearsals/<run_id>")
def remove_rehearsal(run_id: str) -> Response:
    """Delete a rehearsal that is over."""
    services().rehearsals.remove(run_id)
    return Response(status=204)


@rehearsals.post("/rehearsed-paths")
def start_rehearsed_path() -> Response:
    """Start a receive stream, a relay to it and a copy of a send stream through the relay: all three, or none."""
    document = with_own_profile_in(read_json())
    if not isinstance(document, dict) or not isinstance(document.get("stream"), str):
        raise InvalidInput.of({"stream": "send the key of the send stream to copy"})
    impairment = parse_impairment(document.get("impairment", {}))
    manager = services().manager
    spec = send_spec(manager, document["stream"])
    ports = manager.free_ports()[:2]
    if len(ports) < 2:
        raise LimitReached("a rehearsal needs two free listener ports; stop a stream")
    order = PathOrder(spec, impairment, spec.latency_ms, (ports[0], ports[1]), f"Rehearsal {ports[1]}")
    path = start_path(manager, order, actor=g.actor, for_rehearsal=False)
    return json_response({"streams": [view_of(each) for each in (path.receiver, path.relay, path.sender)]}, 201)


def _rows(view: RehearsalView) -> list[tuple[object, ...]]:
    rows = [msgspec.structs.asdict(attempt) for attempt in view.attempts]
    return [tuple(row[name] for name in _COLUMNS) for row in rows]
