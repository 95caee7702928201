"""Reads a sender's connection as protocol.Peer and the options in force on a socket, for every engine."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from app.domain.figures.debug import SocketDebug
from app.domain.figures.rates import payload_bytes
from app.domain.figures.sample import Applied, Peer
from app.srt.binding import version_text
from app.srt.options import Kind, Option
from app.srt.sockets import SrtSocket, State
from app.srt.statistics import Statistics, all_figures


class Agreed(msgspec.Struct, frozen=True):
    """The results of the handshake, which do not change during the connection. Read once, because reading costs CPU."""

    address: str
    connected_at: float
    negotiated_latency_ms: int | None
    applied_overhead_percent: int | None
    peer_version: str | None
    stream_id: str


def read_agreed(sock: SrtSocket, address: str, unix_s: float) -> Agreed:
    """Read the results of the handshake; `unix_s` is the present time."""
    peer_version = sock.option(Option.PEERVERSION)
    return Agreed(
        address=address,
        connected_at=unix_s - sock.connected_s(),
        # A sender's peer buffers for PEERLATENCY: the negotiated latency, the higher of the two requests.
        negotiated_latency_ms=sock.option(Option.PEERLATENCY),
        applied_overhead_percent=sock.option(Option.OHEADBW),
        peer_version=version_text(peer_version) if peer_version else None,
        stream_id=sock.text_option(Option.STREAMID),
    )


def read_peer(
    sock: SrtSocket, peer_id: int, agreed: Agreed, *, unsent_packets: int = 0, ahead_ms: float = 0.0
) -> Peer | None:
    """Return the connection's figures; None if it was closed a moment ago.

    `unsent_packets` did not fit into the send buffer and never reached libsrt: they count as dropped. The
    newest packet was passed to libsrt `ahead_ms` before it was due.
    """
    stats = sock.statistics()
    if stats is None:
        return None
    key_bytes, key_state = sock.option(Option.PBKEYLEN), sock.key_state()
    return Peer(
        id=peer_id,
        rtt_ms=stats.msRTT,
        link_capacity_mbps=stats.mbpsBandwidth,
        max_bandwidth_mbps=stats.mbpsMaxBW,
        key_bits=key_bytes * 8 if key_bytes and key_state == "secured" else None,
        encryption_state=key_state,
        **msgspec.structs.asdict(agreed),
        ahead_ms=ahead_ms,
        # libsrt gives the time from the oldest packet in the buffer to the newest.
        send_buffer_ms=max(0, round(stats.msSndBuf - ahead_ms)),
        **_counters(stats, unsent_packets),
    )


def _counters(stats: Statistics, unsent_packets: int) -> dict[str, Any]:
    return {
        "payload_bytes_total": payload_bytes(stats.byteSentUniqueTotal, stats.pktSentUniqueTotal),
        "wire_bytes_total": stats.byteSentTotal,
        "packets_sent_unique_total": stats.pktSentUniqueTotal,
        "packets_retransmitted_total": stats.pktRetransTotal,
        "packets_dropped_total": stats.pktSndDropTotal + unsent_packets,
        "acks_total": stats.pktRecvACKTotal,
        "naks_total": stats.pktRecvNAKTotal,
        "packets_reported_lost_total": stats.pktSndLossTotal,
        "send_buffer_packets": stats.pktSndBuf,
        "send_buffer_bytes": stats.byteSndBuf,
        "flight_packets": stats.pktFlightSize,
        "flow_window_packets": stats.pktFlowWindow,
        "congestion_window_packets": stats.pktCongestionWindow,
    }


def read_options(sock: SrtSocket) -> Applied:
    """Return the options in force on a listener or a call."""
    tos, key_bytes = sock.option(Option.IPTOS), sock.option(Option.PBKEYLEN)
    return Applied(
        latency_ms=sock.option(Option.PEERLATENCY),
        overhead_percent=sock.option(Option.OHEADBW),
        max_bandwidth_bytes=sock.option(Option.MAXBW),
        minimum_input_bytes=sock.option(Option.MININPUTBW),
        dscp=None if tos is None or tos < 0 else tos >> 2,
        key_bits=key_bytes * 8 if key_bytes else None,
        too_late_packet_drop=_as_bool(sock.option(Option.TLPKTDROP)),
        nak_reports=_as_bool(sock.option(Option.NAKREPORT)),
    )


def read_raw(sock: SrtSocket) -> SocketDebug:
    """Return the state, the options and every libsrt figure of a socket, for the debug view. Texts are left out."""
    state = sock.state()
    stats = sock.statistics() if state is State.CONNECTED else None
    options = {option.key: sock.option(option) for option in _SHOWN}
    return SocketDebug(state.name.lower(), options, all_figures(stats) if stats else {})


# These are not states of a socket, or libsrt refuses them without groups.
_HIDDEN: Final = frozenset({Option.GROUPCONNECT, Option.CRYPTOMODE, Option.MAXREXMITBW})
_SHOWN: Final = tuple(option for option in Option if option.kind is not Kind.TEXT and option not in _HIDDEN)


def _as_bool(value: int | None) -> bool | None:
    return None if value is None else bool(value)
