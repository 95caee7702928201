"""All hosts and all their streams, for the hosts page and `/api/fleet`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Final, assert_never

import msgspec

from app.domain.hosts import HostEntry
from app.domain.snapshot import Snapshot
from app.domain.version import VERSION
from app.fleet.poller import is_current
from app.fleet.report import Contact, HostReport, RemoteStream
from app.web.presenters.counter_views import View, described
from app.web.presenters.machine import present_overview
from app.web.presenters.rows import present_row
from app.web.presenters.views import OverviewView

_UNKNOWN: Final = "unknown"
# From the worst to the one that counts least.
_SEVERITIES: Final = ("fault", "attention", "good", "idle")


class HostView(View, frozen=True):
    """One host with the number of its streams by severity. Counts are None if they are not known."""

    name: str
    url: Annotated[str, described("The address of its pages; empty for this host")]
    is_this_host: bool
    state: Annotated[str, described("`answers`, `stale` or `never`: whether its figures are current")]
    state_text: str
    age_s: Annotated[float | None, described("Seconds since its last good answer; null before the first")]
    version: str
    severity: Annotated[str, described("Of its worst stream; `idle` without streams on air, `unknown` while stale")]
    streams: int | None
    fault: int | None
    attention: int | None


class FleetStreamView(View, frozen=True):
    """A stream of any host. If its host does not answer, the severity is `unknown` and the figures are old."""

    host: str
    url: str
    key: str
    label: str
    severity: str
    phase_text: str
    remark: str | None
    direction: Annotated[
        str, described("send, receive or relay; empty if a host of an older version does not report it")
    ]
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
    """Return all hosts at one moment; `now` is monotonic time, as in the reports."""
    reported = [each.dashboard.system.hostname for _, each in others if is_current(each, now)]
    names = Counter([hostname, *filter(None, reported)])
    # A stream of a cluster is listed by each of its hosts: the one that carries it shows it.
    streams = [_own_stream(hostname, snapshot) for snapshot in own if snapshot.host not in names]
    hosts = [_own_host(hostname, streams)]
    for entry, report in others:
        state = _state(report, now)
        theirs = [
            _their_stream(entry, stream, state) for stream in report.dashboard.streams if stream.host not in names
        ]
        hosts.append(_other_host(entry, report, state, theirs, now))
        if state == "answers" and names[report.dashboard.system.hostname] > 1:
            text = f"Answers as {report.dashboard.system.hostname}, as another host does"
            hosts[-1] = msgspec.structs.replace(hosts[-1], state_text=text)
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
        severity=_worst(streams),
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
        severity=_worst(streams) if is_present else _UNKNOWN,
        streams=len(streams) if is_present else None,
        fault=_count(streams, "fault") if is_present else None,
        attention=_count(streams, "attention") if is_present else None,
    )


def _state(report: HostReport, now: float) -> str:
    if report.heard_at is None:
        return "never"
    return "answers" if is_current(report, now) else "stale"


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
        direction=row.direction,
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
        direction=stream.direction,
        mode=stream.mode,
        target=stream.target,
        source=stream.source,
        peers=stream.peers,
        payload_mbps=stream.payload_mbps,
        rtt_ms=stream.rtt_ms,
    )


def _worst(streams: Sequence[FleetStreamView]) -> str:
    present = {stream.severity for stream in streams}
    return next((severity for severity in _SEVERITIES if severity in present), "idle")


def _count(streams: Sequence[FleetStreamView], severity: str) -> int:
    return sum(stream.severity == severity for stream in streams)
