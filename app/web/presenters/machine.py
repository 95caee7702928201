"""The machine and the health of the whole as the pages and the API show them."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence

from app.domain.link_budget import bandwidth_needed_bps, shown_mbps
from app.domain.snapshot import Snapshot
from app.domain.status import Order
from app.domain.version import VERSION
from app.machine.versions import Versions, warnings_about
from app.media.analysis import AnalysisState
from app.settings import Settings
from app.utils import System
from app.web.presenters.stream import iso, judge, severity_of
from app.web.presenters.views import MediaInfoView, OverviewView, SystemView
from app.web.presenters.words import Severity


def present_overview(snapshots: Sequence[Snapshot]) -> OverviewView:
    """How the streams are, all together, at this moment."""
    severities = [judge(snapshot)[0] for snapshot in snapshots]
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
    """The machine, with how much of it the streams use."""
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
        sending_mbps=round(sum(snapshot.rates.payload_mbps for snapshot in snapshots if snapshot.rates), 2),
        gstreamer_version=versions.gstreamer,
        libsrt_version=versions.libsrt_package or versions.libsrt,
        warnings=warnings_about(versions),
        missing=missing,
    )


def present_media_info(state: AnalysisState, overhead_percent: int) -> MediaInfoView:
    """The analysis of a file as far as it is, with what a link must carry for it."""
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
    settings: Settings, store_problem: str | None, log_problem: str | None, runtime_problem: str | None
) -> dict[str, str]:
    """What of the installation does not work, a sentence for each part; empty when all is well."""
    problems = {}
    if store_problem is not None:
        problems["store"] = (
            f"The store takes no orders and events, new orders will not survive a reboot: {store_problem}."
        )
    if log_problem is not None:
        problems["log"] = f"The log cannot be written: {log_problem}."
    if runtime_problem is not None:
        problems["runtime_folder"] = f"No stream can be started: {runtime_problem}. What is on air stays on air."
    if not (settings.media_folder.is_dir() and os.access(settings.media_folder, os.R_OK | os.X_OK)):
        problems["media_folder"] = "The media folder cannot be read."
    return problems


def present_health(snapshots: Sequence[Snapshot], problems: Mapping[str, str]) -> dict[str, str]:
    """What of the whole works, part by part: `ok` or `fault`. It names no stream and tells no version."""
    ordered = [snapshot for snapshot in snapshots if snapshot.status.order is Order.RUN]
    streams_are_well = all(severity_of(snapshot) is not Severity.FAULT for snapshot in ordered)
    parts = {name: name not in problems for name in ("store", "log", "runtime_folder", "media_folder")} | {
        "streams": streams_are_well
    }
    return {name: "ok" if works else "fault" for name, works in parts.items()}
