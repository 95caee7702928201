"""The JSON form of answers with several streams, or that combine other answers.

The API's description and the hover texts of the pages are generated from these views and the `…_views` of each subject,
so the three cannot disagree. Unknown is null, zero is 0. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

from typing import Annotated

from app.domain.verdict import Severity
from app.web.presenters.counter_views import View, described
from app.web.presenters.judged_views import JudgedView
from app.web.presenters.machine_views import SystemView
from app.web.presenters.reception_views import DeliverySecondView
from app.web.presenters.stream_views import AdviceView, SecondView, StreamView

_is = described


class RowView(JudgedView, frozen=True):
    """A stream as one row of the dashboard; figures as in the stream's own view."""

    key: str
    label: str
    severity: Severity
    phase: str
    phase_text: str
    reason_text: str | None
    remark: str | None
    input_mbps: Annotated[float | None, _is("Transport stream received from the source over the last second")]
    source_errors: Annotated[int | None, _is("Continuity errors and RTP gaps in the source since the worker's start")]
    since: str
    retry_in_s: float | None
    restarts: int
    sample_age_s: float | None
    mode: str
    target: str
    source: str
    direction: Annotated[str, _is("send, receive or relay")]
    source_kind: str
    source_note: Annotated[str, _is("The interface of a multicast source, or how often a file began again")]
    key_bits: int | None
    peers: int
    refused: int
    payload_mbps: float | None
    rtt_ms: float | None
    latency_rtt_ratio: float | None
    retransmitted_percent: float | None
    packets_dropped: Annotated[int, _is("Sender drops since the stream was ordered; 0 for a receive stream")]
    recovered_percent: Annotated[
        float | None, _is("Receive streams: recovered / received packets of the last second; null for a sender")
    ] = None
    packets_lost: Annotated[
        int | None, _is("Receive streams: packets lost for good, counted since the reset; null for a sender")
    ] = None
    spark: list[float | None] | None = None
    impaired_by: Annotated[str, _is("Key of the relay of this host that it runs through, else empty")] = ""
    group: Annotated[str, _is("The group it is in, else empty")] = ""
    host: Annotated[str, _is("The host of the cluster that carries it, empty for this one")] = ""


class EventView(View, frozen=True):
    """One event. A repeated event raises `count` and `at` of the existing entry."""

    at: str
    first_at: str | None
    count: int
    key: str
    name: str
    kind: str
    text: str
    actor: str


class OverviewView(View, frozen=True):
    """The state of all streams together, for every page's head and title."""

    now: Annotated[str, _is("The server's time")]
    hostname: str
    streams: int
    on_air: Annotated[int, _is("Streams that have a worker")]
    fault: Annotated[int, _is("Streams that are stalled, retrying or failed")]
    attention: Annotated[int, _is("Delivering streams that need attention")]


class LiveView(View, frozen=True):
    """All data of a stream's page in one answer; `samples` are those after the requested time."""

    overview: OverviewView
    stream: StreamView
    samples: list[SecondView]
    delivery: Annotated[list[DeliverySecondView], _is("A receive stream's seconds after the requested time")]
    events: list[EventView]
    advice: AdviceView | None


class DashboardView(View, frozen=True):
    """All data of a dashboard in one answer."""

    overview: OverviewView
    system: SystemView
    streams: list[RowView]
    events: list[EventView]
    free_ports: list[int]
