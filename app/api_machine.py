"""The JSON API of everything around the streams: the dashboard in one answer, media, interfaces, the machine."""

from __future__ import annotations

import time

from flask import Blueprint, Response, request

from app.presenters import iso, present_event, present_row
from app.presenters_machine import present_system
from app.presenters_views import DashboardView
from app.utils import list_interfaces
from app.web_errors import json_response
from app.web_services import services

machine = Blueprint("machine", __name__, url_prefix="/api")

_DASHBOARD_EVENTS = 6
_SPARK_SECONDS = 300


@machine.get("/dashboard")
def show_dashboard() -> Response:
    """All that the dashboard shows; with `spark=1` each row brings its last five minutes."""
    manager = services().manager
    snapshots = manager.list()
    with_spark = request.args.get("spark") == "1"
    services().workers.forget_all_but({snapshot.worker_pid for snapshot in snapshots if snapshot.worker_pid})
    return json_response(
        DashboardView(
            now=iso(time.time()),
            system=present_system(services().system.read(), snapshots, services().settings),
            streams=[
                present_row(snapshot, manager.history(snapshot.key, _SPARK_SECONDS) if with_spark else None)
                for snapshot in snapshots
            ],
            events=[present_event(entry) for entry in manager.events(limit=_DASHBOARD_EVENTS)],
            free_ports=manager.free_ports(),
        )
    )


@machine.get("/media")
def list_media() -> Response:
    """A folder of the media library: its sub-folders and transport stream files."""
    return json_response(services().media.list(request.args.get("path", "")))


@machine.get("/media/check")
def check_media() -> Response:
    """A quick look at one file: whether it can be streamed, its bitrate, duration and clock."""
    return json_response(services().media.check(request.args.get("path", "")))


@machine.get("/interfaces")
def show_interfaces() -> Response:
    """The network interfaces of this host."""
    return json_response({"interfaces": list_interfaces()})


@machine.get("/system")
def show_system() -> Response:
    """The machine this runs on."""
    snapshots = services().manager.list()
    return json_response(present_system(services().system.read(), snapshots, services().settings))
