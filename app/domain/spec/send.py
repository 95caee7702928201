"""A send stream: one source, one SRT output."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from app.domain import names
from app.domain.constants import OVERHEAD_PERCENT_ASKED, OVERHEAD_PERCENT_DEFAULT, SMOOTHING_LATENCY_MS
from app.domain.spec.endpoint import Endpoint
from app.domain.spec.fields import setting
from app.domain.spec.part import Part
from app.domain.spec.source import FileSource, Source
from app.domain.spec.srt_settings import LATENCY_MS_DEFAULT, Encryption, Group, LatencyMs, Name

RECEIVERS_MAX: Final = 100
SendEngine = Literal["auto", "gstreamer", "direct"]


def _problem_with_receivers(number: int | None) -> str | None:
    if number is None or 0 <= number <= RECEIVERS_MAX:
        return None
    return f"{number} is outside 0 to {RECEIVERS_MAX}"


def _problem_with_version(version: str | None) -> str | None:
    if version is None or re.fullmatch(r"\d{1,2}(\.\d{1,2}){2}", version):
        return None
    return "write three numbers, such as 1.4.0"


class SendSpec(Part, frozen=True, tag_field="direction", tag="send"):
    """One SRT output with its source as ordered. The worker reports the applied settings."""

    endpoint: Endpoint
    source: Source
    name: Name = ""
    latency_ms: LatencyMs = LATENCY_MS_DEFAULT
    overhead_percent: Annotated[
        int,
        setting(
            "Overhead",
            "Room for resends, on top of the input",
            low=OVERHEAD_PERCENT_ASKED[0],
            high=OVERHEAD_PERCENT_ASKED[1],
            unit="%",
        ),
    ] = OVERHEAD_PERCENT_DEFAULT
    smoothing_latency_ms: Annotated[
        int,
        setting(
            "Smoothing",
            "Spreads bursts, usually 30 ms. The direct engine does not use it",
            low=SMOOTHING_LATENCY_MS[0],
            high=SMOOTHING_LATENCY_MS[1],
            unit="ms",
            is_advanced=True,
        ),
    ] = 30
    encryption: Encryption | None = None
    qos: Annotated[bool, setting("QoS", "Mark packets with the DSCP of this installation", is_advanced=True)] = True
    receivers_expected: Annotated[
        int | None,
        setting(
            "Receivers expected",
            "Fewer receivers are a fault. If empty, each receiver that stays for one minute is expected",
            rule=_problem_with_receivers,
            is_advanced=True,
        ),
    ] = None
    engine: Annotated[
        SendEngine, setting("Engine", "GStreamer, or libsrt directly; auto chooses", is_advanced=True)
    ] = "auto"
    group: Group = ""
    peer_version_lowest: Annotated[
        str | None,
        setting(
            "Lowest libsrt of the far end",
            "Three numbers, such as 1.4.0. Far ends with an older libsrt are refused",
            rule=_problem_with_version,
            is_advanced=True,
        ),
    ] = None

    stream_id: Annotated[
        str | None,
        setting("Stream ID", "Sent by a caller, up to 512 bytes", rule=names.problem_with_stream_id, is_advanced=True),
    ] = None

    def label(self) -> str:
        """The operator's name for the stream, or one made from source and endpoint."""
        return self.name or f"{self.source.label()} → {self.endpoint.label()}"

    def local_port(self) -> int | None:
        """The UDP port of this host that it binds; None if the system chooses one."""
        return self.endpoint.local_port()

    @property
    def begins_with_receiver(self) -> bool:
        """Whether playback waits for the first receiver: for a file that is played once by a listener."""
        return not self.is_call and isinstance(self.source, FileSource) and not self.source.loop

    @property
    def is_call(self) -> bool:
        """Whether it calls its far end."""
        return self.endpoint.remote() is not None
