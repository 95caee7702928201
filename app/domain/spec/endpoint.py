"""How a stream meets its far end: it listens on a UDP port of this host, or calls a host."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from app.domain import names
from app.domain.spec.fields import setting
from app.domain.spec.part import Part

PORTS = (1, 65535)
Port = Annotated[int, setting("Port", "UDP port", low=PORTS[0], high=PORTS[1])]
Host = Annotated[str, setting("Host", "IP address or name of the far end", rule=names.problem_with_host)]


class HostPort(msgspec.Struct, frozen=True):
    """A host and a UDP port; as text `192.0.2.10:9000`, and `[2001:db8::1]:9000` for an IPv6 address."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Mode(StrEnum):
    """How an SRT connection is made, seen from this host."""

    LISTENER = "listener"
    CALLER = "caller"


class ListenerEndpoint(Part, frozen=True, tag_field="mode", tag="listener"):
    """Wait for the far end on a UDP port of this host."""

    # The installation chooses the ports for listeners; parse_spec checks them.
    port: int

    @property
    def mode(self) -> Mode:
        """The SRT mode."""
        return Mode.LISTENER

    def local_port(self) -> int | None:
        """The UDP port that it binds on this host."""
        return self.port

    def remote(self) -> HostPort | None:
        """None: it calls no far end."""
        return None

    def label(self) -> str:
        """Return the endpoint in a few words, such as `listener :10001`."""
        return f"listener :{self.port}"


class CallerEndpoint(Part, frozen=True, tag_field="mode", tag="caller"):
    """Call a far end that listens; `host` is an IP address or an RFC 1123 name."""

    host: Host
    port: Port

    @property
    def mode(self) -> Mode:
        """The SRT mode."""
        return Mode.CALLER

    def local_port(self) -> int | None:
        """None: the system chooses a port for the call."""
        return None

    def remote(self) -> HostPort | None:
        """Return the far end that it calls."""
        return HostPort(self.host, self.port)

    def label(self) -> str:
        """Return the endpoint in a few words, such as `caller 192.0.2.10:9000`."""
        return f"caller {HostPort(self.host, self.port)}"


Endpoint = ListenerEndpoint | CallerEndpoint
