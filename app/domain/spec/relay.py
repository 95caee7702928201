"""A relay: it passes SRT datagrams between callers and a target."""

from __future__ import annotations

from app.domain.impairment.model import Impairment
from app.domain.spec.endpoint import Host, HostPort, Port
from app.domain.spec.part import Part
from app.domain.spec.srt_settings import Encryption, Group, Name


class Target(Part, frozen=True):
    """Where a relay sends what it receives."""

    host: Host
    port: Port

    def __str__(self) -> str:
        return str(HostPort(self.host, self.port))


class RelaySpec(Part, frozen=True, tag_field="direction", tag="relay"):
    """A UDP relay between callers of `listen_port` and `target`."""

    listen_port: int
    target: Target
    name: Name = ""
    impairment: Impairment = Impairment()
    group: Group = ""

    def label(self) -> str:
        """The operator's name for the relay, or one made from its ends."""
        return self.name or f"relay :{self.listen_port} → {self.target}"

    def local_port(self) -> int | None:
        """The UDP port of this host that it binds."""
        return self.listen_port

    @property
    def is_call(self) -> bool:
        """False: it waits for a caller's datagrams."""
        return False

    @property
    def encryption(self) -> Encryption | None:
        """None: a relay passes encrypted datagrams on without reading them."""
        return None
