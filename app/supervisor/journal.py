"""The event log in memory, bounded. A repeated event raises a count, and a flood takes one line a minute."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from operator import attrgetter
from typing import Final

import msgspec

from app.domain.events import PEER_KINDS, EventKind, LogEntry
from app.supervisor.budget import Budget

EVENTS_KEPT: Final = 2000
_LOOKED_BACK: Final = 20
_SAME_WITHIN_S: Final = 3600.0
_COUNTED: Final = frozenset({EventKind.REFUSED, EventKind.NOTICE, EventKind.RETRY, EventKind.SOURCE_ERROR})


class Journal:
    """The event log. The supervisor's thread uses it; `entries` returns copies.

    Events of receivers have one half of it, orders and phases the other, so that neither displaces the other.
    """

    def __init__(self, earlier: Iterable[LogEntry] = ()) -> None:
        self._peers: deque[LogEntry] = deque(maxlen=EVENTS_KEPT // 2)
        self._rest: deque[LogEntry] = deque(maxlen=EVENTS_KEPT // 2)
        self._budget = Budget()
        for entry in earlier:
            self._half(entry).append(entry)

    def _half(self, entry: LogEntry) -> deque[LogEntry]:
        return self._peers if entry.kind in PEER_KINDS else self._rest

    def note(self, entry: LogEntry) -> LogEntry | None:
        """Add an entry, or count it if the same text of the same stream is among the last ones.

        Return it in its stored form, None if its stream has logged too much this minute.
        """
        half = self._half(entry)
        for index in range(len(half) - 1, max(-1, len(half) - 1 - _LOOKED_BACK), -1):
            earlier = half[index]
            same = (earlier.key, earlier.kind, earlier.text) == (entry.key, entry.kind, entry.text)
            if same and entry.at - earlier.first_at < _SAME_WITHIN_S and entry.kind in _COUNTED:
                del half[index]
                entry = msgspec.structs.replace(entry, count=earlier.count + 1, first_at=earlier.first_at)
                half.append(entry)
                return entry
        if not self._budget.admits(entry):
            return None
        entry = msgspec.structs.replace(entry, first_at=entry.at)
        half.append(entry)
        return entry

    def close_minutes(self, now: float) -> list[LogEntry]:
        """Add a line for each past minute with more events than a stream may log. Return these lines."""
        lines = self._budget.close(now)
        for line in lines:
            self._half(line).append(line)
        return lines

    def entries(self, *, key: str | None = None, limit: int = 200) -> list[LogEntry]:
        """Return the newest entries first, of one stream or of all."""
        halves = (reversed(self._peers), reversed(self._rest))
        newest_first = heapq.merge(*halves, key=attrgetter("at"), reverse=True)
        flooded = sorted(self._budget.open_lines(), key=attrgetter("at"), reverse=True)
        merged = heapq.merge(flooded, newest_first, key=attrgetter("at"), reverse=True)
        chosen = (entry for entry in merged if key is None or entry.key == key)
        return [entry for _, entry in zip(range(limit), chosen, strict=False)]
