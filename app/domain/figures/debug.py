"""What the debug view of a stream shows: raw values under the names that libsrt and GStreamer use. No code reads them.

No value here is a passphrase: texts of libsrt are left out, and srtsink's passphrase is write-only.
"""

from __future__ import annotations

import msgspec

from app.domain.figures.relay import RelayFigures
from app.domain.figures.sample import Applied
from app.domain.impairment.model import Impairment
from app.domain.json_value import JsonObject


class SocketDebug(msgspec.Struct, frozen=True):
    """The state, options and figures of a socket. An option is None where libsrt does not return it."""

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
    """A relay: the impairment in force and what it did so far."""

    impairment: Impairment
    figures: RelayFigures


EngineDebug = DirectDebug | GStreamerDebug | ReceiverDebug | RelayDebug


class StreamDebug(msgspec.Struct, frozen=True):
    """A stream's debug view. `worker` is what its worker sent, None where there is none or it does not answer.

    A worker of another release may send other values; they are shown as they are.
    """

    detail: str
    applied: Applied
    worker: JsonObject | None
