"""What happened, newest last, bounded; a repeated event raises a count instead of filling the page."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from app.domain.events import EventKind, LogEntry

EVENTS_KEPT: Final = 2000
_LOOKED_BACK: Final = 20
_SAME_WITHIN_S: Final = 3600.0
_COUNTED: Final = frozenset({EventKind.REFUSED, EventKind.NOTICE, EventKind.RETRY, EventKind.SOURCE_ERROR})


class Journal:
    """The event log in memory. Used from the supervisor's thread; `entries` gives copies."""

    def __init__(self, earlier: Iterable[LogEntry] = ()) -> None:
        self._entries: deque[LogEntry] = deque(earlier, maxlen=EVENTS_KEPT)

    def note(self, entry: LogEntry) -> LogEntry:
        """Add an entry, or count it when the same text of the same stream stands among the last ones; gives it."""
        for index in range(len(self._entries) - 1, max(-1, len(self._entries) - 1 - _LOOKED_BACK), -1):
            earlier = self._entries[index]
            same = (earlier.key, earlier.kind, earlier.text) == (entry.key, entry.kind, entry.text)
            if same and entry.at - earlier.first_at < _SAME_WITHIN_S and entry.kind in _COUNTED:
                del self._entries[index]
                entry = msgspec.structs.replace(entry, count=earlier.count + 1, first_at=earlier.first_at)
                break
        else:
            entry = msgspec.structs.replace(entry, first_at=entry.at)
        self._entries.append(entry)
        return entry

    def entries(self, *, key: str | None = None, limit: int = 200) -> list[LogEntry]:
        """The newest entries first, of one stream or of all."""
        chosen = (entry for entry in reversed(self._entries) if key is None or entry.key == key)
        return [entry for _, entry in zip(range(limit), chosen, strict=False)]
