"""Constants of DVB and SRT, re-exported for users; `domain/constants.py` explains each."""

from __future__ import annotations

from app.domain.constants import (
    BARS_BITRATE_BPS,
    CONNECT_TIMEOUT_MS,
    OVERHEAD_PERCENT_LOWEST,
    PCR_INTERVAL_MS_DVB,
    PCR_INTERVAL_MS_MPEG,
    PSI_INTERVAL_MS,
    SRT_HEADER_BYTES,
    SRT_PAYLOAD_BYTES,
    TS_PACKET_BYTES,
    TS_PACKETS_PER_SRT_PACKET,
)

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
]
