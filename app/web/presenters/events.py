"""Events for a short list: repeated events of one stream take one line with their count."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from app.domain.events import LogEntry
from app.web.presenters.stream import present_event
from app.web.presenters.views import EventView


def present_latest(entries: Iterable[LogEntry], limit: int) -> list[EventView]:
    """Return the latest events, newest first. Equal events of a stream are one entry with a count and the first time.

    A caller without an answer logs the same three events with each try, which would displace all others.
    """
    kept: dict[tuple[str, str, str], LogEntry] = {}
    for entry in entries:
        same = (entry.key, entry.kind, entry.text)
        newer = kept.setdefault(same, entry)
        if newer is not entry:
            first_at = entry.first_at or entry.at
            kept[same] = msgspec.structs.replace(newer, count=newer.count + entry.count, first_at=first_at)
    return [present_event(entry) for entry in list(kept.values())[:limit]]
