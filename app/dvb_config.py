"""Constants of DVB and SRT, each with its source, and the libsrt options that a spec turns into."""

from __future__ import annotations

from typing import Final

from app.domain.spec import CallerEndpoint, StreamSpec

TS_PACKET_BYTES: Final = 188  # ISO/IEC 13818-1, 2.4.3.2
TS_PACKETS_PER_SRT_PACKET: Final = 7  # 7 x 188 = 1316, SRT live mode's payload (libsrt SRT_LIVE_DEF_PLSIZE)
SRT_HEADER_BYTES: Final = 44  # 20 IPv4 + 8 UDP + 16 SRT, as libsrt counts them
SRT_PAYLOAD_BYTES: Final = TS_PACKET_BYTES * TS_PACKETS_PER_SRT_PACKET
PCR_INTERVAL_MS_DVB: Final = 40  # ETSI TR 101 290, 2.3b: repetition of PCR
PCR_INTERVAL_MS_MPEG: Final = 100  # ISO/IEC 13818-1, 2.7.2
PSI_INTERVAL_MS: Final = 500  # ETSI TR 101 290, 1.3a and 1.5a: PAT and PMT

DSCP_AF41: Final = 34  # RFC 4594, 4.3: multimedia conferencing and broadcast contribution
OVERHEAD_PERCENT_LOWEST: Final = 5  # libsrt SRTO_OHEADBW accepts 5..100
CONNECT_TIMEOUT_MS: Final = 3000  # libsrt SRTO_CONNTIMEO default, kept explicit: start answers within it
PEER_IDLE_TIMEOUT_MS: Final = 5000  # libsrt SRTO_PEERIDLETIMEO default, kept explicit: a dead peer is noticed then

BARS_BITRATE_BPS: Final = 8_000_000  # the mux rate of the colour bars, null packets included

# Used to size buffers when the rate of the source is not known: an HD contribution feed.
BITRATE_BPS_ASSUMED: Final = 50_000_000
RTT_MS_ASSUMED: Final = 500
BUFFER_PACKETS_LOWEST: Final = 8_192  # libsrt SRTO_SNDBUF default; each connection costs 40 bytes for each of them
RECEIVE_BUFFER_PACKETS: Final = 64  # a sender receives no data; the default would cost memory for every caller
# libsrt counts buffer bytes in units of MSS 1500 less 28 bytes of IPv4 and UDP headers.
_BUFFER_UNIT_BYTES: Final = 1472


def applied_overhead_percent(asked: int) -> int:
    """What libsrt is given for an overhead asked: it takes nothing under 5 %."""
    return max(OVERHEAD_PERCENT_LOWEST, asked)


def buffer_packets(*, latency_ms: int, bitrate_bps: int, rtt_ms: int = RTT_MS_ASSUMED) -> int:
    """SRT packets in flight or waiting: (latency + RTT / 2) x bitrate, and as much again for retransmissions."""
    return 2 * round((latency_ms + rtt_ms / 2) * bitrate_bps / 8 / SRT_PAYLOAD_BYTES / 1000)


def input_bandwidth_bytes(constant_bitrate_bps: int) -> int:
    """A constant transport rate as SRTO_INPUTBW wants it: bytes a second with headers, and 1 % of slack."""
    per_packet = (SRT_PAYLOAD_BYTES + SRT_HEADER_BYTES) / SRT_PAYLOAD_BYTES
    return round(constant_bitrate_bps / 8 * per_packet * 1.01)


def srt_options(
    spec: StreamSpec, *, dscp: int, bitrate_bps: int | None = None, is_constant_bitrate: bool = False
) -> dict[str, str]:
    """The libsrt options of a spec, in the spelling of GStreamer's SRT URI parameters.

    `dscp` (0..63) is used when the spec asks for QoS. Passphrase and latency are not here: they are element
    properties. Booleans are lower case, because GStreamer knows no other. `transtype` must stay out: libsrt resets
    latency, overhead and more when it is set, and live is the default.
    """
    needed = buffer_packets(latency_ms=spec.latency_ms, bitrate_bps=bitrate_bps or BITRATE_BPS_ASSUMED)
    packets = max(BUFFER_PACKETS_LOWEST, needed)
    # libsrt needs half a second to estimate a rate and caps nothing until then; a rate that is known it may have.
    known_bps = bitrate_bps if is_constant_bitrate else None
    return {
        "mode": "caller" if isinstance(spec.endpoint, CallerEndpoint) else "listener",
        "oheadbw": str(applied_overhead_percent(spec.overhead_percent)),
        "maxbw": "0",  # the cap follows the input rate; oheadbw acts only then
        "inputbw": str(input_bandwidth_bytes(known_bps)) if known_bps else "0",
        "tlpktdrop": "true",
        "nakreport": "true",
        "fc": str(packets),
        "sndbuf": str(packets * _BUFFER_UNIT_BYTES),
        "rcvbuf": str(RECEIVE_BUFFER_PACKETS * _BUFFER_UNIT_BYTES),
        "iptos": str(dscp << 2 if spec.qos else 0),
        "conntimeo": str(CONNECT_TIMEOUT_MS),
        "peeridletimeo": str(PEER_IDLE_TIMEOUT_MS),
    }
