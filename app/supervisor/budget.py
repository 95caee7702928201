"""Limits how many events of one kind a stream may log per minute. Further events become one line with their number.

Strangers decide how often a listener is called, so they must not decide what the event log contains.
"""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.events import EventKind, LogEntry

_WINDOW_S: Final = 60.0
# By kind of event: the group that shares a budget, its events per minute, and the words for them.
_PEERS: Final = ("peers", 20, "connections, disconnections and refusals")
_PHASES: Final = ("phases", 30, "changes of phase and notices")
_SORTS: Final = {
    EventKind.CONNECTED: _PEERS,
    EventKind.DISCONNECTED: _PEERS,
    EventKind.REFUSED: _PEERS,
    EventKind.PHASE: _PHASES,
    EventKind.RETRY: _PHASES,
    EventKind.NOTICE: _PHASES,
}
_HOSTS_COUNTED: Final = 1000


class _Window:
    def __init__(self, at: float) -> None:
        self.begun_at = at
        self.events = 0
        self.more: LogEntry | None = None
        self.hosts: set[str] = set()


class Budget:
    """The budgets of all streams. An order is never held back."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], _Window] = {}

    def admits(self, entry: LogEntry) -> bool:
        """Whether an event may be logged. One that may not is counted."""
        sort = _SORTS.get(entry.kind)
        if sort is None:
            return True
        name, limit, words = sort
        window = self._windows.setdefault((entry.key, name), _Window(entry.at))
        window.events += 1
        if window.events <= limit:
            return True
        if name == _PEERS[0] and len(window.hosts) < _HOSTS_COUNTED:
            window.hosts.add(host_of(entry.text))
        number = window.events - limit
        source = f" from {_addresses(len(window.hosts))}" if window.hosts else ""
        window.more = msgspec.structs.replace(
            entry, text=f"and {number:,} more {words}{source}", count=1, first_at=entry.at
        )
        return False

    def close(self, now: float) -> list[LogEntry]:
        """End the minutes that are over. Return a line for each that had more events than its budget."""
        over = [key for key, window in self._windows.items() if now - window.begun_at >= _WINDOW_S]
        closed = [self._windows.pop(key) for key in over]
        return [window.more for window in closed if window.more is not None]

    def open_lines(self) -> list[LogEntry]:
        """Return the present lines of the minutes that are not over."""
        return [window.more for window in self._windows.values() if window.more is not None]


def host_of(text: str) -> str:
    """Return the address in `connected 192.0.2.7:41234` or `refused 192.0.2.7: wrong passphrase`, without its port."""
    word = text.partition(" ")[2].partition(" ")[0].removesuffix(":")
    if word.startswith("["):
        return word.partition("]")[0] + "]"
    return word.partition(":")[0]


def _addresses(number: int) -> str:
    return "1 address" if number == 1 else f"{number:,} addresses"
