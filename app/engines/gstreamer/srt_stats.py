"""Reads a stream's SRT connections as protocol.Peer values, from libsrt or else from GStreamer's structure."""

from __future__ import annotations

from typing import Any

from app.domain.figures.debug import SocketDebug
from app.domain.figures.rates import payload_bytes
from app.domain.figures.sample import NOTHING_APPLIED, Applied, Peer
from app.engines.gstreamer.gst import Gst
from app.machine.steady_clock import unix_now
from app.srt.admission import acknowledges_unsent
from app.srt.options import Option
from app.srt.peer_figures import Agreed, read_agreed, read_options, read_peer, read_raw
from app.srt.rejections import text_of_rejection
from app.srt.sockets import ENDED, SrtSocket, State
from app.srt.walk import ProcessSockets, SocketWalk


class LibSrtPeers:
    """Reads the connections from libsrt. Make it before the pipeline starts (see SocketWalk).

    `called_address` is the far end of a call: libsrt 1.5.1 reports no peer address for a socket that called.
    """

    def __init__(self, called_address: str | None) -> None:
        self._called_address = called_address
        self._walk = SocketWalk(ProcessSockets())
        self._origin = self._walk.first_id
        self._agreed: dict[int, Agreed] = {}

    def states(self, attempts: int = 0) -> dict[int, State]:
        """Return the process's SRT sockets and their states, including the listener."""
        return self._walk.sockets(attempts)

    def read(self, attempts: int = 0) -> list[Peer]:
        """Return the present connections, oldest first. `attempts` as for SocketWalk.sockets."""
        connected = [socket for socket, state in self.states(attempts).items() if state is State.CONNECTED]
        self._agreed = {socket: agreed for socket, agreed in self._agreed.items() if socket in connected}
        peers = (self._peer(socket) for socket in sorted(connected, reverse=True))
        return [peer for peer in peers if peer is not None]

    def acknowledging_unsent(self, peers: list[Peer]) -> list[int]:
        """Return the socket numbers of peers that have acknowledged unsent packets."""
        return [self._origin - peer.id for peer in peers if acknowledges_unsent(peer.flow_window_packets or 0)]

    def estimate_input_rate(self) -> None:
        """Remove the input rate that was set, so that libsrt measures it: the source has changed."""
        for number in self.states():
            SrtSocket(number).try_to_set(Option.INPUTBW, 0)

    def hold_input_rate(self, bytes_per_s: int) -> None:
        """Set the lowest input rate for libsrt's cap, on the listener and every connection."""
        for number in self._walk.known():
            SrtSocket(number).try_to_set(Option.MININPUTBW, bytes_per_s)

    def address_of(self, number: int) -> str | None:
        """Return the far end of the socket with that number, while it is known."""
        agreed = self._agreed.get(number)
        return agreed.address if agreed else None

    def refusal(self) -> tuple[int, str] | None:
        """Return the reject code and libsrt's text for a connection that failed, None while none has."""
        for number, state in self.states().items():
            if state in ENDED:
                code = SrtSocket(number).reject_code()
                return code, text_of_rejection(code)
        return None

    def _peer(self, number: int) -> Peer | None:
        sock = SrtSocket(number)
        if (agreed := self._agreed.get(number)) is None:
            if (address := sock.peer_address() or self._called_address) is None:
                return None
            agreed = self._agreed[number] = read_agreed(sock, address, unix_now())
        return read_peer(sock, self._origin - number, agreed)

    def debug(self) -> dict[str, SocketDebug]:
        """Return the state, options and figures of every connection, for the debug view."""
        return {str(self._origin - number): read_raw(SrtSocket(number)) for number in self.states()}

    def applied(self) -> Applied:
        """Return the options in force on the stream's first socket: the listener, or the call."""
        states = self.states()
        return read_options(SrtSocket(max(states))) if states else NOTHING_APPLIED


def peers_of_structure(stats: Gst.Structure, called_address: str) -> list[Peer]:
    """Return the connections in srtsink's `stats`. A figure that it does not report correctly is None.

    A listener's structure lists `callers`; a caller's is the connection itself. `called_address` is used where the
    structure names none. Fields are copied while the parent structure is alive: a child is garbage after it.
    """
    callers = stats.get_value("callers") if stats.has_field("callers") else None
    if callers is not None:
        return [_peer_of(index, child, called_address) for index, child in enumerate(callers, 1)]
    return [_peer_of(1, stats, called_address)] if stats.has_field("packets-sent") else []


def _peer_of(index: int, child: Gst.Structure, called_address: str) -> Peer:
    def read(name: str) -> Any:
        return child.get_value(name) if child.has_field(name) else 0

    address = read("caller-address")
    sent, again = read("packets-sent"), read("packets-retransmitted")
    wire, wire_again = read("bytes-sent"), read("bytes-retransmitted")
    return Peer(
        id=index,
        address=f"{address.get_address().to_string()}:{address.get_port()}" if address else called_address,
        connected_at=unix_now(),
        payload_bytes_total=payload_bytes(wire - wire_again, sent - again),
        wire_bytes_total=wire,
        packets_sent_unique_total=max(0, sent - again),
        packets_retransmitted_total=again,
        packets_dropped_total=read("packets-sent-dropped"),
        acks_total=read("packet-ack-received"),
        naks_total=read("packet-nack-received"),
        packets_reported_lost_total=read("packets-sent-lost"),
        rtt_ms=read("rtt-ms"),
        link_capacity_mbps=read("bandwidth-mbps"),
    )
