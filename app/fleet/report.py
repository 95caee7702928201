"""The last report of another installation, and how its answer is read. An answer is untrusted until it is parsed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import msgspec

from app.fleet.client import decode

_TEXT_MAX: Final = 300
_STREAMS_MAX: Final = 500
_COUNT_MAX: Final = 1_000_000
Text = Annotated[str, msgspec.Meta(max_length=_TEXT_MAX)]
Count = Annotated[int, msgspec.Meta(ge=0, le=_COUNT_MAX)]


class Contact(StrEnum):
    """How the last request to a host ended."""

    NEVER = "never"  # no request has ended yet
    ANSWERED = "answered"
    SILENT = "silent"  # no connection, or no complete answer in time
    REFUSED = "refused"  # it rejects this host's key
    GARBLED = "garbled"  # it answered something that is not a report


class RemoteStream(msgspec.Struct, frozen=True):
    """A stream of another host: the part of its dashboard row that the hosts page shows. Rates are Mb/s.

    `host` is the host of its cluster that carries it, empty for that host itself. `direction` is empty if an older
    version does not report it.
    """

    key: Text
    label: Text
    severity: Text
    phase_text: Text
    mode: Text = ""
    target: Text = ""
    source: Text = ""
    remark: Text | None = None
    peers: Count = 0
    payload_mbps: float | None = None
    rtt_ms: float | None = None
    host: Text = ""
    direction: Text = ""


class RemoteSystem(msgspec.Struct, frozen=True):
    """The part of another host's system report that the hosts page shows."""

    hostname: Text = ""
    version: Text = ""


class RemoteDashboard(msgspec.Struct, frozen=True):
    """Another host's `/api/dashboard`. Fields that this release does not know are ignored."""

    streams: Annotated[list[RemoteStream], msgspec.Meta(max_length=_STREAMS_MAX)]
    system: RemoteSystem = RemoteSystem()


class HostReport(msgspec.Struct, frozen=True):
    """What is known of a host. `heard_at` is the monotonic time of its last good answer, None before the first."""

    contact: Contact = Contact.NEVER
    detail: str = ""
    heard_at: float | None = None
    dashboard: RemoteDashboard = RemoteDashboard([])

    def age_s(self, now: float) -> float | None:
        """Return the seconds since the last good answer, None before the first."""
        return None if self.heard_at is None else max(0.0, now - self.heard_at)


def parse_dashboard(body: bytes) -> RemoteDashboard:
    """Read another host's dashboard. Raises Garbled if it is not valid."""
    return decode(body, RemoteDashboard)
