"""Receives libsrt's log line by line."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from app.srt.binding import LogHandler, library
from app.srt.callbacks import kept_callback


class LogLevel(IntEnum):
    """The levels of syslog.h, as libsrt uses them."""

    ERROR = 3
    WARNING = 4
    NOTE = 5
    DEBUG = 7


def hear_log(on_text: Callable[[str], None], level: LogLevel) -> None:
    """Pass each line of libsrt's log up to `level` to `on_text`, in the thread of libsrt that wrote it.

    libsrt then writes nothing to standard error. An exception of `on_text` is printed and not passed on.
    """

    def handle(_opaque: int, _level: int, _file: bytes, _line: int, _area: bytes, message: bytes | None) -> None:
        on_text((message or b"").decode(errors="replace"))

    srt = library()
    srt.c.srt_setloghandler(None, kept_callback(LogHandler, handle, None))
    srt.c.srt_setloglevel(level)
