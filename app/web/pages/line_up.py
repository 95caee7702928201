"""The pages of line-up tests: the plan with the list of runs, a run, and its printable report."""

from __future__ import annotations

from typing import Final

import msgspec
from flask import Blueprint, render_template

from app.domain.lineup.limits import Limits, describe, unit_of
from app.domain.lineup.plan import PROFILE_SECONDS
from app.domain.spec import ReceiveSpec, SendSpec
from app.machine.steady_clock import unix_now
from app.web.presenters.line_up import present_run
from app.web.presenters.probe_reports import present_probe_report
from app.web.services import services

line_up_pages = Blueprint("line_up_pages", __name__)

_REPORTS_SHOWN: Final = 20
_PROFILE_TEXTS: Final = {
    "quick": "Quick, 3 min",
    "line-up": "Line-up, 15 min",
    "booking": "Booking, 2 h",
    "new-circuit": "New circuit, 24 h",
}


@line_up_pages.get("/line-up")
def line_up() -> str:
    """Show the form that plans a line-up test, and the runs so far."""
    snapshots = services().manager.list()
    reports = [kept for kept in services().probe_reports.reports() if kept.history_seconds]
    return render_template(
        "line_up.html",
        senders=[(each.key, each.spec.label()) for each in snapshots if isinstance(each.spec, SendSpec)],
        receivers=[(each.key, each.spec.label()) for each in snapshots if isinstance(each.spec, ReceiveSpec)],
        hosts=[host.name for host in services().hosts.hosts],
        reports=[present_probe_report(kept) for kept in reports[:_REPORTS_SHOWN]],
        profiles=[(name, _PROFILE_TEXTS[name]) for name in PROFILE_SECONDS],
        limits=_limits(),
        saved=services().limits_book.all(),
    )


@line_up_pages.get("/line-up/<run_id>")
def line_up_run(run_id: str) -> str:
    """Show a run, live until it is over."""
    run = services().line_ups.get(run_id)
    return render_template("line_up_run.html", run=present_run(run, unix_now()))


@line_up_pages.get("/line-up/<run_id>/report")
def line_up_report(run_id: str) -> str:
    """Show the report of a run in a form that prints on paper."""
    run = services().line_ups.get(run_id)
    return render_template(
        "line_up_report.html", run=present_run(run, unix_now(), services().line_ups.last_before(run))
    )


def _limits() -> list[dict[str, object]]:
    """Return each limit with its default, as the form shows it."""
    shown: list[dict[str, object]] = []
    for field in msgspec.structs.fields(Limits):
        meta, default = describe(field.name), "" if field.default is None else field.default
        shown.append(
            {
                "name": field.name,
                "title": meta.title,
                "text": meta.description,
                "unit": unit_of(meta),
                "default": default,
            }
        )
    return shown
