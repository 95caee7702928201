"""The JSON API of line-up tests, and the formats of their reports."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree

from flask import Blueprint, Response, g, request

from app.domain.errors import InvalidInput
from app.domain.lineup.plan import parse_plan
from app.domain.lineup.run import Run, encode_run
from app.machine.steady_clock import unix_now
from app.web.api.line_up_limits import with_saved_limits
from app.web.api.sheets import csv_response
from app.web.errors import json_response
from app.web.presenters.line_up import RunView, present_run, present_run_row
from app.web.presenters.machine import present_overview
from app.web.requests import read_json
from app.web.services import services

line_ups = Blueprint("line_ups", __name__, url_prefix="/api/line-ups")

_COLUMNS: Final = ("figure", "measured", "limit", "margin", "unit", "verdict", "worst_second_utc", "note", "last_test")


@line_ups.get("")
def list_line_ups() -> Response:
    """Return a summary of every line-up test, newest first."""
    now = unix_now()
    return json_response(
        {
            "overview": present_overview(services().manager.list()),
            "line_ups": [present_run_row(run, now) for run in services().line_ups.runs()],
        }
    )


@line_ups.post("")
def start_line_up() -> Response:
    """Begin a line-up test and answer with its id at once; 409 while one of its ends is being tested."""
    run = services().line_ups.start(parse_plan(with_saved_limits(read_json())), actor=g.actor)
    response = json_response(present_run(run, unix_now()), 202)
    response.headers["Location"] = f"/api/line-ups/{run.id}"
    return response


@line_ups.get("/<run_id>")
def show_line_up(run_id: str) -> Response:
    """Return a line-up test: progress, figures and verdict. `format` is json, stored, csv, pdf or junit."""
    run = services().line_ups.get(run_id)
    view = present_run(run, unix_now(), services().line_ups.last_before(run))
    match request.args.get("format", "json"):
        case "json":
            return json_response(view)
        case "stored":
            return _file(encode_run(run), "application/json", run, "json")
        case "csv":
            return csv_response(f"line-up-{run.id}", _COLUMNS, _rows(view))
        case "pdf":
            # Imported here: only a report needs the memory of the library and its fonts.
            from app.web.presenters.line_up_pdf import render_pdf

            return _file(render_pdf(view), "application/pdf", run, "pdf")
        case "junit":
            return _file(_junit(view), "application/xml", run, "xml")
        case other:
            raise InvalidInput.of({"format": f"{other[:20]!r} is not a format; use json, stored, csv, pdf or junit"})


@line_ups.post("/<run_id>/cancel")
def cancel_line_up(run_id: str) -> Response:
    """End a line-up test early and keep its measurements."""
    return json_response(present_run(services().line_ups.cancel(run_id), unix_now()), 202)


@line_ups.delete("/<run_id>")
def remove_line_up(run_id: str) -> Response:
    """Delete the report of a line-up test that is over."""
    services().line_ups.remove(run_id)
    return Response(status=204)


def _file(body: bytes, kind: str, run: Run, suffix: str) -> Response:
    response = Response(body, mimetype=kind)
    response.headers.set("Content-Disposition", "attachment", filename=f"line-up-{run.id}.{suffix}")
    return response


def _rows(view: RunView) -> list[tuple[object, ...]]:
    return [
        ("Verdict", view.verdict_text, "", "", "", view.verdict or "", "", view.headline, ""),
        *(
            (
                *(line.title, line.got, line.limit, line.margin, line.unit, line.verdict),
                *(line.worst_at, line.note, line.before_text),
            )
            for line in view.lines
        ),
        *(
            (check.title, check.got, check.limit, "", "", check.verdict, "", f"asked: {check.asked}", "")
            for check in view.checks
        ),
    ]


def _junit(view: RunView) -> bytes:
    """Return JUnit XML with one case per figure and check, which booking and build systems can read."""
    suite = ElementTree.Element("testsuite", name=f"line-up {view.far_end or view.id}", timestamp=view.started_at)
    found = [(each.title, each.verdict, f"{each.got_text}, limit {each.limit_text}") for each in view.lines]
    found += [(each.title, each.verdict, f"{each.got}, limit {each.limit}") for each in view.checks]
    for title, verdict, text in found:
        case = ElementTree.SubElement(suite, "testcase", classname="line-up", name=title)
        if verdict == "fail":
            ElementTree.SubElement(case, "failure", message=text)
        elif verdict in ("unknown", "skipped"):
            ElementTree.SubElement(case, "skipped", message="not measured")
    suite.set("tests", str(len(found)))
    suite.set("failures", str(sum(verdict == "fail" for _, verdict, _ in found)))
    suite.set("skipped", str(sum(verdict in ("unknown", "skipped") for _, verdict, _ in found)))
    return bytes(ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True))
