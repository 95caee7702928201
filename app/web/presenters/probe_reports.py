"""Reports of probes for the API and the receive page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

from app.domain.probe_report import KeptReport, ProbeReport
from app.web.presenters.counter_views import View


class ProbeReportView(View, frozen=True):
    """The result of a probe at another host."""

    id: str
    received_at: Annotated[str, Meta(description="When it was received, by this host's clock")]
    actor: str
    started_at: Annotated[str, Meta(description="By the prober's clock")]
    ended_at: str
    report: Annotated[ProbeReport, Meta(description="As it was posted, without its history")]
    history_seconds: Annotated[int, Meta(description="Seconds of its history, which a line-up test reads")]


def present_probe_report(kept: KeptReport) -> ProbeReportView:
    """Return a report in the API's form."""
    return ProbeReportView(
        id=kept.id,
        received_at=_iso(kept.received_at),
        actor=kept.actor,
        started_at=_iso(kept.report.started_at),
        ended_at=_iso(kept.report.ended_at),
        report=kept.report,
        history_seconds=kept.history_seconds,
    )


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
