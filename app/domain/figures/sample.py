"""The state of a stream at one moment, as its worker reads it: counters and gauges.

A gauge that cannot be read is None. Latencies are those of the connection, after negotiation.
"""

from __future__ import annotations

import msgspec

from app.domain.figures.counters import ConnectionCounters, Counters
from app.domain.figures.relay import RelayFigures


class Point(Counters, frozen=True, kw_only=True):
    """One second of a stream, summed over its peers. The history keeps points.

    Counters run from the worker's start and include peers that left. `at` is Unix time by the worker's clock, and
    `steady_at` the same moment in seconds since the host booted, 0 from a worker that does not report it. `input_at` is
    when the input's bytes were counted, 0 when that is not known. `lost_at_receiver` is the estimated fraction that
    the worst peer misses. `is_held_back` says that the sending cap delays resends to a peer.
    """

    at: float
    peers: int = 0
    rtt_ms: float | None = None
    send_buffer_ms: int | None = None
    input_at: float = 0.0
    lost_at_receiver: float | None = None
    is_held_back: bool = False
    steady_at: float = 0.0


class Peer(ConnectionCounters, frozen=True, kw_only=True):
    """One SRT connection, with counters since it was made.

    `send_buffer_*` counts packets that the peer has not acknowledged; `send_buffer_ms` is how long the oldest one is
    overdue. The newest packet was passed to libsrt `ahead_ms` before it was due. `flow_window_packets` is what the peer
    can still take, `link_capacity_mbps` libsrt's packet-pair estimate. Fields that only libsrt reports are None without
    it.
    """

    id: int
    address: str
    connected_at: float
    rtt_ms: float
    link_capacity_mbps: float
    negotiated_latency_ms: int | None = None
    send_buffer_ms: int | None = None
    send_buffer_packets: int | None = None
    send_buffer_bytes: int | None = None
    ahead_ms: float = 0.0
    flight_packets: int | None = None
    flow_window_packets: int | None = None
    congestion_window_packets: int | None = None
    max_bandwidth_mbps: float | None = None
    applied_overhead_percent: int | None = None
    key_bits: int | None = None
    encryption_state: str | None = None
    peer_version: str | None = None
    lost_at_receiver: float | None = None
    is_held_back: bool = False
    stream_id: str = ""


class Input(msgspec.Struct, frozen=True):
    """The input from the source: counters since the worker's start, separate from all SRT figures.

    `last_packet_age_s` is None before the first packet. `rtp_gaps_total` counts missing RTP sequence numbers.
    `loops_total` counts how often a file began again. `counted_at` is the Unix time at which `bytes_total` was true,
    for a source that is read in pieces; None means now. `packets_scrambled_total` and `packets_errored_total`
    (transport error indicator) count such packets in the source, `packets_discarded_total` those of them that the
    engine discarded.
    """

    bytes_total: int = 0
    continuity_errors_total: int = 0
    rtp_gaps_total: int = 0
    loops_total: int = 0
    last_packet_age_s: float | None = None
    counted_at: float | None = None
    packets_scrambled_total: int = 0
    packets_errored_total: int = 0
    packets_discarded_total: int = 0

    def with_discards(self, *, scrambled: int, errored: int) -> Input:
        """Return the figures of an engine that discards scrambled and errored packets."""
        return msgspec.structs.replace(
            self,
            packets_scrambled_total=scrambled,
            packets_errored_total=errored,
            packets_discarded_total=scrambled + errored,
        )


class Applied(msgspec.Struct, frozen=True):
    """The settings in force, read back from the library; None if they cannot be read.

    `max_bandwidth_bytes` is SRTO_MAXBW: 0 follows the input rate, a negative value is no cap.
    """

    latency_ms: int | None = None
    overhead_percent: int | None = None
    max_bandwidth_bytes: int | None = None
    minimum_input_bytes: int | None = None
    dscp: int | None = None
    key_bits: int | None = None
    too_late_packet_drop: bool | None = None
    nak_reports: bool | None = None
    engine: str | None = None
    engine_reason: str = ""


NOTHING_APPLIED = Applied()


class Sample(msgspec.Struct, frozen=True, tag="sample"):
    """The state of a stream in this second.

    The last sample before the end (`is_last`) completes the counters and is no evidence of health.
    """

    point: Point
    peers: list[Peer]
    input: Input
    applied: Applied = NOTHING_APPLIED
    is_last: bool = False
    relay: RelayFigures | None = None
