"""Tracks the callers of a listener, and who was refused and why.

libsrt calls `decide` before it checks the passphrase. The reason of a later refusal is only in its log. Both come from
one thread of libsrt, in order.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Final

from app.domain.status import Reason
from app.srt.log import LogLevel, hear_log
from app.srt.rejections import Reject, reason_of_rejection
from app.srt.sockets import Call

_REJECTED: Final = re.compile(r"processConnectRequest: rsp\(REJECT\): (\d+)")
# A handshake ends within libsrt's connection time-out. A caller that is not connected by then was refused.
_UNDECIDED_S: Final = 3.0

Refused = Callable[[Call, Reason | None], None]


class Callers:
    """Admits one sender at a time and reports each refusal once. libsrt's threads call `on_refused` too."""

    def __init__(self, is_taken: Callable[[], bool], on_refused: Refused) -> None:
        self._is_taken = is_taken
        self._on_refused = on_refused
        self._lock = threading.Lock()
        self._pending: dict[int, tuple[Call, float]] = {}
        hear_log(self._hear, LogLevel.DEBUG)

    def decide(self, call: Call) -> int:
        """Refuse a second sender while one is connected. Return 0 to admit the caller."""
        if self._is_taken():
            self._on_refused(call, Reason.CONNECTION_REJECTED)
            return int(Reject.OVERLOAD)
        with self._lock:
            self._pending[call.number] = (call, time.monotonic())
        return 0

    def accepted(self, number: int) -> Call | None:
        """Note the call that became this connection."""
        with self._lock:
            call, _ = self._pending.pop(number, (None, 0.0))
        return call

    def are_pending(self) -> bool:
        """Whether a caller that was admitted is neither a connection nor refused yet."""
        return bool(self._pending)

    def settle(self) -> None:
        """Report callers that never connected as refused for an unknown reason."""
        now = time.monotonic()
        with self._lock:
            overdue = [number for number, (_, at) in self._pending.items() if now - at > _UNDECIDED_S]
            gone = [self._pending.pop(number)[0] for number in overdue]
        for call in gone:
            self._on_refused(call, None)

    def _hear(self, text: str) -> None:
        if (match := _REJECTED.search(text)) is None:
            return
        with self._lock:
            if not self._pending:
                return
            call, _ = self._pending.pop(next(reversed(self._pending)))
        self._on_refused(call, reason_of_rejection(int(match[1])))
