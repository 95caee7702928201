"""A receive stream: one SRT input, analysed, and recorded or forwarded where requested."""

from __future__ import annotations

from typing import Annotated, Literal

from app.domain import names
from app.domain.spec.endpoint import Endpoint, Port
from app.domain.spec.fields import setting
from app.domain.spec.part import Part
from app.domain.spec.srt_settings import LATENCY_MS_DEFAULT, Encryption, Group, LatencyMs, Name

TTL = (1, 255)
FILE_MINUTES = (1, 1440)
FILE_MEGABYTES = (10, 100_000)


def _problem_with_minutes(minutes: int | None) -> str | None:
    return _problem_with_span(minutes, FILE_MINUTES, "minutes")


def _problem_with_megabytes(megabytes: int | None) -> str | None:
    return _problem_with_span(megabytes, FILE_MEGABYTES, "MB")


def _problem_with_span(value: int | None, span: tuple[int, int], unit: str) -> str | None:
    low, high = span
    return None if value is None or low <= value <= high else f"{value} is outside {low} to {high} {unit}"


class Record(Part, frozen=True):
    """Where the received transport stream is recorded: files in the media folder, one after the other."""

    name: Annotated[
        str, setting("Recording", "Files are named <name>_<UTC time>.ts", rule=names.problem_with_recording_name)
    ] = "recording"
    file_minutes: Annotated[
        int | None, setting("Minutes per file", "A new file begins at this limit", rule=_problem_with_minutes)
    ] = None
    file_megabytes: Annotated[
        int | None, setting("Megabytes per file", "A new file begins at this limit", rule=_problem_with_megabytes)
    ] = None


class Forward(Part, frozen=True):
    """Where the received transport stream is sent on: a multicast group or a host."""

    address: Annotated[str, setting("Address", "IPv4 address of a group or host", rule=names.problem_with_target)]
    port: Port
    interface: Annotated[
        str, setting("Interface", "Network interface to send on, or auto", rule=names.problem_with_interface)
    ] = "auto"
    ttl: Annotated[int, setting("TTL", "Maximum number of routers on the path", low=TTL[0], high=TTL[1])] = 1
    protocol: Annotated[Literal["udp", "rtp"], setting("Protocol", "Datagrams with or without an RTP header")] = "udp"


class ReceiveSpec(Part, frozen=True, tag_field="direction", tag="receive"):
    """One SRT input as ordered."""

    endpoint: Endpoint
    name: Name = ""
    latency_ms: LatencyMs = LATENCY_MS_DEFAULT
    encryption: Encryption | None = None
    stream_id: Annotated[
        str | None, setting("Stream ID", "Sent by a caller, up to 512 bytes", rule=names.problem_with_stream_id)
    ] = None
    record: Record | None = None
    forward: Forward | None = None
    picture: Annotated[bool, setting("Picture", "Show a key frame every 5 s, and report a black or frozen picture")] = (
        False
    )
    loudness: Annotated[bool, setting("Loudness", "Measure EBU R 128, and report silence")] = False
    group: Group = ""

    def label(self) -> str:
        """The operator's name for the stream, or one made from the endpoint."""
        return self.name or f"receive {self.endpoint.label()}"

    def local_port(self) -> int | None:
        """The UDP port of this host that it binds; None if the system chooses one."""
        return self.endpoint.local_port()

    @property
    def is_call(self) -> bool:
        """Whether it calls its far end."""
        return self.endpoint.remote() is not None
