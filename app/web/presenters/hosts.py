"""All hosts and all their streams as the hosts page and `/api/fleet` show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, assert_never

from app.domain.hosts import HostEntry
from app.domain.snapshot import Snapshot
from app.domain.version import VERSION
from app.fleet.poller import ANSWER_WITHIN_S, POLL_EVERY_S
from app.fleet.report import Contact, HostReport, RemoteStream
from app.web.presenters.counter_views import View, described
from app.web.presenters.machine import present_overview
from app.web.presenters.rows import present_row
from app.web.presenters.views import OverviewView

# A report that is older than two polls and one time limit is stale.
STALE_AFTER_S: Final = 2 * POLL_EVERY_S + ANSWER_WITHIN_S
_UNKNOWN: Final = "unknown"
_SEVERITIES: Final = frozenset({"good", "attention", "fault", "idle"})


class HostView(View, frozen=True):
    """One host with the number of its streams by severity. Counts are None while they are unknown."""

    name: str
    url: Annotated[str, described("The address of its pages; empty for this host")]
    is_this_host: bool
    state: Annotated[str, described("`answers`, `stale` or `never`: whether its figures are current")]
    state_text: str
    age_s: Annotated[float | None, described("Seconds since its last good answer; None before the first")]
    version: str
    streams: int | None
    fault: int | None
    attention: int | None


class FleetStreamView(View, frozen=True):
    """A stream of any host. Of a host that does not answer, the severity is `unknown` and the figures are old."""

    host: str
    url: str
    key: str
    label: str
    severity: str
    phase_text: str
    remark: str | None
    mode: str
    target: str
    source: str
    peers: int
    payload_mbps: float | None
    rtt_ms: float | None


class FleetView(View, frozen=True):
    """Every host, this one first, and every stream of every host."""

    overview: OverviewView
    hosts: list[HostView]
    streams: list[FleetStreamView]


def present_fleet(
    own: Sequence[Snapshot], others: Sequence[tuple[HostEntry, HostReport]], *, hostname: str, now: float
) -> FleetView:
    """All hosts at a moment; `now` is monotonic time, as in the reports."""
    streams = [_own_stream(hostname, snapshot) for snapshot in own]
    hosts = [_own_host(hostname, streams)]
    for entry, report in others:
        state = _state(report, now)
        theirs = [_their_stream(entry, stream, state) for stream in report.dashboard.streams]
        hosts.append(_other_host(entry, report, state, theirs, now))
        streams += theirs
    return FleetView(overview=present_overview(own), hosts=hosts, streams=streams)


def _own_host(hostname: str, streams: Sequence[FleetStreamView]) -> HostView:
    return HostView(
        name=hostname,
        url="",
        is_this_host=True,
        state="answers",
        state_text="This host",
        age_s=0.0,
        version=VERSION,
        streams=len(streams),
        fault=_count(streams, "fault"),
        attention=_count(streams, "attention"),
    )


def _other_host(
    entry: HostEntry, report: HostReport, state: str, streams: Sequence[FleetStreamView], now: float
) -> HostView:
    is_present = state == "answers"
    age_s = report.age_s(now)
    return HostView(
        name=entry.name,
        url=entry.url.rstrip("/"),
        is_this_host=False,
        state=state,
        state_text=_state_text(report),
        age_s=None if age_s is None else round(age_s, 1),
        version=report.dashboard.system.version,
        streams=len(streams) if is_present else None,
        fault=_count(streams, "fault") if is_present else None,
        attention=_count(streams, "attention") if is_present else None,
    )


def _state(report: HostReport, now: float) -> str:
    age_s = report.age_s(now)
    if age_s is None:
        return "never"
    is_good = report.contact is Contact.ANSWERED and age_s <= STALE_AFTER_S
    return "answers" if is_good else "stale"


def _state_text(report: HostReport) -> str:
    match report.contact:
        case Contact.ANSWERED:
            return "Answers"
        case Contact.NEVER:
            return "Not asked yet"
        case Contact.SILENT:
            return f"No answer: {report.detail}"
        case Contact.REFUSED:
            return "Refuses this host: check the API key in HOSTS"
        case Contact.GARBLED:
            return f"No usable answer: {report.detail}"
        case _:
            assert_never(report.contact)


def _own_stream(hostname: str, snapshot: Snapshot) -> FleetStreamView:
    row = present_row(snapshot)
    return FleetStreamView(
        host=hostname,
        url=f"/stream/{row.key}",
        key=row.key,
        label=row.label,
        severity=row.severity.value,
        phase_text=row.phase_text,
        remark=row.remark or row.reason_text,
        mode=row.mode,
        target=row.target,
        source=row.source,
        peers=row.peers,
        payload_mbps=row.payload_mbps,
        rtt_ms=row.rtt_ms,
    )


def _their_stream(entry: HostEntry, stream: RemoteStream, state: str) -> FleetStreamView:
    is_known = state == "answers" and stream.severity in _SEVERITIES
    return FleetStreamView(
        host=entry.name,
        url=f"{entry.url.rstrip('/')}/stream/{stream.key}" if stream.key.isalnum() else entry.url,
        key=stream.key,
        label=stream.label,
        severity=stream.severity if is_known else _UNKNOWN,
        phase_text=stream.phase_text,
        remark=stream.remark,
        mode=stream.mode,
        target=stream.target,
        source=stream.source,
        peers=stream.peers,
        payload_mbps=stream.payload_mbps,
        rtt_ms=stream.rtt_ms,
    )


def _count(streams: Sequence[FleetStreamView], severity: str) -> int:
    return sum(stream.severity == severity for stream in streams)
