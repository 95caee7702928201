"""The JSON API of everything except single streams: the dashboard, media, interfaces, the machine."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, request

from app.domain.errors import NotFound
from app.domain.figures.history import Second
from app.domain.snapshot import Snapshot
from app.domain.spec import SendSpec
from app.domain.spec.fields import settings_of
from app.utils import list_interfaces
from app.web.errors import json_response
from app.web.presenters.about import present_about
from app.web.presenters.events import present_latest
from app.web.presenters.link_budget import present_link_budget
from app.web.presenters.machine import present_media_info, present_overview, present_system
from app.web.presenters.machine_views import SystemView
from app.web.presenters.rows import SPARK_SECONDS, present_row
from app.web.presenters.views import DashboardView
from app.web.requests import read_number, read_setting
from app.web.services import services

machine = Blueprint("machine", __name__, url_prefix="/api")

_SETTINGS = settings_of(SendSpec)
_DASHBOARD_EVENTS = 6
_EVENTS_LOOKED_BACK = 100


@machine.get("/overview")
def show_overview() -> Response:
    """Return the state of all streams together."""
    return json_response({"overview": present_overview(services().manager.list())})


@machine.get("/dashboard")
def show_dashboard() -> Response:
    """Return all data of the dashboard; with `spark=1` each row has its last five minutes."""
    manager = services().manager
    snapshots = manager.list()
    with_spark = request.args.get("spark") == "1"
    return json_response(
        DashboardView(
            overview=present_overview(snapshots),
            system=_system(snapshots),
            streams=[present_row(snapshot, _spark_of(snapshot.key) if with_spark else None) for snapshot in snapshots],
            events=present_latest(manager.events(limit=_EVENTS_LOOKED_BACK), _DASHBOARD_EVENTS),
            free_ports=manager.free_ports(),
        )
    )


def _spark_of(key: str) -> list[Second]:
    """Return a stream's last minutes; none for a stream that was removed meanwhile, so that the others are shown."""
    try:
        return services().manager.history(key, SPARK_SECONDS)
    except NotFound:
        return []


@machine.get("/media")
def list_media() -> Response:
    """Return a folder of the media library: its sub-folders and transport stream files."""
    return json_response(services().media.list(request.args.get("path", "")))


@machine.get("/media/check")
def check_media() -> Response:
    """Check one file quickly: whether it can be streamed, its bitrate, duration and clock."""
    return json_response(services().media.check(request.args.get("path", "")))


@machine.get("/media/info")
def show_media_info() -> Response:
    """Return the analysis of a whole file, which runs in the background; repeat the request for its progress."""
    state = services().analyst.look(request.args.get("path", ""))
    overhead_percent = read_setting("overhead_percent", _SETTINGS["overhead_percent"])
    return json_response(present_media_info(state, overhead_percent))


@machine.get("/link-budget")
def show_link_budget() -> Response:
    """Return what a link must carry and survives; the query may have `bitrate_bps` and `rtt_ms`."""
    rtt_ms = read_number("rtt_ms", default=-1, low=0, high=60_000)
    return json_response(
        present_link_budget(
            latency_ms=read_setting("latency_ms", _SETTINGS["latency_ms"]),
            overhead_percent=read_setting("overhead_percent", _SETTINGS["overhead_percent"]),
            bitrate_bps=read_number("bitrate_bps", default=0, low=1, high=10**10) or None,
            rtt_ms=None if rtt_ms < 0 else rtt_ms,
        )
    )


@machine.get("/channels")
def list_channels() -> Response:
    """Return the multicast channels of this installation, and the faults of channels that are left out."""
    has_own = services().settings.channels_file.exists()
    return json_response((services().channels if has_own else services().shipped_channels).read())


@machine.get("/interfaces")
def show_interfaces() -> Response:
    """Return the network interfaces of this host."""
    return json_response({"interfaces": list_interfaces()})


@machine.get("/system")
def show_system() -> Response:
    """Return the state of this machine."""
    return json_response(_system(services().manager.list()))


@machine.get("/about")
def show_about() -> Response:
    """Return the version, the libraries and the settings in force; never a secret."""
    return json_response(present_about(services().settings, services().versions.read()))


def _system(snapshots: list[Snapshot]) -> SystemView:
    asked = services()
    view = present_system(asked.system.read(), snapshots, asked.settings, asked.versions.read(), asked.missing_programs)
    return msgspec.structs.replace(view, warnings=[*asked.problems().values(), *view.warnings])
