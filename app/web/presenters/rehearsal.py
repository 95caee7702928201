"""A rehearsal for the page, the API, the command line and the CSV: one set of texts and figures."""

from __future__ import annotations

from typing import Annotated, Any, Final

from app.domain.impairment.words import summary
from app.domain.rehearsal.plan import RehearsalPlan
from app.domain.rehearsal.run import UNDER_WAY, Attempt, Rehearsal, RehearsalState
from app.domain.rehearsal.tally import LatencyVerdict, reasons
from app.web.presenters.counter_views import View, described
from app.web.presenters.stream import iso

_STATE_TEXTS: Final = {
    RehearsalState.STARTING: "Starting the streams",
    RehearsalState.MEASURING: "Measuring",
    RehearsalState.DONE: "Finished",
    RehearsalState.CANCELLED: "Cancelled",
    RehearsalState.FAILED: "Could not measure",
}
_VERDICT_TEXTS: Final = {
    LatencyVerdict.HELD: "HELD",
    LatencyVerdict.FAILED: "FAILED",
    LatencyVerdict.UNCLEAR: "UNCLEAR",
    None: "–",
}


class LatencyRowView(View, frozen=True):
    """One latency of a rehearsal."""

    latency_ms: int
    rtt_multiple: Annotated[float | None, described("Latency over the RTT of the plan")]
    packets: Annotated[int, described("Packets that arrived, each counted once")]
    dropped: Annotated[int, described("Packets lost for good")]
    gaps: Annotated[int, described("Seconds with an output gap beyond the limit")]
    longest_gap_ms: Annotated[float, described("The longest pause of the receiver's output")]
    continuity_errors: int
    overhead_percent: Annotated[float | None, described("Packets sent again, of those sent for the first time")]
    overhead_peak_percent: Annotated[float, described("The same in the worst second")]
    seconds: Annotated[int, described("Seconds that were measured")]
    late_percent: Annotated[float | None, described("Datagrams that the relay sent more than 3 ms late")]
    verdict: Annotated[str | None, described("held, failed or unclear; null before anything was measured")]
    verdict_text: str
    reason: str
    receiver: Annotated[str, described("The key of the receive stream, while it is there")]


class RehearsalRowView(View, frozen=True):
    """A rehearsal in the list."""

    id: str
    label: Annotated[str, described("The stream that was copied")]
    impairment_text: str
    state: str
    state_text: str
    is_running: bool
    started_at: str
    finished_at: str | None
    progress_percent: float
    remaining_s: float | None
    lowest_held_ms: Annotated[int | None, described("The lowest latency that held, with every higher one")]
    headline: str


class RehearsalView(RehearsalRowView, frozen=True):
    """A rehearsal with its table."""

    plan: RehearsalPlan
    actor: str
    problem: str
    attempts: list[LatencyRowView]


def present_rehearsal_row(run: Rehearsal, now: float) -> RehearsalRowView:
    """Return a summary of a rehearsal."""
    return RehearsalRowView(**_row(run, now))


def present_rehearsal(run: Rehearsal, now: float) -> RehearsalView:
    """Return a rehearsal in full."""
    return RehearsalView(
        **_row(run, now),
        plan=run.plan,
        actor=run.actor,
        problem=run.problem,
        attempts=[_attempt(run, attempt, now) for attempt in run.attempts],
    )


def _row(run: Rehearsal, now: float) -> dict[str, Any]:
    is_running, ends_at = run.state in UNDER_WAY, run.ends_at()
    return {
        "id": run.id,
        "label": run.label,
        "impairment_text": summary(run.plan.impairment),
        "state": run.state.value,
        "state_text": _STATE_TEXTS[run.state],
        "is_running": is_running,
        "started_at": iso(run.started_at),
        "finished_at": None if run.finished_at is None else iso(run.finished_at),
        "progress_percent": round(100 * run.elapsed_s(now) / run.plan.duration_s, 1),
        "remaining_s": round(max(0.0, ends_at - now), 1) if is_running and ends_at is not None else None,
        "lowest_held_ms": run.lowest_held(now),
        "headline": _headline(run, now),
    }


def _headline(run: Rehearsal, now: float) -> str:
    lowest, is_running = run.lowest_held(now), run.state in UNDER_WAY
    if run.problem:
        return run.problem
    if run.measured_from is None or not any(attempt.tally.seconds for attempt in run.attempts):
        return "Nothing has been measured yet." if is_running else "Nothing was measured."
    for_s = f"{run.elapsed_s(now):.0f} s"
    if lowest is not None:
        return f"{lowest} ms {'holds so far' if is_running else f'is the lowest latency that held for {for_s}'}."
    highest = run.attempts[-1]
    if run.verdict_of(highest, now) is LatencyVerdict.UNCLEAR:
        return f"The measurement at {highest.latency_ms} ms is unclear; repeat it with fewer latencies at a time."
    return f"{highest.latency_ms} ms, the highest latency, did not hold. Try higher ones."


def _attempt(run: Rehearsal, attempt: Attempt, now: float) -> LatencyRowView:
    tally, verdict = attempt.tally, run.verdict_of(attempt, now)
    overhead = tally.overhead_percent()
    found = reasons(tally, gap_max_ms=run.plan.output_gap_max_ms, elapsed_s=run.elapsed_s(now))
    return LatencyRowView(
        latency_ms=attempt.latency_ms,
        rtt_multiple=round(attempt.latency_ms / run.plan.rtt_ms, 1) if run.plan.rtt_ms else None,
        packets=tally.packets_unique,
        dropped=tally.packets_lost,
        gaps=tally.gaps,
        longest_gap_ms=round(tally.longest_gap_ms, 1),
        continuity_errors=tally.continuity_errors,
        overhead_percent=None if overhead is None else round(overhead, 2),
        overhead_peak_percent=round(tally.resent_peak_percent, 1),
        seconds=tally.seconds,
        late_percent=round(100 * tally.late / tally.relayed, 2) if tally.relayed else None,
        verdict=None if verdict is None else verdict.value,
        verdict_text=_VERDICT_TEXTS[verdict],
        reason=" ".join(found) if verdict is not None else "",
        receiver=attempt.receiver if run.state in UNDER_WAY else "",
    )
