"""What a link must carry and how long it may fail: one formula each, used by every page, answer and option.

Rates are bit/s of transport stream unless a name says otherwise. Overhead is in percent as the operator sets it.
"""

from __future__ import annotations

from typing import Final

from app.domain.constants import (
    OVERHEAD_PERCENT_LOWEST,
    RTT_MS_ASSUMED,
    SEND_DROP_MS,
    SRT_HEADER_BYTES,
    SRT_PAYLOAD_BYTES,
)

# Measured with libsrt 1.5.1 and 1.5.4: an outage longer than latency - RTT - 25 ms delays the receiver's output.
OUTAGE_MARGIN_MS: Final = 25
_INPUT_SLACK: Final = 1.01
_BUFFER_PACKETS_LEAST: Final = 32  # libsrt SRTO_FC accepts no less


def applied_overhead_percent(asked: int) -> int:
    """Return the overhead that libsrt applies for a requested one: at least 5 %."""
    return max(OVERHEAD_PERCENT_LOWEST, asked)


def with_headers(payload: float) -> float:
    """Return an amount or rate of payload with the IPv4, UDP and SRT headers of full packets added."""
    return payload * (SRT_PAYLOAD_BYTES + SRT_HEADER_BYTES) / SRT_PAYLOAD_BYTES


def bandwidth_needed_bps(payload_bps: float, overhead_percent: int) -> int:
    """Return what a link must carry in the worst case: payload, headers, and libsrt's cap for retransmissions."""
    return round(with_headers(payload_bps) * (1 + applied_overhead_percent(overhead_percent) / 100))


def burst_repaired_ms(latency_ms: int, overhead_percent: int) -> float:
    """Return the longest run of lost packets whose retransmission the overhead can carry within the latency."""
    return latency_ms * applied_overhead_percent(overhead_percent) / 100


def outage_survived_ms(latency_ms: int, rtt_ms: float) -> float:
    """Return the longest complete outage that does not delay the receiver's output; 0 when the latency is too short.

    The overhead must still carry the burst that follows (`burst_repaired_ms`).
    """
    return max(0.0, latency_ms - rtt_ms - OUTAGE_MARGIN_MS)


def packets_per_second(payload_bps: float) -> float:
    """Return the number of SRT data packets per second of a transport stream."""
    return payload_bps / 8 / SRT_PAYLOAD_BYTES


def buffer_packets(
    *, latency_ms: int, bitrate_bps: int, is_constant_bitrate: bool = True, rtt_ms: int = RTT_MS_ASSUMED
) -> int:
    """Return how many SRT packets a sender may have to keep for a peer before libsrt drops them as too late.

    That is the latency, half a round trip, and the time before which nothing is dropped; twice as much if the rate
    varies. A larger buffer would be memory that a stranger can fill.
    """
    held_ms = SEND_DROP_MS + latency_ms + rtt_ms / 2
    packets = max(_BUFFER_PACKETS_LEAST, round(held_ms * packets_per_second(bitrate_bps) / 1000))
    return packets if is_constant_bitrate else 2 * packets


def input_bandwidth_bytes(constant_bitrate_bps: int) -> int:
    """Convert a constant transport rate for SRTO_INPUTBW: bytes per second with headers, plus 1 %."""
    return round(with_headers(constant_bitrate_bps / 8) * _INPUT_SLACK)


def shown_mbps(bandwidth_bps: float) -> float:
    """Convert a bandwidth to Mb/s for pages and answers: two decimals, rounded once."""
    return round(bandwidth_bps / 1e6, 2)
