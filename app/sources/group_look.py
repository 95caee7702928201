"""Examines a multicast group briefly before its stream starts, to find contents that GStreamer would not carry."""

from __future__ import annotations

import select
import time
from typing import Final

from app.domain.carriage import Hindrance
from app.domain.spec import MulticastSource
from app.mpegts.continuity import RtpGaps
from app.mpegts.framing import whole_packets
from app.mpegts.inspect.hindrances import find_hindrances
from app.mpegts.packets import PACKET_BYTES
from app.sources.multicast_socket import MulticastSocket

_LOOK_S: Final = 0.5
_BYTES_MAX: Final = 4_000_000


def look_at_group(source: MulticastSource) -> set[Hindrance]:
    """Receive for half a second, or until a finding decides. Raises CannotSend if it cannot join."""
    group = MulticastSocket(source, lambda _event: None)
    group.stamp_datagrams()
    gaps = RtpGaps() if source.protocol == "rtp" else None
    seen, until = bytearray(), time.monotonic() + _LOOK_S
    try:
        while (left_s := until - time.monotonic()) > 0 and len(seen) < _BYTES_MAX:
            select.select([group.socket], [], [], left_s)
            for datagram in group.receive(64):
                packets = datagram.data if gaps is None else gaps.payload(datagram.data)
                seen += packets[: whole_packets(packets) * PACKET_BYTES]
    finally:
        group.close()
    return find_hindrances(seen)
