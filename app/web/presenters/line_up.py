"""A line-up test for the page, the API and every form of its report: one set of texts and figures."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any, Final

from app.domain.lineup.conclusion import Conclusion, Verdict
from app.domain.lineup.lines import Line
from app.domain.lineup.measured import Check, CheckVerdict
from app.domain.lineup.plan import Plan
from app.domain.lineup.run import RUNNING, Facts, Run, RunState, digest
from app.web.presenters.counter_views import View, described
from app.web.presenters.stream import iso

_VERDICT_TEXTS: Final = {Verdict.PASS: "PASS", Verdict.REMARKS: "PASS WITH REMARKS", Verdict.FAIL: "FAIL"}
_STATE_TEXTS: Final = {
    RunState.CONFIGURATION: "Configuration test",
    RunState.PERFORMANCE: "Performance test",
    RunState.MARGIN: "Margin test",
    RunState.DONE: "Finished",
    RunState.CANCELLED: "Cancelled",
    RunState.FAILED: "Could not measure",
}
_LINE_TEXTS: Final = {
    CheckVerdict.PASS: "Pass",
    CheckVerdict.REMARK: "Remark",
    CheckVerdict.FAIL: "Fail",
    CheckVerdict.UNKNOWN: "Not measured",
    CheckVerdict.SKIPPED: "Not tested",
}
_POINTS_MAX: Final = 600


class LineView(View, frozen=True):
    """A figure against its limit. Texts have their unit; a figure that was not measured is a dash."""

    name: str
    title: str
    got: float | None
    limit: float | None
    margin: float | None
    unit: str
    got_text: str
    limit_text: str
    margin_text: str
    verdict: str
    verdict_text: str
    worst_at: Annotated[str | None, described("When the worst second ended")]
    note: str
    before_text: Annotated[str, described("The figure of the last test of the same far end; empty without one")]


class CheckView(View, frozen=True):
    """A line of the configuration test."""

    title: str
    asked: str
    got: str
    limit: str
    verdict: str
    verdict_text: str


class GraphView(View, frozen=True):
    """The run as a graph: lateness up, loss down. A point covers `step_s` seconds and has their highest value."""

    begins_at: float
    step_s: int
    lateness_ms: list[float | None]
    gap_ms: list[float | None]
    lost: list[int | None]


class RunEventView(View, frozen=True):
    """Something that happened to either end during the run."""

    at: str
    text: str


class RunRowView(View, frozen=True):
    """A run in the list."""

    id: str
    state: str
    state_text: str
    verdict: Annotated[str | None, described("pass, remarks or fail; null before anything was measured")]
    verdict_text: str
    headline: str
    far_end: str
    production: str
    profile: str
    started_at: str
    finished_at: str | None
    is_running: bool
    progress_percent: float
    remaining_s: float | None


class PreviousView(View, frozen=True):
    """The last test of the same far end."""

    id: str
    started_at: str
    verdict_text: str


class RunView(RunRowView, frozen=True):
    """A run with all contents of its report."""

    plan: Plan
    facts: Facts
    problem: str
    actor: str
    tested_text: Annotated[str, described("When and for how long, in UTC and in the local time of this host")]
    lines: list[LineView]
    checks: list[CheckView]
    events: list[RunEventView]
    graph: GraphView
    seconds: int
    previous: PreviousView | None
    sha256: Annotated[str, described("Of the stored JSON; empty while the test runs")]


def present_run_row(run: Run, now: float) -> RunRowView:
    """Return a summary of a run."""
    return RunRowView(**_row(run, now))


def present_run(run: Run, now: float, before: Run | None = None) -> RunView:
    """Return a run in full; `before` is the last one of the same far end."""
    conclusion = run.conclusion
    earlier = before.conclusion if before is not None else None
    shown = {line.name: _figure(line.got, line.unit) for line in earlier.lines} if earlier is not None else {}
    return RunView(
        **_row(run, now),
        plan=run.plan,
        facts=run.facts,
        problem=run.problem,
        actor=run.actor,
        tested_text=_tested(run),
        lines=[] if conclusion is None else [_line(line, shown.get(line.name, "")) for line in conclusion.lines],
        checks=[_check(check) for check in run.measured.checks],
        events=[RunEventView(at=iso(event.at), text=event.text) for event in run.events],
        graph=_graph(run),
        seconds=max(len(run.measured.receiver), len(run.measured.sender)),
        previous=None
        if before is None
        else PreviousView(id=before.id, started_at=iso(before.started_at), verdict_text=verdict_text(earlier)),
        sha256="" if run.state in RUNNING else digest(run),
    )


def verdict_text(conclusion: Conclusion | None) -> str:
    """Return the verdict in capital letters, a dash before anything was measured."""
    return "–" if conclusion is None else _VERDICT_TEXTS[conclusion.verdict]


def _tested(run: Run) -> str:
    utc, local = _span(run, UTC), _span(run, None)
    spans = utc if utc.removesuffix("UTC") == local.removesuffix("UTC") else f"{utc}, {local}"
    return f"{spans}, profile {run.plan.profile}"


def _span(run: Run, zone: tzinfo | None) -> str:
    """Return the beginning and the end in a time zone; None is this host's."""
    began = datetime.fromtimestamp(run.started_at, UTC).astimezone(zone)
    if run.finished_at is None:
        return f"{began:%Y-%m-%d %H:%M:%S} to now {began:%Z}"
    ended = datetime.fromtimestamp(run.finished_at, UTC).astimezone(zone)
    day = "" if ended.date() == began.date() else f"{ended:%Y-%m-%d} "
    return f"{began:%Y-%m-%d %H:%M:%S} to {day}{ended:%H:%M:%S} {began:%Z}"


def _row(run: Run, now: float) -> dict[str, Any]:
    is_running, ends_at = run.state in RUNNING, run.part_ends_at()
    return {
        "id": run.id,
        "state": run.state.value,
        "state_text": _STATE_TEXTS[run.state],
        "verdict": run.conclusion.verdict.value if run.conclusion is not None else None,
        "verdict_text": verdict_text(run.conclusion),
        "headline": run.conclusion.headline if run.conclusion is not None else run.problem,
        "far_end": run.plan.far_end,
        "production": run.plan.production,
        "profile": run.plan.profile,
        "started_at": iso(run.started_at),
        "finished_at": None if run.finished_at is None else iso(run.finished_at),
        "is_running": is_running,
        "progress_percent": round(100 * run.progress(now), 1),
        "remaining_s": round(max(0.0, ends_at - now), 1) if is_running and ends_at is not None else None,
    }


def _line(line: Line, before_text: str) -> LineView:
    return LineView(
        name=line.name,
        title=line.title,
        got=line.got,
        limit=line.limit,
        margin=line.margin,
        unit=line.unit,
        got_text=_figure(line.got, line.unit),
        limit_text=_figure(line.limit, line.unit),
        margin_text=_figure(line.margin, line.unit),
        verdict=line.verdict.value,
        verdict_text=_line_text(line),
        worst_at=None if line.worst_at is None else iso(line.worst_at),
        note=line.note,
        before_text=before_text,
    )


def _line_text(line: Line) -> str:
    """Return the verdict of a line in words. A figure without a limit is information and has no verdict."""
    return "No limit" if line.limit is None and line.verdict is CheckVerdict.PASS else _LINE_TEXTS[line.verdict]


def _check(check: Check) -> CheckView:
    return CheckView(
        title=check.title,
        asked=check.asked,
        got=check.got,
        limit=check.limit,
        verdict=check.verdict.value,
        verdict_text=_LINE_TEXTS[check.verdict],
    )


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    shown = f"{value:.0f}" if value == int(value) else f"{value:.2f}".rstrip("0")
    return f"{shown} {unit}".strip()


def _graph(run: Run) -> GraphView:
    begins_at = run.performance_at or run.started_at
    step_s = max(1, -(-run.plan.seconds() // _POINTS_MAX))
    count = -(-run.plan.seconds() // step_s)
    lateness: list[float | None] = [None] * count
    gaps: list[float | None] = [None] * count
    lost: list[int | None] = [None] * count
    for second in run.measured.receiver:
        index = min(count - 1, max(0, int((second.at - begins_at - 0.5) // step_s)))
        gaps[index] = max(gaps[index] or 0.0, second.gap_ms)
        lost[index] = (lost[index] or 0) + second.packets_lost
        if second.lateness_ms is not None:
            lateness[index] = max(lateness[index] or 0.0, second.lateness_ms)
    return GraphView(begins_at=begins_at, step_s=step_s, lateness_ms=lateness, gap_ms=gaps, lost=lost)
