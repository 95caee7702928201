"""Entries of a stream's event log, their kinds, and refused callers."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from app.domain.status import Reason


class EventKind(StrEnum):
    """What an entry of the event log is about."""

    ORDER = "order"
    ADOPTED = "adopted"
    PHASE = "phase"
    RETRY = "retry"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    REFUSED = "refused"
    NOTICE = "notice"
    MISSING = "missing"
    PRESENT = "present"
    SOURCE_ERROR = "source_error"


# Events that receivers and strangers cause. They must not displace the others in the event log.
PEER_KINDS = frozenset({EventKind.CONNECTED, EventKind.DISCONNECTED, EventKind.REFUSED})


# How the notice MACHINE_PAUSED begins. Receivers see such a delay in the clock of the stream.
HOST_DELAYED_STREAM: Final = "this machine delayed the stream for"


class PeerChange(StrEnum):
    """What a peer did."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    REFUSED = "refused"


class NoticeCode(StrEnum):
    """What a worker's notice is about."""

    SMALL_RECEIVE_BUFFER = "small_receive_buffer"
    CALLER_TURNED_AWAY = "caller_turned_away"
    LIBSRT_HIDDEN = "libsrt_hidden"
    ENGINE_WARNING = "engine_warning"
    PACKETS_DISCARDED = "packets_discarded"
    FILE_DELETED = "file_deleted"
    FILE_REPLACED = "file_replaced"
    FILE_REWRITTEN = "file_rewritten"
    CLOCK_JUMPS = "clock_jumps"
    CLOCK_BACKWARD = "clock_backward"
    CLOCK_MISSING = "clock_missing"
    MACHINE_PAUSED = "machine_paused"
    CALLERS_LIMITED = "callers_limited"
    TOO_MANY_CALLERS = "too_many_callers"
    NOT_SRT = "not_srt"
    NO_WAY_TO_TARGET = "no_way_to_target"
    NOT_SENT_ON = "not_sent_on"
    REBOUND = "rebound"
    PICTURE_BLACK = "picture_black"
    PICTURE_FROZEN = "picture_frozen"
    SOUND_SILENT = "sound_silent"


class LogEntry(msgspec.Struct, frozen=True):
    """One event of a stream. A repeated event raises `count` and `at` of its entry instead of adding one."""

    at: float
    key: str
    name: str
    kind: EventKind
    text: str
    count: int = 1
    first_at: float = 0.0
    actor: str = "system"


class Refusal(msgspec.Struct, frozen=True):
    """A refused caller, counted per address and reason. Times are Unix."""

    address: str
    reason: Reason | None
    count: int
    first_at: float
    last_at: float
