"""The JSON form of answers about the machine and its media, each figure with its unit and definition."""

from __future__ import annotations

from typing import Annotated

from app.media.analysis import AnalysisState
from app.web.presenters.counter_views import View, described

_is = described


class SystemView(View, frozen=True):
    """The machine this runs on."""

    hostname: str
    version: Annotated[str, _is("Of this program")]
    user: str
    platform: str
    uptime_s: int
    cpu_percent: Annotated[float, _is("Load of all cores since the previous reading")]
    cpu_count: int
    memory_used_mb: float
    memory_total_mb: float
    disk_used_percent: Annotated[float, _is("Of the file system that holds the media folder")]
    disk_free_gb: float
    addresses: Annotated[list[str], _is("Addresses at which other hosts may reach this one")]
    streams_on_air: int
    streams_max: int
    sending_mbps: Annotated[float, _is("Payload of all send streams together")]
    gstreamer_version: str | None
    libsrt_version: str | None
    warnings: Annotated[list[str], _is("Known-bad versions in use")]
    missing: Annotated[list[str], _is("Programs that are not installed, and what does not work without them")]


class MediaInfoView(View, frozen=True):
    """The analysis of a media file, and what a link must carry for it."""

    state: AnalysisState
    overhead_percent: int
    needed_mbps: Annotated[float | None, _is("Payload, headers, and libsrt's cap for retransmissions on top")]
