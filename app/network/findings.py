"""The findings of a network test, step by step, and the recommendation from them."""

from __future__ import annotations

import msgspec

from app.domain.advice.recommendation import LOSS_UNKNOWN, Advice, Basis, Figure, Link, recommend
from app.domain.network_order import NetworkTestOrder
from app.network.iperf_servers import Origin
from app.probes.iperf3 import Direction, Iperf3Result, Protocol
from app.probes.ping import PingResult


class Target(msgspec.Struct, frozen=True):
    """The server of a test. `distance_km` is None if a place is not known; `address` is None before it is resolved."""

    host: str
    port: int
    address: str | None = None
    label: str = ""
    origin: Origin | None = None
    distance_km: float | None = None


class Attempt(msgspec.Struct, frozen=True):
    """A server that was considered: its RTT, and why it was not used; None if it was used or not needed."""

    host: str
    port: int
    label: str
    distance_km: float | None
    rtt_ms: float | None
    problem: str | None = None


class Findings(msgspec.Struct, frozen=True):
    """All findings so far. `place` is that of this host.

    `problems` say what could not be measured and why; `notes` have further information.
    """

    target: Target | None = None
    attempts: tuple[Attempt, ...] = ()
    place: str | None = None
    ping: PingResult | None = None
    rtt_ms: Figure | None = None
    iperf3: Iperf3Result | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def with_problem(self, text: str) -> Findings:
        """Return these findings with one more problem."""
        return msgspec.structs.replace(self, problems=(*self.problems, text))


def loss_of(result: Iperf3Result | None, bitrate_bps: int) -> Figure:
    """Return the loss with its basis: measured by UDP, else estimated from TCP's retransmissions, else assumed."""
    if result is None:
        return LOSS_UNKNOWN
    if result.loss_percent is not None:
        source = f"iperf3 over UDP, {result.packets} packets at {bitrate_bps / 1e6:g} Mb/s, {_way(result)}"
        return Figure(result.loss_percent, Basis.MEASURED, source)
    if result.loss_percent_estimated is not None:
        source = f"from TCP retransmissions ({result.retransmits}), {_way(result)}; usually too high"
        return Figure(result.loss_percent_estimated, Basis.ESTIMATED, source)
    return Figure(LOSS_UNKNOWN.value, Basis.ASSUMED, "TCP reported no retransmissions")


def bandwidth_of(result: Iperf3Result) -> Figure:
    """Return the bandwidth that the receiving side measured."""
    return Figure(result.bandwidth_bps, Basis.MEASURED, f"iperf3 over {result.protocol.upper()}, {_way(result)}")


def advise(order: NetworkTestOrder, findings: Findings) -> Advice | None:
    """Return the resulting recommendation, None without an RTT."""
    if findings.rtt_ms is None:
        return None
    result = findings.iperf3
    is_udp = result is not None and result.protocol is Protocol.UDP
    link = Link(
        rtt_ms=findings.rtt_ms,
        bitrate_bps=order.bitrate_bps,
        loss=loss_of(result, order.bitrate_bps),
        loss_packets=result.packets if result is not None and is_udp else None,
        rtt_ms_max=findings.ping.rtt.max_ms if findings.ping is not None and findings.ping.rtt is not None else None,
        bandwidth_bps=None if result is None else bandwidth_of(result),
        # UDP shows at most the rate at which it was sent.
        bandwidth_is_lower_bound=is_udp,
    )
    return recommend(link, latency_ms_floor=order.lowest_latency_ms)


def _way(result: Iperf3Result) -> str:
    return "sending" if result.direction is Direction.SEND else "receiving"
