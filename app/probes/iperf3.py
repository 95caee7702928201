"""Measures bandwidth, UDP loss and jitter of a path with iperf3 and its JSON report."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final

import msgspec

from app.domain.constants import SRT_PAYLOAD_BYTES
from app.probes.run import CancelSwitch, ProbeFailed, TimedOut, run

PORT_DEFAULT: Final = 5201  # the default of iperf3
CONNECT_TIMEOUT_S: Final = 5
UDP_PAYLOAD_BYTES: Final = SRT_PAYLOAD_BYTES  # as large as SRT's packets, so that the same losses occur
_GRACE_S: Final = 4  # time to exchange results and close, after the test's duration
_ROUND_TRIPS: Final = 16  # round trips of the control connection, from its handshake to its end
_BPS_HIGHEST: Final = 1e13
_BUSY: Final = "server is busy"


class Protocol(StrEnum):
    """The protocol that carries the test's data."""

    TCP = "tcp"
    UDP = "udp"


class Direction(StrEnum):
    """The direction of the test's data. SEND is from this host to the server, like a stream."""

    SEND = "send"
    RECEIVE = "receive"


class Iperf3Order(msgspec.Struct, frozen=True):
    """One iperf3 run. `bitrate_bps` is for UDP only: TCP takes what it can. A long `rtt_ms` extends the time limit."""

    address: str
    port: int
    protocol: Protocol = Protocol.TCP
    direction: Direction = Direction.SEND
    duration_s: int = 10
    bitrate_bps: int = 10_000_000
    rtt_ms: float = 0.0

    @property
    def timeout_s(self) -> float:
        """Return the time after which the run has failed."""
        return CONNECT_TIMEOUT_S + self.duration_s + _GRACE_S + _ROUND_TRIPS * self.rtt_ms / 1000

    def argv(self) -> list[str]:
        """Return the command. The address is numeric, so it cannot be read as an option."""
        argv = ["iperf3", "-J", "-c", self.address, "-p", str(self.port), "-t", str(self.duration_s)]
        argv += ["--connect-timeout", str(CONNECT_TIMEOUT_S * 1000)]
        if self.protocol is Protocol.UDP:
            argv += ["-u", "-b", str(self.bitrate_bps), "-l", str(UDP_PAYLOAD_BYTES)]
        if self.direction is Direction.RECEIVE:
            argv.append("-R")
        return argv


class Iperf3Result(msgspec.Struct, frozen=True):
    """The measurement of the receiving side. Bandwidth counts payload, without headers.

    Only UDP has `packets`, `packets_lost` and `jitter_ms` (RFC 1889 interarrival jitter at the receiver). TCP has
    `retransmits` and, for an estimate, `segments` of full size; both are None if the server or version omits them.
    """

    protocol: Protocol
    direction: Direction
    seconds: float
    bandwidth_bps: float
    packets: int | None = None
    packets_lost: int | None = None
    jitter_ms: float | None = None
    retransmits: int | None = None
    segments: int | None = None

    @property
    def loss_percent(self) -> float | None:
        """Return the measured loss; None for TCP, which only allows an estimate."""
        if self.packets is None or self.packets_lost is None:
            return None
        return 100 * self.packets_lost / self.packets

    @property
    def loss_percent_estimated(self) -> float | None:
        """Return TCP's retransmissions per segment: too high an estimate, because a full-speed test causes loss."""
        if self.retransmits is None or not self.segments:
            return None
        return min(100.0, 100 * self.retransmits / self.segments)


class ServerBusy(ProbeFailed):
    """The server serves one test at a time and is running one."""


def iperf3(order: Iperf3Order, *, cancel: CancelSwitch | None = None) -> Iperf3Result:
    """Run a test against an iperf3 server and return the measurement of its receiving side.

    Raises ServerBusy, or ProbeFailed if iperf3 is missing, hangs, fails or its output cannot be read.
    """
    try:
        outcome = run(order.argv(), timeout_s=order.timeout_s, output_bytes_max=4 * 1024 * 1024, cancel=cancel)
    except TimedOut as error:
        hint = "; is UDP blocked on the path?" if order.protocol is Protocol.UDP else ""
        raise TimedOut("iperf3", f"{error.message}{hint}") from error
    if not outcome.stdout.strip():
        raise ProbeFailed("iperf3", f"iperf3 returned no result: {outcome.complaint() or 'it wrote nothing'}")
    return parse_iperf3(outcome.stdout, order)


class _TestStart(msgspec.Struct):
    tcp_mss_default: int | None = None


class _Sum(msgspec.Struct):
    bytes: int = 0
    seconds: float = 0.0
    bits_per_second: float = 0.0
    retransmits: int | None = None
    jitter_ms: float | None = None
    lost_packets: int | None = None
    packets: int | None = None


class _End(msgspec.Struct):
    sum: _Sum | None = None
    sum_sent: _Sum | None = None
    sum_received: _Sum | None = None


class _Report(msgspec.Struct):
    start: _TestStart = msgspec.field(default_factory=_TestStart)
    end: _End = msgspec.field(default_factory=_End)
    error: str | None = None


def parse_iperf3(report: bytes, order: Iperf3Order) -> Iperf3Result:
    """Read `iperf3 -J`.

    Raises ServerBusy or ProbeFailed, with iperf3's own words or because the report is inconsistent.
    """
    try:
        read = msgspec.json.decode(report, type=_Report)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable() from error
    if read.error is not None:
        raise _failure(read.error)
    result = _udp_result(read, order) if order.protocol is Protocol.UDP else _tcp_result(read, order)
    if not (math.isfinite(result.bandwidth_bps) and 0 <= result.bandwidth_bps <= _BPS_HIGHEST and result.seconds > 0):
        raise _unreadable()
    return result


def _udp_result(report: _Report, order: Iperf3Order) -> Iperf3Result:
    # `sum` is the receiver's count; `sum_sent` does not include loss.
    counted = report.end.sum
    if counted is None or counted.packets is None or counted.lost_packets is None:
        raise _unreadable()
    # iperf3 counts an overtaken packet as lost and corrects this when it arrives; the count may then become -1.
    lost = max(0, counted.lost_packets)
    if counted.packets == 0:
        raise ProbeFailed("iperf3", "no UDP packet arrived; is UDP blocked on the path?")
    if lost > counted.packets:
        raise _unreadable()
    received = report.end.sum_received
    arrived = 1 - lost / counted.packets
    return Iperf3Result(
        protocol=Protocol.UDP,
        direction=order.direction,
        seconds=counted.seconds,
        bandwidth_bps=received.bits_per_second if received else counted.bits_per_second * arrived,
        packets=counted.packets,
        packets_lost=lost,
        jitter_ms=counted.jitter_ms,
    )


def _tcp_result(report: _Report, order: Iperf3Order) -> Iperf3Result:
    received, sent = report.end.sum_received, report.end.sum_sent
    if received is None:
        raise _unreadable()
    mss = report.start.tcp_mss_default
    return Iperf3Result(
        protocol=Protocol.TCP,
        direction=order.direction,
        seconds=received.seconds,
        bandwidth_bps=received.bits_per_second,
        retransmits=sent.retransmits if sent and (sent.retransmits or 0) >= 0 else None,
        segments=math.ceil(sent.bytes / mss) if sent and mss and mss > 0 else None,
    )


def _failure(words: str) -> ProbeFailed:
    text = "".join(character for character in words if character.isprintable())[:300]
    if _BUSY in text:
        return ServerBusy("iperf3", "the iperf3 server is busy with another test; try again later")
    return ProbeFailed("iperf3", f"iperf3 failed: {text}")


def _unreadable() -> ProbeFailed:
    return ProbeFailed("iperf3", "the output of iperf3 cannot be read")
