"""The margin test of a run: a rehearsal of the stream's source on this host. The line under test is not used."""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

from app.domain.errors import InvalidInput, ProductError
from app.domain.impairment.model import Impairment
from app.domain.impairment.my_link import profile_of
from app.domain.impairment.profiles import complete
from app.domain.lineup.line_link import link_of_run
from app.domain.lineup.margin import TIMES, Margin, TriedLatency, margin_latencies
from app.domain.lineup.run import Run
from app.domain.rehearsal.plan import RehearsalPlan
from app.domain.rehearsal.run import UNDER_WAY, Rehearsal, RehearsalState
from app.domain.rehearsal.tally import LatencyVerdict, reasons
from app.domain.spec import SendSpec
from app.lineup.ends import Streams

_ACTOR: Final = "line-up test"


class Rehearsals(Protocol):
    """The methods of the rehearsals that a margin test needs."""

    def start(self, plan: RehearsalPlan, *, actor: str) -> Rehearsal:
        """Begin a rehearsal. Raises InvalidInput and LimitReached."""

    def get(self, run_id: str) -> Rehearsal:
        """Return a rehearsal. Raises NotFound."""

    def cancel(self, run_id: str) -> Rehearsal:
        """End a rehearsal early. Raises NotFound."""


def begin_margin(run: Run, streams: Streams, rehearsals: Rehearsals) -> Margin:
    """Start the rehearsal of a run's margin test, or return why it cannot start."""
    link = link_of_run(run.measured, within_s=run.plan.margin_s)
    if run.plan.stream is None or link is None:
        return Margin(problem="The margin was not tested: the sender measured no RTT.")
    try:
        latency_ms = _latency_of_line(run, streams, run.plan.stream)
        profile = profile_of(link, times=TIMES)
        plan = RehearsalPlan(
            stream=run.plan.stream,
            impairment=complete(
                Impairment(profile=profile.name, to_target=profile.to_target, to_caller=profile.to_caller)
            ),
            latencies_ms=margin_latencies(latency_ms),
            rtt_ms=round(link.rtt_p50_ms, 1),
            duration_s=run.plan.margin_s,
            output_gap_max_ms=max(1, run.plan.limits.output_gap_max_ms),
        )
        started = rehearsals.start(plan, actor=_ACTOR)
    except ProductError as error:
        return Margin(problem=f"The margin was not tested: {_reason(error)}.")
    words = f"{link.source}; loss and longest gap were doubled for {run.plan.margin_s} s"
    return Margin(latency_ms=latency_ms, link=words, rehearsal=started.id)


def read_margin(margin: Margin, rehearsals: Rehearsals) -> Margin:
    """Return the present state of the margin test: its end, and its results when it is over."""
    try:
        rehearsal = rehearsals.get(margin.rehearsal)
    except ProductError as error:
        return msgspec.structs.replace(margin, problem=f"The margin was not tested: {error.message}.")
    if rehearsal.state in UNDER_WAY:
        return msgspec.structs.replace(margin, ends_at=rehearsal.ends_at())
    if rehearsal.state is RehearsalState.DONE:
        return msgspec.structs.replace(margin, tried=_tried(rehearsal))
    why = rehearsal.problem or "It was cancelled."
    return msgspec.structs.replace(margin, problem=f"The margin was not tested. {why}")


def _tried(rehearsal: Rehearsal) -> tuple[TriedLatency, ...]:
    elapsed_s, gap_max_ms = rehearsal.elapsed_s(rehearsal.finished_at or 0.0), rehearsal.plan.output_gap_max_ms
    return tuple(
        TriedLatency(
            each.latency_ms,
            rehearsal.verdict_of(each, rehearsal.finished_at or 0.0) or LatencyVerdict.UNCLEAR,
            tuple(reasons(each.tally, gap_max_ms=gap_max_ms, elapsed_s=elapsed_s)),
        )
        for each in rehearsal.attempts
    )


def _latency_of_line(run: Run, streams: Streams, key: str) -> int:
    """Return the negotiated latency of the receiver, else of the sender, else the latency that the stream requests."""
    known = [second.latency_ms for second in run.measured.receiver if second.latency_ms]
    if known:
        return known[-1]
    snapshot = streams.get(key)
    peers = snapshot.sample.peers if snapshot.sample is not None else []
    negotiated = [peer.negotiated_latency_ms for peer in peers if peer.negotiated_latency_ms]
    if negotiated:
        return max(negotiated)
    if not isinstance(snapshot.spec, SendSpec):
        raise InvalidInput.of({"stream": "this stream does not send"})
    return snapshot.spec.latency_ms


def _reason(error: ProductError) -> str:
    return "; ".join(error.fields.values()) if isinstance(error, InvalidInput) else error.message
