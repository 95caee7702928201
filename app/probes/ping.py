"""Measures round-trip time and loss of a path with iputils' ping (ICMP echo, unprivileged if the kernel allows it)."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from app.probes.run import CancelSwitch, ProbeFailed, run

COUNT: Final = 20
INTERVAL_S: Final = 0.2  # the shortest interval that all versions of ping allow to users without privileges
_WAIT_S: Final = 2  # wait for the last reply
_RTT_MS_HIGHEST: Final = 60_000.0

_COUNTS = re.compile(r"^(\d{1,6}) packets transmitted, (\d{1,6}) received", re.MULTILINE)
_NUMBER = r"(\d{1,8}\.\d{1,6})"
_RTT = re.compile(rf"^rtt min/avg/max/mdev = {_NUMBER}/{_NUMBER}/{_NUMBER}/{_NUMBER} ms", re.MULTILINE)
_NOT_ALLOWED = ("Operation not permitted", "Permission denied", "missing cap_net_raw")


class Rtt(msgspec.Struct, frozen=True):
    """Round-trip times in ms; the deviation is ping's mdev (a standard deviation)."""

    min_ms: float
    avg_ms: float
    max_ms: float
    deviation_ms: float


class PingResult(msgspec.Struct, frozen=True):
    """The replies to the echo requests; `rtt` is None without a reply."""

    address: str
    sent: int
    received: int
    rtt: Rtt | None

    @property
    def loss_percent(self) -> float:
        """Return the share of echo requests without reply.

        Routers may drop them on purpose: not the loss of the path.
        """
        return 100 * (self.sent - self.received) / self.sent


def ping(address: str, *, count: int = COUNT, cancel: CancelSwitch | None = None) -> PingResult:
    """Ping an address (no name: `resolve` it first) `count` times, five a second.

    Raises ProbeFailed when ping is missing, not allowed, or says something that cannot be read. No reply is a result.
    """
    # No -w: with it, ping continues until it has `count` replies, so that its loss figure is wrong.
    argv = ["ping", "-n", "-c", str(count), "-i", str(INTERVAL_S), "-W", str(_WAIT_S), "--", address]
    timeout_s = count * INTERVAL_S + _WAIT_S + 3
    outcome = run(argv, timeout_s=timeout_s, output_bytes_max=256 * 1024, cancel=cancel)
    if _COUNTS.search(outcome.text()):
        return parse_ping(address, outcome.text())
    if any(text in outcome.complaint() for text in _NOT_ALLOWED):
        raise ProbeFailed("ping", "ping is not allowed here: set net.ipv4.ping_group_range or give it cap_net_raw")
    raise ProbeFailed("ping", f"ping returned no result: {outcome.complaint() or 'its output cannot be read'}")


def parse_ping(address: str, text: str) -> PingResult:
    """Read ping's summary; raises ProbeFailed when the numbers are missing or contradict each other."""
    unreadable = ProbeFailed("ping", "the output of ping cannot be read")
    counts = _COUNTS.search(text)
    if counts is None:
        raise unreadable
    sent, received = int(counts[1]), int(counts[2])
    if sent == 0 or received > sent:
        raise unreadable
    if received == 0:
        return PingResult(address, sent, received, None)
    times = _RTT.search(text)
    if times is None:
        raise unreadable
    rtt = Rtt(*(float(number) for number in times.groups()))
    if not rtt.min_ms <= rtt.avg_ms <= rtt.max_ms <= _RTT_MS_HIGHEST:
        raise unreadable
    return PingResult(address, sent, received, rtt)
