"""The API's description in OpenAPI 3.1. Its schemas are generated from the types of the answers."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import msgspec

from app.domain.impairment.model import Impairment, OutageOrder
from app.domain.impairment.profiles import Profile
from app.domain.network_order import NetworkTestOrder
from app.domain.presets import FarEnd
from app.domain.secret import Secret
from app.domain.spec import ReceiveSpec, RelaySpec, SendSpec
from app.domain.stream_choice import StreamChoice
from app.media.channels import ChannelsView
from app.media.library import MediaFolder
from app.mpegts.inspect.first_look import MediaCheck
from app.presets.transfer import Imported
from app.utils import Interface
from app.web.api.openapi_line_up import LINE_UP_TYPES, line_up_paths
from app.web.api.openapi_parts import (
    REHEARSAL_TYPES,
    all_streams_paths,
    configuration_paths,
    impairment_paths,
    network_test_paths,
    preset_paths,
    probe_report_paths,
    reception_paths,
)
from app.web.api.schema import holding as _holding
from app.web.api.schema import json as _json
from app.web.api.schema import of_key as _of_key
from app.web.api.schema import operation as _operation
from app.web.api.schema import query as _query
from app.web.api.schema import ref as _ref
from app.web.api.schema import setting as _setting
from app.web.api.schema import wrapped as _wrapped
from app.web.presenters.about import AboutView
from app.web.presenters.all_streams import AllStreamsView
from app.web.presenters.configuration import ConfigurationOrder, ConfigurationView
from app.web.presenters.history_views import HistoryView
from app.web.presenters.hosts import FleetView
from app.web.presenters.link_budget import LinkBudgetView
from app.web.presenters.machine_views import MediaInfoView, SystemView
from app.web.presenters.network_views import NetworkTestRowView, NetworkTestView, ServersView
from app.web.presenters.presets import KnownFarEndView, PresetDocument, PresetOrder, PresetView
from app.web.presenters.probe_reports import ProbeReportView
from app.web.presenters.reception_views import DeliverySecondView
from app.web.presenters.stream_views import SecondView, StreamView
from app.web.presenters.views import DashboardView, EventView, LiveView, OverviewView

_TYPES: Final = [
    SendSpec,
    ReceiveSpec,
    RelaySpec,
    Impairment,
    Profile,
    OutageOrder,
    StreamChoice,
    FarEnd,
    PresetOrder,
    PresetView,
    KnownFarEndView,
    PresetDocument,
    Imported,
    StreamView,
    AllStreamsView,
    SecondView,
    HistoryView,
    DeliverySecondView,
    EventView,
    SystemView,
    AboutView,
    OverviewView,
    LiveView,
    DashboardView,
    FleetView,
    *LINE_UP_TYPES,
    ProbeReportView,
    *REHEARSAL_TYPES,
    ConfigurationOrder,
    ConfigurationView,
    MediaFolder,
    MediaCheck,
    Interface,
    NetworkTestOrder,
    NetworkTestRowView,
    NetworkTestView,
    ServersView,
    ChannelsView,
    MediaInfoView,
    LinkBudgetView,
]


class ErrorDetail(msgspec.Struct, frozen=True):
    """What went wrong, and in which fields. It has a `reason` only if a stream could not start."""

    code: str
    message: str
    fields: dict[str, str]
    reason: str | msgspec.UnsetType = msgspec.UNSET


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The form of every error."""

    error: ErrorDetail


@cache
def describe_api() -> dict[str, Any]:
    """Return the description as a document, which is made once."""
    _, components = msgspec.json.schema_components(
        [*_TYPES, ErrorAnswer], schema_hook=_schema_of, ref_template="#/components/schemas/{name}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MCR SRT Streamer",
            "version": "1",
            "description": (
                "Streams on SRT. Send `Authorization: Bearer <API_KEY>`, or the session of a page and, on writes, "
                "its CSRF token in X-CSRFToken. Unknown is null, zero is 0, times are ISO 8601 in UTC."
            ),
        },
        "security": [{"apiKey": []}, {"session": []}],
        "paths": _paths(),
        "components": {
            "schemas": components,
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "mcr_srt_session"},
            },
        },
    }


def _paths() -> dict[str, Any]:
    return {
        **_stream_paths(),
        **_stream_figures_paths(),
        **_machine_paths(),
        **_media_paths(),
        **all_streams_paths(),
        **impairment_paths(),
        **configuration_paths(),
        **preset_paths(),
        **probe_report_paths(),
        **reception_paths(),
        **network_test_paths(),
        **line_up_paths(),
    }


def _stream_paths() -> dict[str, Any]:
    """Describe the paths of streams and of orders to them."""
    stream = _ref("StreamView")
    return {
        "/api/streams": {
            "get": _operation("All streams", _wrapped("streams", stream, overview=_ref("OverviewView")), []),
            "post": {
                **_operation("Put a stream on air", stream, [400, 409, 413, 422], success=201),
                "requestBody": {
                    "required": True,
                    "content": _json({"anyOf": [_ref("SendSpec"), _ref("ReceiveSpec"), _ref("RelaySpec")]}),
                },
            },
        },
        "/api/streams/{key}": _of_key(
            get=_operation("One stream", stream, [404]),
            put={
                **_operation("Replace its spec; a stream on air is restarted", stream, [400, 404, 409, 413, 422]),
                "requestBody": {"required": True, "content": _json(_ref("SendSpec"))},
            },
            delete=_operation("Take a stream off air and delete it", None, [404], success=204),
        ),
        "/api/streams/{key}/undo_dismiss": _of_key(
            post=_operation("Bring back a stream that was dismissed in the last 10 s", stream, [404, 409])
        ),
        "/api/streams/{key}/stop": _of_key(post=_operation("Take a stream off air", stream, [404])),
        "/api/streams/{key}/start": _of_key(
            post=_operation("Put a stream on air again with the same spec", stream, [404, 409, 422])
        ),
    }


def _stream_figures_paths() -> dict[str, Any]:
    """Describe the paths of a stream's figures."""
    return {
        "/api/streams/{key}/history": _of_key(
            get=_operation(
                "Its last seconds, oldest first; with `from` or `to` a HistoryView of that time",
                _wrapped("samples", _ref("SecondView")),
                [400, 404],
                [
                    _query("seconds", {"type": "integer", "minimum": 1, "maximum": 3600, "default": 300}),
                    _query("from", {"type": "integer", "description": "Unix time, within the last 72 hours"}),
                    _query("to", {"type": "integer", "description": "Unix time"}),
                    _query("step", {"enum": ["1"], "description": "Seconds instead of summaries; the last hour only"}),
                    _query("format", {"enum": ["json", "csv"], "default": "json"}),
                ],
            )
        ),
        "/api/streams/{key}/live": _of_key(
            get=_operation(
                "Everything that the stream's page shows",
                _ref("LiveView"),
                [400, 404],
                [_query("since", {"type": "integer", "description": "Unix time; samples after it"})],
            )
        ),
        "/api/streams/{key}/debug": _of_key(get=_operation("Raw engine values, no secrets", {"type": "object"}, [404])),
        "/api/streams/{key}/passphrase": _of_key(
            post=_operation(
                "The passphrase, for a person on the stream's page; refused to the API key",
                {"type": "object", "properties": {"passphrase": {"type": ["string", "null"]}}},
                [404],
            )
        ),
    }


def _machine_paths() -> dict[str, Any]:
    """Describe the paths of the host, its events and all streams together."""
    return {
        "/api/events": {
            "get": _operation(
                "The event log, newest first",
                _wrapped("events", _ref("EventView"), overview=_ref("OverviewView")),
                [400],
                [
                    _query("key", {"type": "string"}),
                    _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 200}),
                    _query("format", {"enum": ["json", "csv"], "default": "json"}),
                ],
            )
        },
        "/api/overview": {
            "get": _operation("The state of all streams together", _holding(overview=_ref("OverviewView")), [])
        },
        "/api/dashboard": {
            "get": _operation(
                "All data of the dashboard",
                _ref("DashboardView"),
                [],
                [_query("spark", {"enum": ["0", "1"]})],
            )
        },
        "/api/fleet": {"get": _operation("All hosts and all their streams", _ref("FleetView"), [])},
        "/api/interfaces": {"get": _operation("Network interfaces", _wrapped("interfaces", _ref("Interface")), [])},
        "/api/system": {"get": _operation("The machine", _ref("SystemView"), [])},
        "/api/about": {"get": _operation("Version, libraries, settings without secrets", _ref("AboutView"), [])},
    }


def _media_paths() -> dict[str, Any]:
    """Describe the paths of media files and of the link budget."""
    return {
        "/api/media": {
            "get": _operation("A folder of media", _ref("MediaFolder"), [400], [_query("path", {"type": "string"})])
        },
        "/api/media/check": {
            "get": _operation(
                "A quick check of one file", _ref("MediaCheck"), [400], [_query("path", {"type": "string"})]
            )
        },
        "/api/link-budget": {
            "get": _operation(
                "What a link must carry and survives at given settings",
                _ref("LinkBudgetView"),
                [400],
                [
                    _setting("latency_ms"),
                    _setting("overhead_percent"),
                    _query("bitrate_bps", {"type": "integer", "minimum": 1}),
                    _query("rtt_ms", {"type": "integer", "minimum": 0}),
                ],
            )
        },
        "/api/media/info": {
            "get": _operation(
                "The analysis of a whole file, as far as it has come; repeat the request for more",
                _ref("MediaInfoView"),
                [400, 409],
                [_query("path", {"type": "string"}), _setting("overhead_percent")],
            )
        },
        "/api/channels": {"get": _operation("The multicast channels of this installation", _ref("ChannelsView"), [])},
    }


def _schema_of(kind: type) -> dict[str, Any]:
    if kind is Secret:
        return {"type": "string", "writeOnly": True, "description": "10 to 79 bytes of UTF-8"}
    raise NotImplementedError(f"no schema for {kind}")
