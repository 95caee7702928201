"""Routes for monitoring programs: health, Prometheus metrics, and the API's description."""

from __future__ import annotations

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from app.web.access import holds_api_key
from app.web.api.description import describe_api
from app.web.errors import json_response
from app.web.presenters.host_metrics import HostCollector
from app.web.presenters.line_up_metrics import LineUpCollector
from app.web.presenters.machine import present_health, present_reasons
from app.web.presenters.metrics import StreamCollector
from app.web.presenters.reception_metrics import ReceptionCollector
from app.web.services import services

operations = Blueprint("operations", __name__)


@operations.get("/health")
def health() -> Response:
    """Answer 200 if the store answers, the media folder is readable and every ordered stream is healthy; else 503.

    With the API key, `reasons` says why, and names the streams.
    """
    snapshots, problems = services().manager.list(), services().problems()
    parts = present_health(snapshots, problems)
    is_well = all(state == "ok" for state in parts.values())
    document: dict[str, object] = {"status": "ok" if is_well else "fault", "parts": parts}
    if holds_api_key(request, services().settings.api_key):
        document["reasons"] = present_reasons(snapshots, problems)
    return json_response(document, 200 if is_well else 503)


@operations.get("/metrics")
def metrics() -> Response:
    """Return all figures for Prometheus, read at this moment."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StreamCollector(services().manager.list()))
    registry.register(LineUpCollector(services().line_ups.runs()))
    registry.register(ReceptionCollector(services().manager.list()))
    registry.register(HostCollector(services().hosts.reports()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


@operations.get("/api/openapi.json")
def openapi() -> Response:
    """Return the API's description, OpenAPI 3.1."""
    return json_response(describe_api())
