"""The libsrt options that a spec turns into, and the constants of DVB and SRT under the name that users know."""

from __future__ import annotations

from app.domain.constants import (
    BARS_BITRATE_BPS,
    BITRATE_BPS_ASSUMED,
    BUFFER_PACKETS_LOWEST,
    BUFFER_UNIT_BYTES,
    CONNECT_TIMEOUT_MS,
    OVERHEAD_PERCENT_LOWEST,
    PCR_INTERVAL_MS_DVB,
    PCR_INTERVAL_MS_MPEG,
    PEER_IDLE_TIMEOUT_MS,
    PSI_INTERVAL_MS,
    RECEIVE_BUFFER_PACKETS,
    SRT_HEADER_BYTES,
    SRT_PAYLOAD_BYTES,
    TS_PACKET_BYTES,
    TS_PACKETS_PER_SRT_PACKET,
)
from app.domain.link_budget import applied_overhead_percent, buffer_packets, input_bandwidth_bytes
from app.domain.spec import CallerEndpoint, StreamSpec

__all__ = [
    "BARS_BITRATE_BPS",
    "CONNECT_TIMEOUT_MS",
    "OVERHEAD_PERCENT_LOWEST",
    "PCR_INTERVAL_MS_DVB",
    "PCR_INTERVAL_MS_MPEG",
    "PSI_INTERVAL_MS",
    "SRT_HEADER_BYTES",
    "SRT_PAYLOAD_BYTES",
    "TS_PACKETS_PER_SRT_PACKET",
    "TS_PACKET_BYTES",
    "srt_options",
]


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
        "sndbuf": str(packets * BUFFER_UNIT_BYTES),
        "rcvbuf": str(RECEIVE_BUFFER_PACKETS * BUFFER_UNIT_BYTES),
        "iptos": str(dscp << 2 if spec.qos else 0),
        "conntimeo": str(CONNECT_TIMEOUT_MS),
        "peeridletimeo": str(PEER_IDLE_TIMEOUT_MS),
    }
