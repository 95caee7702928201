"""A stream's SRT connections as protocol.Peer values: from libsrt itself, or from GStreamer's structure without it."""

from __future__ import annotations

from typing import Any, Final

from app.domain.stats import payload_bytes
from app.engines.gstreamer.gst import Gst
from app.machine.steady_clock import unix_now
from app.protocol import Peer
from app.srt.libsrt import ByteStats, LibSrt, Option, SocketWalk, State, version_text


class LibSrtPeers:
    """Reads the connections from libsrt. Make it before the pipeline starts (see SocketWalk).

    `called_address` is the far end of a call: libsrt 1.5.1 names no peer for a socket that called.
    """

    def __init__(self, lib: LibSrt, called_address: str | None) -> None:
        self._called_address = called_address
        self._lib = lib
        self._walk = SocketWalk(lib)
        self._origin = self._walk.first_id
        self._facts: dict[int, dict[str, Any]] = {}

    def states(self, attempts: int = 0) -> dict[int, State]:
        """The process's SRT sockets and their states, the listener's own among them."""
        return self._walk.sockets(attempts)

    def read(self, attempts: int = 0) -> list[Peer]:
        """The connections that stand, oldest first. `attempts` as for SocketWalk.sockets."""
        connected = [socket for socket, state in self.states(attempts).items() if state is State.CONNECTED]
        self._facts = {socket: facts for socket, facts in self._facts.items() if socket in connected}
        peers = (self._peer(socket) for socket in sorted(connected, reverse=True))
        return [peer for peer in peers if peer is not None]

    def estimate_input_rate(self) -> None:
        """Drop the input rate that was given: the source is not what it was."""
        for socket in self.states():
            self._lib.estimate_input_rate(socket)

    def hold_input_rate(self, bytes_per_s: int) -> None:
        """Set the input rate that libsrt's cap must not fall below, on the listener and every connection."""
        for socket in self._walk.known():
            self._lib.set_minimum_input(socket, bytes_per_s)

    def refusal(self) -> tuple[int, str] | None:
        """The reject code and libsrt's words for a connection that failed, None while none has."""
        for socket, state in self.states().items():
            if state in (State.BROKEN, State.CLOSING, State.CLOSED):
                code = self._lib.reject_code(socket)
                return code, self._lib.reject_text(code)
        return None

    def _peer(self, socket: int) -> Peer | None:
        lib = self._lib
        stats = lib.stats(socket)
        if stats is None:
            return None  # it was closed between the walk and this call
        if (facts := self._facts.get(socket)) is None:
            if (address := lib.peer_address(socket) or self._called_address) is None:
                return None
            facts = self._facts[socket] = self._agreed(socket) | {"address": address}
        key_bytes = lib.option(socket, Option.PBKEYLEN)
        key_state = lib.key_state(socket)
        return Peer(
            id=self._origin - socket,
            rtt_ms=stats.msRTT,
            link_capacity_mbps=stats.mbpsBandwidth,
            max_bandwidth_mbps=stats.mbpsMaxBW,
            key_bits=key_bytes * 8 if key_bytes and key_state == "secured" else None,
            encryption_state=key_state,
            **facts,
            **_counters(stats),
        )

    def _agreed(self, socket: int) -> dict[str, Any]:
        """What the handshake settled, for as long as the connection stands. Read once: each reading costs CPU."""
        peer_version = self._lib.option(socket, Option.PEERVERSION)
        return {
            "connected_at": unix_now() - self._lib.connected_s(socket),
            # A sender's peer buffers for PEERLATENCY: what both ends agreed on, the higher of the two wishes.
            "negotiated_latency_ms": self._lib.option(socket, Option.PEERLATENCY),
            "applied_overhead_percent": self._lib.option(socket, Option.OHEADBW),
            "peer_version": version_text(peer_version) if peer_version else None,
            "stream_id": self._lib.stream_id(socket),
        }

    def debug(self) -> dict[str, Any]:
        """Every libsrt figure of every connection, for the debug view."""
        shown: dict[str, Any] = {}
        for socket, state in self.states().items():
            stats = self._lib.stats(socket) if state is State.CONNECTED else None
            options = {option.name.lower(): self._lib.option(socket, option) for option in _DEBUG_OPTIONS}
            figures = {name: getattr(stats, name) for name, *_ in ByteStats._fields_} if stats else {}
            shown[str(self._origin - socket)] = {"state": state.name.lower(), "options": options, "stats": figures}
        return shown

    def applied(self) -> dict[str, Any]:
        """The options in force on the stream's first socket: the listener, or the call."""
        states = self.states()
        if not states:
            return {}
        socket = max(states)
        lib = self._lib
        tos = lib.option(socket, Option.IPTOS)
        key_bytes = lib.option(socket, Option.PBKEYLEN)
        return {
            "latency_ms": lib.option(socket, Option.PEERLATENCY),
            "overhead_percent": lib.option(socket, Option.OHEADBW),
            "max_bandwidth_bytes": lib.option(socket, Option.MAXBW),
            "minimum_input_bytes": lib.option(socket, Option.MININPUTBW),
            "dscp": None if tos is None or tos < 0 else tos >> 2,
            "key_bits": key_bytes * 8 if key_bytes else None,
            "too_late_packet_drop": _as_bool(lib.option(socket, Option.TLPKTDROP)),
            "nak_reports": _as_bool(lib.option(socket, Option.NAKREPORT)),
        }


_DEBUG_OPTIONS: Final = tuple(option for option in Option if option is not Option.STREAMID)


def _as_bool(value: int | None) -> bool | None:
    # libsrt writes one byte of the int for its boolean options.
    return None if value is None else bool(value & 0xFF)


def _counters(stats: ByteStats) -> dict[str, Any]:
    return {
        "payload_bytes_total": payload_bytes(stats.byteSentUniqueTotal, stats.pktSentUniqueTotal),
        "wire_bytes_total": stats.byteSentTotal,
        "packets_sent_unique_total": stats.pktSentUniqueTotal,
        "packets_retransmitted_total": stats.pktRetransTotal,
        "packets_dropped_total": stats.pktSndDropTotal,
        "acks_total": stats.pktRecvACKTotal,
        "naks_total": stats.pktRecvNAKTotal,
        "send_buffer_ms": stats.msSndBuf,
        "send_buffer_packets": stats.pktSndBuf,
        "send_buffer_bytes": stats.byteSndBuf,
        "flight_packets": stats.pktFlightSize,
        "flow_window_packets": stats.pktFlowWindow,
        "congestion_window_packets": stats.pktCongestionWindow,
    }


def peers_of_structure(stats: Gst.Structure, called_address: str) -> list[Peer]:
    """The connections as srtsink's `stats` tells them; what it cannot tell truly stays None.

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
        rtt_ms=read("rtt-ms"),
        link_capacity_mbps=read("bandwidth-mbps"),
    )
