"""The JSON API of probe reports: `mcr probe --report` posts its result here."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, g, request

from app.domain.probe_report import parse_probe_report
from app.web.errors import json_response
from app.web.presenters.probe_reports import present_probe_report
from app.web.requests import read_json
from app.web.services import services

probe_reports = Blueprint("probe_reports", __name__, url_prefix="/api/probe_reports")
_BODY_BYTES_MAX: Final = 1024 * 1024


@probe_reports.get("")
def list_probe_reports() -> Response:
    """Return every stored report, newest first."""
    return json_response({"reports": [present_probe_report(kept) for kept in services().probe_reports.reports()]})


@probe_reports.post("")
def post_probe_report() -> Response:
    """Store the result of a probe."""
    request.max_content_length = _BODY_BYTES_MAX
    kept = services().probe_reports.keep(parse_probe_report(read_json()), actor=g.actor)
    response = json_response(present_probe_report(kept), 201)
    response.headers["Location"] = f"/api/probe_reports/{kept.id}"
    return response


@probe_reports.get("/<report_id>")
def show_probe_report(report_id: str) -> Response:
    """Return a report."""
    return json_response(present_probe_report(services().probe_reports.get(report_id)))


@probe_reports.delete("/<report_id>")
def remove_probe_report(report_id: str) -> Response:
    """Delete a report."""
    services().probe_reports.remove(report_id)
    return Response(status=204)
