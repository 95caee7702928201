"""Decides whether to admit a caller of a listener, before libsrt checks a passphrase or allocates memory for it.

Each connection costs memory, and each handshake costs more until libsrt releases it. A stranger that calls again and
again must not take a stream away from its receivers.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from enum import StrEnum
from typing import Final

import msgspec

from app.domain.constants import CALLS_AT_ONCE, CALLS_PER_S, CALLS_PER_S_OF_ADDRESS, RECEIVERS_MAX

_ADDRESSES_REMEMBERED: Final = 4096
BANNED_S: Final = 3600.0
# libsrt's log line for an acknowledgement of unsent packets (processCtrlAck), with the number of the socket.
BOGUS_ACK: Final = re.compile(r"@(\d+).*incoming ack seq")
# A receiver's window is 60,000 packets at most. A few light acknowledgements may bring it below zero, but not so far.
_WINDOW_LOWEST: Final = -1_000_000


def acknowledges_unsent(flow_window_packets: int) -> bool:
    """Return whether a receiver acknowledged unsent packets by light acknowledgements, which libsrt does not log.

    libsrt subtracts each acknowledged packet from the window, so the window falls far below zero.
    """
    return flow_window_packets < _WINDOW_LOWEST


class Denial(StrEnum):
    """Why a caller is not admitted, as the end of a sentence."""

    BANNED = "it sent an acknowledgement that no receiver sends"
    TOO_MANY_RECEIVERS = "the maximum number of receivers is connected"
    TOO_MANY_CALLS = "it calls too often"
    TOO_MANY_CALLS_OF_ALL = "too many callers call at the same time"


class _Bucket(msgspec.Struct):
    """The calls that may still come at once. It refills at a steady rate."""

    level: float
    at: float

    def take(self, now: float, per_s: float, most: float) -> bool:
        self.level = min(most, self.level + (now - self.at) * per_s)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


class Admission:
    """The limits of one listener. Times are seconds on any steady clock. The owner allows one thread at a time."""

    def __init__(self, receivers_max: int = RECEIVERS_MAX) -> None:
        self._receivers_max = receivers_max
        self._of_all = _Bucket(2 * CALLS_AT_ONCE, 0.0)
        self._of_address: OrderedDict[str, _Bucket] = OrderedDict()
        self._banned: dict[str, float] = {}

    def decide(self, host: str, connected: int, now: float) -> Denial | None:
        """Count a call from `host`. Return why it is not admitted, None if it is."""
        if now < self._banned.get(host, now):
            return Denial.BANNED
        bucket = self._of_address.pop(host, None) or _Bucket(CALLS_AT_ONCE, now)
        self._of_address[host] = bucket
        if len(self._of_address) > _ADDRESSES_REMEMBERED:
            self._of_address.popitem(last=False)
        if not bucket.take(now, CALLS_PER_S_OF_ADDRESS, CALLS_AT_ONCE):
            return Denial.TOO_MANY_CALLS
        if not self._of_all.take(now, CALLS_PER_S, 2 * CALLS_AT_ONCE):
            return Denial.TOO_MANY_CALLS_OF_ALL
        return Denial.TOO_MANY_RECEIVERS if connected >= self._receivers_max else None

    def ban(self, host: str, now: float) -> None:
        """Refuse a host for an hour."""
        self._banned = {known: until for known, until in self._banned.items() if until > now}
        if len(self._banned) < _ADDRESSES_REMEMBERED:
            self._banned[host] = now + BANNED_S


class DenialReport:
    """Decides which denials get an event, and summarises the rest, so that denials cannot flood the log."""

    def __init__(self) -> None:
        self._events = _Bucket(_EVENTS_AT_ONCE, 0.0)
        self._silent: dict[tuple[str, Denial], int] = {}
        self._reported_at = 0.0

    def is_reported(self, host: str, denial: Denial, now: float) -> bool:
        """Whether this denial gets its own event; otherwise it is counted for `summary`."""
        if self._events.take(now, _EVENTS_PER_S, _EVENTS_AT_ONCE):
            return True
        if len(self._silent) < _ADDRESSES_REMEMBERED:
            self._silent[host, denial] = self._silent.get((host, denial), 0) + 1
        return False

    def summary(self, now: float) -> str | None:
        """Return a sentence about denials that were only counted, at most once in 10 s."""
        if not self._silent or now - self._reported_at < _SUMMARY_EVERY_S:
            return None
        (host, denial), _ = max(self._silent.items(), key=lambda item: item[1])
        count, hosts = sum(self._silent.values()), len({host for host, _ in self._silent})
        self._silent.clear()
        self._reported_at = now
        others = f" and {hosts - 1} more addresses" if hosts > 1 else ""
        return f"{count} calls from {host}{others} were refused: {denial}"


_EVENTS_AT_ONCE: Final = 20
_EVENTS_PER_S: Final = 0.2
_SUMMARY_EVERY_S: Final = 10.0
