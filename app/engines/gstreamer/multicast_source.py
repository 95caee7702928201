"""A multicast group as a pipeline source: udpsrc on a socket of `sources.multicast_socket`, without RTP, paced."""

from __future__ import annotations

import os
import time
from threading import get_ident
from typing import Final

from app.domain.endings import Finished
from app.domain.spec import MulticastSource
from app.engines.gstreamer.discards import Discards
from app.engines.gstreamer.gst import Gio, Gst
from app.engines.gstreamer.source import make, make_tsparse
from app.engines.gstreamer.threads import stay_attached
from app.mpegts.continuity import ContinuityCheck, RtpGaps
from app.protocol import Input, Notify
from app.sources.multicast_socket import RECEIVE_BUFFER_BYTES, MulticastSocket

_RTP_CAPS: Final = "application/x-rtp, media=(string)video, clock-rate=(int)90000, encoding-name=(string)MP2T"


class MulticastPart:
    """A SourcePart that receives a group. Raises CannotSend when it cannot join."""

    def __init__(self, source: MulticastSource, *, smoothing_latency_ms: int, notify: Notify) -> None:
        self._group = MulticastSocket(source, notify)
        self._socket = Gio.Socket.new_from_fd(os.dup(self._group.socket.fileno()))
        self._continuity = ContinuityCheck()
        self._discards = Discards(notify)
        self._gaps = RtpGaps() if source.protocol == "rtp" else None
        self._bytes_total = 0
        self._received_at: float | None = None
        self._thread: int | None = None
        udpsrc = make("udpsrc", socket=self._socket, close_socket=False, auto_multicast=False)
        # tsparse releases packets when the next PCR has arrived, and the sink holds them until their time. Without a
        # thread in between, udpsrc would read its next datagram late, time it late, and slow down in a circle.
        queue = make("queue", max_size_bytes=RECEIVE_BUFFER_BYTES, max_size_buffers=0, max_size_time=0)
        self.elements = [udpsrc, queue, make_tsparse(smoothing_latency_ms)]
        if self._gaps is not None:
            udpsrc.set_property("caps", Gst.Caps.from_string(_RTP_CAPS))
            self.elements.insert(1, make("rtpmp2tdepay"))
        udpsrc.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, self._look)

    def _look(self, _pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        """Count a datagram before the pipeline gets it. Runs in udpsrc's thread for each datagram."""
        if self._thread != get_ident():
            self._thread = get_ident()
            stay_attached()
        buffer = info.get_buffer()
        datagram = buffer.extract_dup(0, buffer.get_size())
        packets = datagram if self._gaps is None else self._gaps.payload(datagram)
        self._continuity.check(packets)
        self._discards.check(packets)
        self._bytes_total += len(packets)
        self._received_at = time.monotonic()
        return Gst.PadProbeReturn.OK

    def start(self) -> None:
        """Do nothing: udpsrc receives as soon as the pipeline plays."""

    def read_input(self) -> Input:
        """Return bytes of transport stream, continuity errors, RTP gaps and the age of the last datagram."""
        self._group.follow_card()
        age_s = None if self._received_at is None else time.monotonic() - self._received_at
        counted = Input(
            bytes_total=self._bytes_total,
            continuity_errors_total=self._continuity.errors_total,
            rtp_gaps_total=0 if self._gaps is None else self._gaps.gaps_total,
            last_packet_age_s=age_s,
        )
        return self._discards.add_to(counted)

    def fault(self) -> Finished | None:
        """None: a group never ends by itself; silence is a phase, not a fault."""
        return None

    def close(self) -> None:
        """Leave the group."""
        self._socket.close()
        self._group.close()
