"""A multicast group as a pipeline source: udpsrc on a socket that we joined ourselves, de-packetised and re-timed.

The socket is ours because udpsrc of GStreamer 1.22 can neither join source-specific groups nor refuse datagrams that
another program's membership brings to this host.
"""

from __future__ import annotations

import contextlib
import socket
import time
from threading import get_ident
from typing import Final

from app.domain.endings import CannotSend, Finished
from app.domain.events import NoticeCode
from app.domain.spec import MulticastSource
from app.domain.status import Reason
from app.engines.gstreamer.gst import Gio, GLib, Gst
from app.engines.gstreamer.source import make, make_tsparse
from app.engines.gstreamer.threads import stay_attached
from app.machine.steady_clock import unix_now
from app.mpegts.continuity import ContinuityCheck, RtpGaps
from app.protocol import Input, Notice, Tell

# 50 Mb/s for 300 ms; the kernel books about 2300 bytes of its memory for each datagram of 1316.
RECEIVE_BUFFER_BYTES: Final = 4 * 1024 * 1024
_SO_RCVBUFFORCE: Final = 33  # asm-generic/socket.h
_IP_MULTICAST_ALL: Final = 49  # linux/in.h
_RTP_CAPS: Final = "application/x-rtp, media=(string)video, clock-rate=(int)90000, encoding-name=(string)MP2T"


class MulticastPart:
    """A SourcePart that receives a group. Raises CannotSend when it cannot join."""

    def __init__(self, source: MulticastSource, *, smoothing_latency_ms: int, tell: Tell) -> None:
        self._source = source
        self._card = _card_of(source)
        self._socket = _join(source)
        _size_buffer(self._socket, tell)
        self._continuity = ContinuityCheck()
        self._gaps = RtpGaps() if source.protocol == "rtp" else None
        self._bytes_total = 0
        self._received_at: float | None = None
        self._thread: int | None = None
        udpsrc = make("udpsrc", socket=self._socket, close_socket=False, auto_multicast=False)
        # tsparse lets go of packets when the next PCR is in, and the sink then holds them until their time. Without a
        # thread in between, udpsrc would read its next datagram late, time it late, and slow down in a circle.
        queue = make("queue", max_size_bytes=RECEIVE_BUFFER_BYTES, max_size_buffers=0, max_size_time=0)
        self.elements = [udpsrc, queue, make_tsparse(smoothing_latency_ms)]
        if self._gaps is not None:
            udpsrc.set_property("caps", Gst.Caps.from_string(_RTP_CAPS))
            self.elements.insert(1, make("rtpmp2tdepay"))
        udpsrc.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, self._look)

    def _look(self, _pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        """Count a datagram on its way; runs in udpsrc's thread for each of them."""
        if self._thread != get_ident():
            self._thread = get_ident()
            stay_attached()
        buffer = info.get_buffer()
        datagram = buffer.extract_dup(0, buffer.get_size())
        packets = datagram if self._gaps is None else self._gaps.payload(datagram)
        self._continuity.check(packets)
        self._bytes_total += len(packets)
        self._received_at = time.monotonic()
        return Gst.PadProbeReturn.OK

    def start(self) -> None:
        """Nothing to do: udpsrc receives once the pipeline plays."""

    def read_input(self) -> Input:
        """Bytes of transport stream, continuity errors, RTP gaps, age of the last datagram."""
        self._follow_card()
        age_s = None if self._received_at is None else time.monotonic() - self._received_at
        return Input(
            bytes_total=self._bytes_total,
            continuity_errors_total=self._continuity.errors_total,
            rtp_gaps_total=0 if self._gaps is None else self._gaps.gaps_total,
            last_packet_age_s=age_s,
        )

    def _follow_card(self) -> None:
        """Join again when the card was taken away and put back: it is another one then, and nothing comes from it."""
        card = _card_of(self._source)
        if card in (None, self._card):
            return
        with contextlib.suppress(CannotSend):  # not yet up, maybe: looked at again each second
            _enter_group(self._socket, self._source)
            self._card = card

    def fault(self) -> Finished | None:
        """A group never ends by itself; silence is a phase, not a fault."""
        return None

    def close(self) -> None:
        """Leave the group."""
        self._socket.close()


def _join(source: MulticastSource) -> Gio.Socket:
    if source.interface != "auto" and _card_of(source) is None:
        raise CannotSend(Reason.INTERFACE_MISSING, f"this host has no interface {source.interface}")
    receiver = _bind(source.address, source.port)
    _enter_group(receiver, source)
    return receiver


def _enter_group(receiver: Gio.Socket, source: MulticastSource) -> None:
    interface = None if source.interface == "auto" else source.interface
    group = Gio.InetAddress.new_from_string(source.address)
    try:
        if source.source_ip is None:
            receiver.join_multicast_group(group, False, interface)
        else:
            receiver.join_multicast_group_ssm(group, Gio.InetAddress.new_from_string(source.source_ip), interface)
    except GLib.Error as error:
        where = interface or "the interface of the route; choose an interface by name"
        raise CannotSend(
            Reason.INTERFACE_MISSING, f"cannot join {source.address} on {where}: {error.message}"
        ) from None


def _bind(group: str, port: int) -> Gio.Socket:
    """Bind to a group and port that others may bind to as well.

    Gio would set SO_REUSEPORT besides: Linux 6.18 then gives a group's datagrams to whichever socket of that port
    its hash of the sender chooses, joined on that interface or not.
    """
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Only what this socket joined, on the interface where it joined, from the sender that it asked for.
        receiver.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        receiver.bind((group, port))
    except OSError as error:
        receiver.close()
        raise CannotSend(Reason.ENGINE_ERROR, f"cannot receive on {group}:{port}: {error.strerror}") from None
    return Gio.Socket.new_from_fd(receiver.detach())


def _card_of(source: MulticastSource) -> int | None:
    """The kernel's number of the chosen interface, None when there is none or the routing table is to choose."""
    # Not /sys/class/net: that shows the interfaces of whoever mounted it, which may be another network namespace.
    with contextlib.suppress(OSError):
        return None if source.interface == "auto" else socket.if_nametoindex(source.interface)
    return None


def _size_buffer(receiver: Gio.Socket, tell: Tell) -> None:
    """Ask for a large receive buffer, look at what was granted, and say so when it is too little."""
    try:
        receiver.set_option(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except GLib.Error:  # needs CAP_NET_ADMIN; without it net.core.rmem_max is the limit
        receiver.set_option(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    _, doubled = receiver.get_option(socket.SOL_SOCKET, socket.SO_RCVBUF)
    if (granted := doubled // 2) < RECEIVE_BUFFER_BYTES:
        text = (
            f"The kernel granted {granted // 1024} kB of receive buffer where 50 Mb/s wants "
            f"{RECEIVE_BUFFER_BYTES // 1024} kB: sysctl -w net.core.rmem_max={RECEIVE_BUFFER_BYTES}"
        )
        tell(Notice(unix_now(), NoticeCode.SMALL_RECEIVE_BUFFER, text))
