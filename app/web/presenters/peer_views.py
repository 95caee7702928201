"""The JSON form of one SRT connection of a stream, each figure with its unit and definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from app.domain.figures.counters import ConnectionCounters
from app.web.presenters.counter_views import View, described, with_counters
from app.web.presenters.judged_views import LossView

_is = described


class _LastSecond(View, frozen=True):
    """A flow over the last second: the growth of each counter, and rates from it."""

    retransmitted_percent: Annotated[
        float | None,
        _is("Resent: retransmitted / unique packets of the last second. A resent packet may still arrive too late"),
    ]


class _Peer(LossView, frozen=True):
    """One receiver's SRT connection. Counters run from its beginning, Mb/s are over the last second."""

    id: int
    address: str
    stream_id: Annotated[str, _is("SRT stream ID that the receiver sent")]
    connected_s: Annotated[float, _is("Seconds since the SRT handshake")]
    rtt_ms: Annotated[float, _is("Round-trip time as libsrt smooths it")]
    latency_rtt_ratio: Annotated[
        float | None,
        _is("Negotiated latency / RTT: how many times a lost packet can be requested. 4 is the rule of thumb"),
    ]
    negotiated_latency_ms: Annotated[int | None, _is("The higher of the two ends' latencies, which the receiver uses")]
    payload_mbps: Annotated[float | None, _is("Transport stream delivered, without headers and retransmissions")]
    wire_mbps: Annotated[float | None, _is("The same with SRT, UDP and IP headers and retransmissions")]
    retransmitted_percent: Annotated[
        float | None, _is("Resent: retransmitted / unique packets since the connection was made")
    ]
    send_buffer_ms: Annotated[int | None, _is("Age of the oldest packet that the receiver has not acknowledged yet")]
    send_buffer_packets: Annotated[int | None, _is("Packets that the receiver has not acknowledged yet")]
    flight_packets: Annotated[int | None, _is("Packets sent and not acknowledged yet")]
    flow_window_packets: Annotated[int | None, _is("Packets the receiver can still take")]
    max_bandwidth_mbps: Annotated[float | None, _is("The sending cap that libsrt uses now")]
    link_capacity_mbps: Annotated[float, _is("libsrt's packet-pair estimate of the path; rough")]
    key_bits: Annotated[int | None, _is("AES key length in use")]
    encryption_state: Annotated[str | None, _is("libsrt's key exchange state: secured, unsecured, bad_secret …")]
    peer_version: Annotated[str | None, _is("The receiver's libsrt version")]
    last_second: LastSecondView | None


if TYPE_CHECKING:
    LastSecondView = _LastSecond
    PeerView = _Peer
else:
    LastSecondView = with_counters(_LastSecond, ConnectionCounters)
    PeerView = with_counters(_Peer, ConnectionCounters)
