"""What the pipeline needs of a source: elements in linking order, the last giving timed TS packets, and its figures."""

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
    """A built source. The elements are not yet in a pipeline."""

    elements: list[Gst.Element]

    def start(self) -> None:
        """Start to deliver; the pipeline is then paused or playing."""

    def read_input(self) -> Input:
        """What came in so far. Cheap; called each second."""

    def fault(self) -> Finished | None:
        """Why the source ended or must end, None while it is well."""

    def close(self) -> None:
        """Release files and sockets. The pipeline is down by then."""


def make(factory: str, **properties: object) -> Gst.Element:
    """Make an element and set its properties, `_` for `-` in their names. Raises CannotSend when there is none."""
    element = Gst.ElementFactory.make(factory)
    if element is None:
        raise CannotSend(Reason.MISSING_ELEMENT, f"GStreamer has no element {factory}")
    for name, value in properties.items():
        element.set_property(name.replace("_", "-"), value)
    return element


def make_tsparse(smoothing_latency_ms: int) -> Gst.Element:
    """The pacer of file and multicast: timestamps from PCR, seven packets a buffer."""
    return make(
        "tsparse",
        set_timestamps=True,
        alignment=TS_PACKETS_PER_SRT_PACKET,
        parse_private_sections=True,
        smoothing_latency=smoothing_latency_ms * 1000,  # the property is in microseconds
    )
