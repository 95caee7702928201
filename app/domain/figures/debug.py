"""The debug view of a stream: raw values under the names of libsrt and GStreamer. No code reads them.

None of the values is a passphrase: texts of libsrt are left out, and srtsink's passphrase is write-only.
"""

from __future__ import annotations

import msgspec

from app.domain.figures.relay import RelayFigures
from app.domain.figures.sample import Applied
from app.domain.impairment.model import Impairment
from app.domain.json_value import JsonObject


class SocketDebug(msgspec.Struct, frozen=True):
    """The state, options and figures of a socket. An option is None if libsrt does not return it."""

    state: str
    options: dict[str, int | None]
    stats: dict[str, float]


class DirectDebug(msgspec.Struct, frozen=True):
    """The direct engine. `turn_ms` is the time between two turns of its sending thread."""

    engine: str
    turn_ms: float
    sockets: dict[str, SocketDebug]


class GStreamerDebug(msgspec.Struct, frozen=True):
    """The GStreamer engine. `options` are the parameters of the URI of srtsink."""

    engine: str
    elements: dict[str, str]
    srtsink: dict[str, bool | int]
    options: dict[str, str]
    sockets: dict[str, SocketDebug]
    rendered_ns: int | None


class ReceiverDebug(msgspec.Struct, frozen=True):
    """The receiver: the socket that listens or calls, and the connection that delivers."""

    engine: str
    entry: SocketDebug | None
    connection: SocketDebug | None


class RelayDebug(msgspec.Struct, frozen=True):
    """A relay: its present impairment and its figures so far."""

    impairment: Impairment
    figures: RelayFigures


EngineDebug = DirectDebug | GStreamerDebug | ReceiverDebug | RelayDebug


class StreamDebug(msgspec.Struct, frozen=True):
    """A stream's debug view. `worker` is what its worker sent; None without a worker or without its answer.

    A worker of another release may send other values; they are shown unchanged.
    """

    detail: str
    applied: Applied
    worker: JsonObject | None
