"""The messages between a worker and its manager: msgspec Structs, one JSON line each.

The job goes to the worker's standard input, once, and is the only message with a secret. All other messages go over the
worker's Unix socket. Nothing here depends on GStreamer, so that other engines use the same messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from app.domain.constants import RECEIVERS_MAX
from app.domain.events import NoticeCode, PeerChange
from app.domain.figures.debug import EngineDebug
from app.domain.figures.live_report import LiveReport
from app.domain.figures.outputs import OutputsReport
from app.domain.figures.reception import DeliveryPoint, Reception
from app.domain.figures.sample import NOTHING_APPLIED, Applied
from app.domain.figures.sample import Input as Input
from app.domain.figures.sample import Peer as Peer
from app.domain.figures.sample import Point as Point
from app.domain.figures.sample import Sample as Sample
from app.domain.impairment.model import CutDirection, Impairment
from app.domain.json_value import JsonObject
from app.domain.secret import Secret
from app.domain.spec import Engine, JobSpec
from app.domain.status import Reason

PROTOCOL_VERSION: Final = 2
UNDERSTOOD: Final = frozenset({1, PROTOCOL_VERSION})  # a worker of an earlier release stays on air over an upgrade
HISTORY_SECONDS: Final = 3600
# A worker writes this to its error log when it cannot serve; the launcher reads it as the reason.
NO_SOCKET: Final = "the socket cannot be created"
LINE_BYTES_MAX: Final = 4 * 1024 * 1024
# Codes of notices after which a file's rate may have changed.
NEW_CONTENTS: Final = frozenset({NoticeCode.FILE_REPLACED, NoticeCode.FILE_REWRITTEN})
_POINT_OF_PROTOCOL_1: Final = (
    "at",
    "peers",
    "payload_bytes_total",
    "wire_bytes_total",
    "packets_sent_unique_total",
    "packets_retransmitted_total",
    "packets_dropped_total",
    "acks_total",
    "input_bytes_total",
    "continuity_errors_total",
    "rtt_ms",
    "send_buffer_ms",
    "input_at",
)


class Job(msgspec.Struct, frozen=True):
    """The complete order for a worker, passed on its standard input.

    `file_path` is absolute and has been checked to be in the media folder. `bitrate_bps` is the transport rate for
    sizing buffers, None if it is not known; `is_constant_bitrate` says that it holds at all times. `engine` was chosen
    with a reason, a sentence; None if the worker has to choose. `clock_pid` is the clock that times the file.
    `receivers_max` limits the receivers of a listener. `relay_targets` are the networks that a relay may send to.
    `memory_bytes` is the resident memory at which the worker ends itself. `record_folder` is where it may record.
    `bind_address` is the numeric address that a sending listener binds, empty for every IPv4 address.
    """

    key: str
    spec: JobSpec
    file_path: str | None = None
    bitrate_bps: int | None = None
    is_constant_bitrate: bool = False
    clock_pid: int | None = None
    engine: Engine | None = None
    engine_reason: str = ""
    receivers_max: int = RECEIVERS_MAX
    dscp: int = 0
    relay_targets: str = ""
    memory_bytes: int = 0
    record_folder: str | None = None
    bind_address: str = ""
    protocol: int = PROTOCOL_VERSION


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """A worker's first line on each connection. `spec` is public: no passphrase. `started_at` is Unix time."""

    key: str
    pid: int
    started_at: float
    spec: JsonObject
    engine: str
    protocol: int = PROTOCOL_VERSION


class History(msgspec.Struct, frozen=True, tag="history"):
    """The worker's ring of points, oldest first; sent once after Hello. `fields` names the columns of `points`.

    A worker of protocol 1 sends no names. Columns that this version does not know are ignored.
    """

    points: list[list[int | float | bool | None]]
    fields: tuple[str, ...] = _POINT_OF_PROTOCOL_1

    @classmethod
    def of(cls, points: Iterable[Point]) -> History:
        """Return the points as a message."""
        return cls([list(msgspec.structs.astuple(point)) for point in points], Point.__struct_fields__)

    def readings(self) -> list[Point]:
        """Return the points of the message. Raises msgspec.ValidationError."""
        return [read_point(row, self.fields) for row in self.points]


def read_point(row: Sequence[int | float | bool | None], fields: Sequence[str] = _POINT_OF_PROTOCOL_1) -> Point:
    """Return the point for a row of values in the order of `fields`. Raises msgspec.ValidationError."""
    return msgspec.convert(dict(zip(fields, row, strict=False)), Point)


class Received(msgspec.Struct, frozen=True, tag="received"):
    """The account of a reception, its analysis and its outputs; follows each sample of a receive stream."""

    account: Reception
    analysis: LiveReport
    outputs: OutputsReport = OutputsReport()


class ReceivedHistory(msgspec.Struct, frozen=True, tag="received_history"):
    """A receive stream's history, oldest first: the last hour by seconds, 24 hours by minutes; sent after History."""

    seconds: list[DeliveryPoint]
    minutes: list[DeliveryPoint]


class Picture(msgspec.Struct, frozen=True, tag="picture"):
    """A receive stream's newest key frame as JPEG, sent when there is a new one. `at` is when it was decoded."""

    at: float
    jpeg: bytes


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The pipeline plays: a listener's port is bound, or a caller's call was sent."""


class PeerEvent(msgspec.Struct, frozen=True, tag="peer"):
    """A peer connected, left or was refused."""

    at: float
    change: PeerChange
    address: str
    reason: Reason | None = None
    stream_id: str = ""


class Notice(msgspec.Struct, frozen=True, tag="notice"):
    """A message for the operator, such as a buffer that is too small or a file that changed.

    An empty `text` ends the notice with that code.
    """

    at: float
    code: NoticeCode
    text: str


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The worker's last line: why it ends. `detail` is the library's own text, for the debug view."""

    at: float
    reason: Reason | None
    detail: str = ""


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Manager to worker: close the connections and end."""


class Report(msgspec.Struct, frozen=True, tag="report"):
    """Manager to worker: send the debug view now."""


class Reset(msgspec.Struct, frozen=True, tag="reset"):
    """Manager to worker: count the reception from zero."""


class Impair(msgspec.Struct, frozen=True, tag="impair"):
    """Manager to a relay's worker: change to another impairment."""

    impairment: Impairment


class Cut(msgspec.Struct, frozen=True, tag="cut"):
    """Manager to a relay's worker: block all datagrams for a time, from now on."""

    for_ms: float
    direction: CutDirection = "both"


class Debug(msgspec.Struct, frozen=True, tag="debug"):
    """The worker's debug view as JSON: a worker of another release may send other values. Nothing in it is secret."""

    values: JsonObject

    @classmethod
    def of(cls, view: EngineDebug | None) -> Debug:
        """Return an engine's view as a message; an empty one before there is an engine."""
        return cls({} if view is None else msgspec.to_builtins(view))


# Reports an event to the worker; safe to call from any thread.
Notify = Callable[[PeerEvent | Notice], None]

FromWorker = (
    Hello | History | ReceivedHistory | Ready | Sample | Received | Picture | PeerEvent | Notice | Ended | Debug
)
ToWorker = Stop | Report | Reset | Impair | Cut


class _SampleOfProtocol1(msgspec.Struct, frozen=True, tag="sample"):
    """A sample whose point is a row of values."""

    point: list[int | float | bool | None]
    peers: list[Peer]
    input: Input
    applied: Applied = NOTHING_APPLIED
    is_last: bool = False


_encoder = msgspec.json.Encoder()
_from_worker: msgspec.json.Decoder[FromWorker] = msgspec.json.Decoder(FromWorker)
_sample_of_protocol_1: msgspec.json.Decoder[_SampleOfProtocol1] = msgspec.json.Decoder(_SampleOfProtocol1)
_to_worker: msgspec.json.Decoder[ToWorker] = msgspec.json.Decoder(ToWorker)


def encode(message: FromWorker | ToWorker) -> bytes:
    """Encode a message as one line. Raises TypeError for a message with a Secret."""
    return _encoder.encode(message) + b"\n"


def encode_job(job: Job) -> bytes:
    """Encode the job for a worker's standard input, passphrase included. It must go nowhere else."""
    return msgspec.json.encode(job, enc_hook=_reveal) + b"\n"


def decode_from_worker(line: bytes) -> FromWorker:
    """Decode a worker's line, also of protocol 1. Raises msgspec.DecodeError for an unknown message."""
    try:
        return _from_worker.decode(line)
    except msgspec.ValidationError:
        old = _sample_of_protocol_1.decode(line)
        return Sample(read_point(old.point), old.peers, old.input, old.applied, old.is_last)


def decode_to_worker(line: bytes) -> ToWorker:
    """Decode a manager's line. Raises msgspec.DecodeError for an unknown message."""
    return _to_worker.decode(line)


def decode_job(line: bytes) -> Job:
    """Decode the job from standard input. Raises msgspec.DecodeError for an unknown message."""
    return msgspec.json.decode(line, type=Job, dec_hook=_wrap)


def _reveal(value: object) -> object:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} does not travel")


def _wrap(kind: type, value: object) -> object:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"{kind.__name__} does not travel")
