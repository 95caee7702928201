"""Colour bars as a pipeline source, for tests that need no file or channel."""

from __future__ import annotations

import time
from typing import Final

import msgspec

from app.domain.endings import Finished
from app.domain.spec import BarsSource
from app.engines.gstreamer.gst import Gst
from app.engines.gstreamer.programme import Programme, build_programme
from app.engines.gstreamer.source import make_tsparse
from app.protocol import Input

_PROGRAMMES: Final = {
    "720p50": Programme(service_name="Bars 720p50", width=1280, height=720, frames_per_s=50),
    "1080i25": Programme(service_name="Bars 1080i25", width=1920, height=1080, frames_per_s=25, is_interlaced=True),
}


class BarsPart:
    """A SourcePart that generates its own programme in real time."""

    def __init__(self, source: BarsSource, *, smoothing_latency_ms: int, name: str = "") -> None:
        """Build the elements; the picture shows `name`, else the format. Raises CannotSend when one is missing."""
        bars = build_programme(msgspec.structs.replace(_PROGRAMMES[source.format], name=name))
        self._bytes_total = 0
        self._made_at: float | None = None
        bars.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST, self._count)
        self.elements = [bars, make_tsparse(smoothing_latency_ms)]

    def _count(self, _pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        is_list = info.type & Gst.PadProbeType.BUFFER_LIST
        self._bytes_total += info.get_buffer_list().calculate_size() if is_list else info.get_buffer().get_size()
        self._made_at = time.monotonic()
        return Gst.PadProbeReturn.OK

    def start(self) -> None:
        """Do nothing: bars flow as soon as the pipeline plays."""

    def read_input(self) -> Input:
        """Return the input figures so far."""
        age_s = None if self._made_at is None else time.monotonic() - self._made_at
        return Input(bytes_total=self._bytes_total, last_packet_age_s=age_s)

    def fault(self) -> Finished | None:
        """None: bars never end by themselves."""
        return None

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
