"""What a worker and its manager say to each other: msgspec Structs, one JSON line each.

The order goes to the worker's standard input, once, and is the only message that holds a secret. Everything else
goes over the worker's Unix socket. Nothing here speaks of GStreamer: another sender can stand behind the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from app.domain.secret import Secret
from app.domain.spec import StreamSpec
from app.domain.status import Reason

PROTOCOL_VERSION: Final = 1
HISTORY_SECONDS: Final = 3600
LINE_BYTES_MAX: Final = 4 * 1024 * 1024
# Codes of notices after which a file's rate may be another.
NEW_CONTENTS: Final = frozenset({"file_replaced", "file_rewritten"})


class WorkerOrder(msgspec.Struct, frozen=True):
    """All that a worker needs, on its standard input.

    `file_path` is absolute and already known to lie in the media folder; `bitrate_bps` is the transport rate that
    buffers are sized for, None when it is not known, and `is_constant_bitrate` says that it holds at all times;
    `memory_bytes` is the resident memory at which the worker ends itself.
    """

    key: str
    spec: StreamSpec
    socket_path: str
    file_path: str | None = None
    bitrate_bps: int | None = None
    is_constant_bitrate: bool = False
    dscp: int = 0
    memory_bytes: int = 0
    protocol: int = PROTOCOL_VERSION


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """A worker's first line on each connection. `spec` is public: no passphrase. `started_at` is Unix time."""

    key: str
    pid: int
    started_at: float
    spec: dict[str, Any]
    engine: str
    protocol: int = PROTOCOL_VERSION


class Point(msgspec.Struct, frozen=True, array_like=True):
    """One second of a stream, summed over its peers; what history keeps.

    Counters run from the worker's start and include peers that left. Bytes on the wire count 44 bytes of IPv4, UDP
    and SRT header per packet, as libsrt does; control packets are not in it. A gauge that cannot be known is None.
    `input_at` is when the input's bytes were counted, 0 from a worker that does not tell.
    """

    at: float
    peers: int = 0
    payload_bytes_total: int = 0
    wire_bytes_total: int = 0
    packets_sent_unique_total: int = 0
    packets_retransmitted_total: int = 0
    packets_dropped_total: int = 0
    acks_total: int = 0
    input_bytes_total: int = 0
    continuity_errors_total: int = 0
    rtt_ms: float | None = None
    send_buffer_ms: int | None = None
    input_at: float = 0.0


class Peer(msgspec.Struct, frozen=True):
    """One SRT connection, counters since it was made. Latencies are the connection's own, after negotiation.

    `send_buffer_*` is what the peer has not acknowledged; `flow_window_packets` what it can still take;
    `link_capacity_mbps` is libsrt's packet-pair estimate. Fields that only libsrt itself tells are None without it.
    """

    id: int
    address: str
    connected_at: float
    payload_bytes_total: int
    wire_bytes_total: int
    packets_sent_unique_total: int
    packets_retransmitted_total: int
    packets_dropped_total: int
    acks_total: int
    naks_total: int
    rtt_ms: float
    link_capacity_mbps: float
    negotiated_latency_ms: int | None = None
    send_buffer_ms: int | None = None
    send_buffer_packets: int | None = None
    send_buffer_bytes: int | None = None
    flight_packets: int | None = None
    flow_window_packets: int | None = None
    congestion_window_packets: int | None = None
    max_bandwidth_mbps: float | None = None
    applied_overhead_percent: int | None = None
    key_bits: int | None = None
    encryption_state: str | None = None
    peer_version: str | None = None
    stream_id: str = ""


class Input(msgspec.Struct, frozen=True):
    """What came in from the source: counters since the worker's start, apart from all SRT figures.

    `last_packet_age_s` is None before the first packet. `rtp_gaps_total` counts missing RTP sequence numbers.
    `loops_total` counts how often a file began again. `counted_at` is the Unix time at which `bytes_total` was true,
    for a source that goes in by the piece; None is the present.
    """

    bytes_total: int = 0
    continuity_errors_total: int = 0
    rtp_gaps_total: int = 0
    loops_total: int = 0
    last_packet_age_s: float | None = None
    counted_at: float | None = None


class Sample(msgspec.Struct, frozen=True, tag="sample"):
    """What is true this second. The one before the end (`is_last`) closes the account and says nothing of health."""

    point: Point
    peers: list[Peer]
    input: Input
    applied: dict[str, Any] = {}
    is_last: bool = False


class History(msgspec.Struct, frozen=True, tag="history"):
    """The worker's ring of points, oldest first; sent once after Hello."""

    points: list[Point]


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The pipeline plays: a listener's port is bound, a caller's call is out."""


class PeerEvent(msgspec.Struct, frozen=True, tag="peer"):
    """Somebody came, went or was refused. `change` is connected, disconnected or refused."""

    at: float
    change: str
    address: str
    reason: Reason | None = None
    stream_id: str = ""


class Notice(msgspec.Struct, frozen=True, tag="notice"):
    """Something an operator should read: a buffer that was not granted, a file that changed."""

    at: float
    code: str
    text: str


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The worker's last line: why it leaves. `detail` is the library's own words, for the debug view."""

    at: float
    reason: Reason | None
    detail: str = ""


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Manager to worker: close the connections and leave."""


class Report(msgspec.Struct, frozen=True, tag="report"):
    """Manager to worker: send the debug view now."""


class Debug(msgspec.Struct, frozen=True, tag="debug"):
    """The worker's allow-listed raw view: libsrt and element values, nothing secret."""

    values: dict[str, Any]


# Reports an event to the worker; safe to call from any thread.
Tell = Callable[[PeerEvent | Notice], None]

FromWorker = Hello | History | Ready | Sample | PeerEvent | Notice | Ended | Debug
ToWorker = Stop | Report

_encoder = msgspec.json.Encoder()
_from_worker: msgspec.json.Decoder[FromWorker] = msgspec.json.Decoder(FromWorker)
_to_worker: msgspec.json.Decoder[ToWorker] = msgspec.json.Decoder(ToWorker)


def encode(message: FromWorker | ToWorker) -> bytes:
    """Make one line of a message. A message that holds a Secret cannot be encoded here: TypeError."""
    return _encoder.encode(message) + b"\n"


def encode_order(order: WorkerOrder) -> bytes:
    """Make the line for a worker's standard input, passphrase included; it must go nowhere else."""
    return msgspec.json.encode(order, enc_hook=_reveal) + b"\n"


def decode_from_worker(line: bytes) -> FromWorker:
    """Read a worker's line; msgspec.DecodeError when it is not one of ours."""
    return _from_worker.decode(line)


def decode_to_worker(line: bytes) -> ToWorker:
    """Read a manager's line; msgspec.DecodeError when it is not one of ours."""
    return _to_worker.decode(line)


def decode_order(line: bytes) -> WorkerOrder:
    """Read the order from standard input; msgspec.DecodeError when it is not one."""
    return msgspec.json.decode(line, type=WorkerOrder, dec_hook=_wrap)


def _reveal(value: object) -> object:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} does not travel")


def _wrap(kind: type, value: object) -> object:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"{kind.__name__} does not travel")
