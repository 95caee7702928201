"""Prevents a busy loop when the server cannot accept connections: after a refusal it pauses before it accepts again."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

log = logging.getLogger(__name__)
PAUSE_S: Final = 1.0
_SAID_EVERY_S: Final = 60.0


class PausedAcceptor:
    """Sits between Waitress's loop and one of its listening sockets.

    Without free descriptors, accept(2) fails and the socket stays readable. Without a pause, the loop would use a whole
    core and fill the log.
    """

    def __init__(self, listener: Any) -> None:
        self._accept = listener.accept
        self._readable = listener.readable
        self._paused_until = 0.0
        self._said_at: float | None = None
        listener.accept = self.accept
        listener.readable = self.readable

    def accept(self) -> Any:
        """Return a connection, None if the system refuses one."""
        try:
            return self._accept()
        except OSError as error:
            now = time.monotonic()
            self._paused_until = now + PAUSE_S
            if self._said_at is None or now - self._said_at > _SAID_EVERY_S:
                self._said_at = now
                log.error("connections cannot be accepted at present error=%r", error.strerror)
            return None

    def readable(self) -> bool:
        """Whether the loop may accept a connection."""
        return bool(self._readable()) and time.monotonic() >= self._paused_until


def pause_when_refused(server: Any) -> None:
    """Guard every listening socket of a Waitress server."""
    dispatchers = getattr(server, "map", None) or {0: server}
    for listener in list(dispatchers.values()):
        if hasattr(listener, "accept_connections"):
            PausedAcceptor(listener)
