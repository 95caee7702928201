"""Derives a real link from a network test, or from the last hour of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

from app.domain.errors import InvalidInput, WrongState
from app.domain.figures.history import Second
from app.domain.figures.reception import DeliveryPoint
from app.domain.impairment.my_link import MeasuredLink, loss_of_retransmissions, quantile
from app.domain.snapshot import Snapshot
from app.domain.spec import ReceiveSpec, RelaySpec, SendSpec
from app.network.findings import loss_of
from app.network_test import NetworkTestRecord
from app.web.presenters.stream import iso

# 95 % of a normal distribution is below the mean plus this many deviations; ping reports no quantiles.
_DEVIATIONS: Final = 1.645


def link_of_test(record: NetworkTestRecord) -> MeasuredLink:
    """Return the link of a network test. Raises WrongState if the test measured no RTT."""
    findings = record.findings
    ping = findings.ping.rtt if findings.ping is not None else None
    median_ms = ping.avg_ms if ping is not None else findings.rtt_ms.value if findings.rtt_ms is not None else None
    if median_ms is None or record.finished_at is None:
        raise WrongState("this network test has measured no RTT; choose another one")
    loss = loss_of(findings.iperf3, round(record.order.bitrate_mbps * 1e6))
    p95_ms = median_ms if ping is None else min(ping.max_ms, ping.avg_ms + _DEVIATIONS * ping.deviation_ms)
    target = findings.target.host if findings.target is not None else record.order.host
    when = iso(record.finished_at)
    return MeasuredLink(
        source=f"network test to {target} at {when}; loss: {loss.source}; bursts and gaps not measured",
        rtt_p50_ms=median_ms,
        rtt_p95_ms=p95_ms,
        loss_percent=loss.value if findings.iperf3 is not None else 0.0,
        seconds=float(record.order.duration_s),
    )


def link_of_stream(
    snapshot: Snapshot, sent: Sequence[Second], delivered: Sequence[DeliveryPoint], now: float
) -> MeasuredLink:
    """Return the link of a stream, from the seconds that it sent or received.

    Raises WrongState without a measurement.
    """
    where = f"stream {snapshot.spec.label()}, {max(len(sent), len(delivered))} s until {iso(now)}"
    match snapshot.spec:
        case SendSpec():
            return _of_sender(snapshot, sent, where)
        case ReceiveSpec():
            return _of_receiver(snapshot, delivered, where)
        case RelaySpec():
            raise InvalidInput.of({"stream": "a relay measures no link; choose a stream"})
        case _:
            assert_never(snapshot.spec)


def _of_sender(snapshot: Snapshot, seconds: Sequence[Second], where: str) -> MeasuredLink:
    p50_ms, p95_ms = _rtts(snapshot, [each.rtt_ms for each in seconds if each.peers])
    unique = sum(each.rates.grown.packets_sent_unique_total for each in seconds)
    again = sum(each.rates.grown.packets_retransmitted_total for each in seconds)
    return MeasuredLink(
        source=f"{where}; loss from the retransmissions; a sender does not know bursts and gaps",
        rtt_p50_ms=p50_ms,
        rtt_p95_ms=p95_ms,
        loss_percent=loss_of_retransmissions(unique, again),
        seconds=float(max(1, len(seconds))),
    )


def _of_receiver(snapshot: Snapshot, points: Sequence[DeliveryPoint], where: str) -> MeasuredLink:
    p50_ms, p95_ms = _rtts(snapshot, [each.gauges.rtt_ms for each in points])
    missing = sum(each.received.packets_recovered + each.received.packets_dropped for each in points)
    owed = sum(each.received.packets_unique + each.received.packets_dropped for each in points)
    return MeasuredLink(
        source=f"{where}; loss as counted by the receiver; bursts not measured",
        rtt_p50_ms=p50_ms,
        rtt_p95_ms=p95_ms,
        loss_percent=100 * missing / owed if owed else 0.0,
        longest_gap_ms=max((each.frozen_ms for each in points), default=None),
        seconds=float(max(1, len(points))),
    )


def _rtts(snapshot: Snapshot, rtts_ms: list[float | None]) -> tuple[float, float]:
    known = [each for each in rtts_ms if each is not None]
    p50_ms, p95_ms = quantile(known, 0.5), quantile(known, 0.95)
    if p50_ms is None or p95_ms is None:
        raise WrongState(f"{snapshot.spec.label()} has measured no RTT in the last hour; start it first")
    return p50_ms, p95_ms
