"""The machine and the health of the installation, for the pages and the API."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence

from app.domain.link_budget import bandwidth_needed_bps, shown_mbps
from app.domain.snapshot import Snapshot
from app.domain.spec import SendSpec
from app.domain.status import Order
from app.domain.verdict import Severity, Verdict, judge
from app.domain.version import VERSION
from app.machine.versions import Versions, warnings_about
from app.media.analysis import AnalysisState
from app.settings import Settings
from app.utils import System
from app.web.presenters.machine_views import MediaInfoView, SystemView
from app.web.presenters.stream import iso
from app.web.presenters.views import OverviewView
from app.words.concerns import remark_text
from app.words.states import phase_text, reason_text


def present_overview(snapshots: Sequence[Snapshot]) -> OverviewView:
    """Return the state of all streams together, at this moment."""
    severities = [judge(snapshot, time.time()).severity for snapshot in snapshots]
    return OverviewView(
        now=iso(time.time()),
        hostname=socket.gethostname(),
        streams=len(snapshots),
        on_air=_on_air(snapshots),
        fault=severities.count(Severity.FAULT),
        attention=severities.count(Severity.ATTENTION),
    )


def present_system(
    system: System, snapshots: Sequence[Snapshot], settings: Settings, versions: Versions, missing: list[str]
) -> SystemView:
    """Return the state of the machine, and how much of it the streams use."""
    return SystemView(
        hostname=system.hostname,
        version=VERSION,
        user=system.user,
        platform=system.platform,
        uptime_s=system.uptime_s,
        cpu_percent=round(system.cpu_percent, 1),
        cpu_count=system.cpu_count,
        memory_used_mb=round(system.memory_used_bytes / 1e6),
        memory_total_mb=round(system.memory_total_bytes / 1e6),
        disk_used_percent=system.disk_used_percent,
        disk_free_gb=round(system.disk_free_bytes / 1e9, 1),
        addresses=system.addresses,
        streams_on_air=_on_air(snapshots),
        streams_max=settings.max_streams,
        sending_mbps=_sending_mbps(snapshots),
        gstreamer_version=versions.gstreamer,
        libsrt_version=versions.libsrt_package or versions.libsrt,
        warnings=warnings_about(versions),
        missing=missing,
    )


def _sending_mbps(snapshots: Sequence[Snapshot]) -> float:
    """Return the payload of the send streams. This host does not send what it receives, and relays do not count."""
    rates = [snapshot.rates for snapshot in snapshots if isinstance(snapshot.spec, SendSpec)]
    return round(sum(each.payload_mbps for each in rates if each is not None), 2)


def present_media_info(state: AnalysisState, overhead_percent: int) -> MediaInfoView:
    """Return the analysis of a file so far, and what a link must carry for the file."""
    bitrate_bps = state.analysis.bitrate_bps if state.analysis else None
    needed_bps = bandwidth_needed_bps(bitrate_bps, overhead_percent) if bitrate_bps else None
    return MediaInfoView(
        state=state,
        overhead_percent=overhead_percent,
        needed_mbps=shown_mbps(needed_bps) if needed_bps is not None else None,
    )


def _on_air(snapshots: Sequence[Snapshot]) -> int:
    return sum(snapshot.worker_pid is not None for snapshot in snapshots)


def present_problems(
    *,
    store_problem: str | None,
    log_problem: str | None,
    runtime_problem: str | None,
    media_problem: str | None,
    cluster_problem: str | None = None,
) -> dict[str, str]:
    """Return the faults of the installation, one sentence each; empty without a fault."""
    problems = {}
    if store_problem is not None:
        problems["store"] = (
            f"The store accepts no orders or events; new orders will not survive a reboot: {store_problem}."
        )
    if log_problem is not None:
        problems["log"] = f"The log cannot be written: {log_problem}."
    if runtime_problem is not None:
        problems["runtime_folder"] = f"No stream can be started: {runtime_problem}. Running streams stay on air."
    if media_problem is not None:
        problems["media_folder"] = media_problem
    if cluster_problem is not None:
        problems["cluster"] = cluster_problem
    return problems


def present_health(snapshots: Sequence[Snapshot], problems: Mapping[str, str]) -> dict[str, str]:
    """Return the health of each part: `ok` or `fault`. It names no stream and no version."""
    streams_are_well = not any(streams_at_fault(snapshots))
    parts = {name: name not in problems for name in ("store", "log", "runtime_folder", "media_folder")} | {
        "streams": streams_are_well
    }
    return {name: "ok" if works else "fault" for name, works in parts.items()}


def streams_at_fault(snapshots: Sequence[Snapshot]) -> list[tuple[Snapshot, Verdict]]:
    """Return the ordered streams that are at fault, with their verdicts."""
    now = time.time()
    judged = [(snapshot, judge(snapshot, now)) for snapshot in snapshots if snapshot.status.order is Order.RUN]
    return [(snapshot, verdict) for snapshot, verdict in judged if verdict.severity is Severity.FAULT]


def present_reasons(snapshots: Sequence[Snapshot], problems: Mapping[str, str]) -> list[str]:
    """Return why the installation is not healthy, one sentence each. They name streams: only for holders of the key."""
    named = []
    for snapshot, verdict in streams_at_fault(snapshots):
        status = snapshot.status
        words = [phase_text(status.phase).lower(), reason_text(status.reason), remark_text(verdict, snapshot)]
        named.append(f"{snapshot.spec.label()}: {', '.join(word for word in words if word)}")
    return [*problems.values(), *named]
