"""A receive stream: one SRT input, analysed, and recorded or forwarded where asked."""

from __future__ import annotations

from typing import Annotated

from app.domain import names
from app.domain.spec.endpoint import Endpoint, Port
from app.domain.spec.fields import setting
from app.domain.spec.part import Part
from app.domain.spec.srt_settings import LATENCY_MS_DEFAULT, Encryption, LatencyMs, Name

TTL = (1, 255)


def _problem_with_record(path: str | None) -> str | None:
    return None if path is None else names.problem_with_media_path(path)


class Forward(Part, frozen=True):
    """A multicast group that the received transport stream is sent on to."""

    address: Annotated[str, setting("Group", "IPv4 multicast address", rule=names.problem_with_group)]
    port: Port
    interface: Annotated[
        str, setting("Interface", "Network interface to send on, or auto", rule=names.problem_with_interface)
    ] = "auto"
    ttl: Annotated[int, setting("TTL", "Routers that may pass it on", low=TTL[0], high=TTL[1])] = 1


class ReceiveSpec(Part, frozen=True, tag_field="direction", tag="receive"):
    """One SRT input, as asked. `record` is a file of the media folder to write."""

    endpoint: Endpoint
    name: Name = ""
    latency_ms: LatencyMs = LATENCY_MS_DEFAULT
    encryption: Encryption | None = None
    stream_id: Annotated[
        str | None, setting("Stream ID", "Sent by a caller, up to 512 bytes", rule=names.problem_with_stream_id)
    ] = None
    record: Annotated[str | None, setting("Record", "File in the media folder to write", rule=_problem_with_record)] = (
        None
    )
    forward: Forward | None = None
    picture: Annotated[bool, setting("Picture", "Show key frames")] = False
    loudness: Annotated[bool, setting("Loudness", "Measure EBU R 128 loudness")] = False

    def label(self) -> str:
        """The operator's name for the stream, or one made from the endpoint."""
        return self.name or f"receive {self.endpoint.label()}"

    def local_port(self) -> int | None:
        """The UDP port of this host that it binds, if it binds a chosen one."""
        return self.endpoint.local_port()

    @property
    def is_call(self) -> bool:
        """Whether it calls its far end."""
        return self.endpoint.remote() is not None
