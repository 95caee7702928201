"""Recordings of live colour bars, taken directly from the source part without SRT."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from app.domain.spec import BarsSource
from app.engines.gstreamer.bars_source import BarsPart
from app.engines.gstreamer.gst import Gst
from app.engines.gstreamer.source import make


class Recording:
    """A pipeline that writes bars of one format to a file in real time."""

    def __init__(self, source: BarsSource, path: Path, name: str = "") -> None:
        self.path = path
        self.part = BarsPart(source, smoothing_latency_ms=30, name=name)
        self.pipeline = Gst.Pipeline.new(None)
        sink = make("filesink", location=str(path), sync=True)
        chain = [*self.part.elements, sink]
        for element in chain:
            self.pipeline.add(element)
        for upper, lower in pairwise(chain):
            upper.link(lower)
        self.pipeline.set_state(Gst.State.PLAYING)

    def play(self, seconds: float) -> None:
        fault = self.pipeline.get_bus().timed_pop_filtered(round(seconds * Gst.SECOND), Gst.MessageType.ERROR)
        assert fault is None, fault.parse_error()
        self.made = self.part.read_input()
        self.pipeline.set_state(Gst.State.NULL)
