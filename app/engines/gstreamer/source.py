"""The interface of a source: elements in linking order, the last with timed TS packets, and figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from app.domain.constants import TS_PACKETS_PER_SRT_PACKET
from app.domain.endings import CannotSend, Finished
from app.domain.status import Reason
from app.engines.gstreamer.gst import Gst
from app.protocol import Input

# Returns the timestamp (ns) of the last buffer that reached the sink, None before the first.
Progress = Callable[[], int | None]


class SourcePart(Protocol):
    """A source that was built. Its elements are not yet in a pipeline."""

    elements: list[Gst.Element]

    def start(self) -> None:
        """Begin to deliver; the pipeline is then paused or playing."""

    def read_input(self) -> Input:
        """Return the input figures so far. Cheap; called each second."""

    def fault(self) -> Finished | None:
        """Return why the source ended or must end, None while it is healthy."""

    def close(self) -> None:
        """Release files and sockets. The pipeline has stopped by then."""


def make(factory: str, **properties: object) -> Gst.Element:
    """Make an element and set its properties (`_` stands for `-` in a name).

    Raises CannotSend if there is no such element.
    """
    element = Gst.ElementFactory.make(factory)
    if element is None:
        raise CannotSend(Reason.MISSING_ELEMENT, f"GStreamer has no element {factory}")
    for name, value in properties.items():
        element.set_property(name.replace("_", "-"), value)
    return element


def make_tsparse(smoothing_latency_ms: int) -> Gst.Element:
    """Make the pacer of file and multicast sources: timestamps from PCR, seven packets per buffer."""
    return make(
        "tsparse",
        set_timestamps=True,
        alignment=TS_PACKETS_PER_SRT_PACKET,
        parse_private_sections=True,
        smoothing_latency=smoothing_latency_ms * 1000,  # the property is in microseconds
    )
