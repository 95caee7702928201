"""Events for a short list: what one stream repeats takes one line with its count."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from app.domain.events import LogEntry
from app.web.presenters.stream import present_event
from app.web.presenters.views import EventView


def present_latest(entries: Iterable[LogEntry], limit: int) -> list[EventView]:
    """The latest events, newest first; the same event of the same stream once, with how often and since when.

    A caller without an answer logs the same three entries with each try, which would push all else off the page.
    """
    kept: dict[tuple[str, str, str], LogEntry] = {}
    for entry in entries:
        same = (entry.key, entry.kind, entry.text)
        newer = kept.setdefault(same, entry)
        if newer is not entry:
            first_at = entry.first_at or entry.at
            kept[same] = msgspec.structs.replace(newer, count=newer.count + entry.count, first_at=first_at)
    return [present_event(entry) for entry in list(kept.values())[:limit]]
