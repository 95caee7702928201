"""The words of the event log for what happens to a stream: a kind and a text. Pure; the journal does the counting."""

from __future__ import annotations

from app.domain.events import EventKind, PeerChange
from app.domain.spec import JobSpec
from app.domain.status import Phase, Status
from app.protocol import PeerEvent

Note = tuple[EventKind, str]


def note_phase(status: Status, spec: JobSpec) -> Note | None:
    """What to note of a phase that began; a call that is made again is no news, and would fill the log."""
    if spec.is_call and status.attempts and status.phase in (Phase.STARTING, Phase.WAITING):
        return None
    is_retry = status.phase is Phase.BACKING_OFF and status.attempts > 1
    why = f": {_words(status.reason)}" if status.reason else ""
    return EventKind.RETRY if is_retry else EventKind.PHASE, f"{_words(status.phase)}{why}"


def note_peer(event: PeerEvent) -> Note:
    """What to note of a receiver that came, left or was refused; a refused one without its port, which changes."""
    if event.change is not PeerChange.REFUSED:
        return EventKind(event.change), f"{event.change} {event.address}"
    host = event.address.rpartition(":")[0]
    return EventKind.REFUSED, f"refused {host}: {_words(event.reason or 'unknown reason')}"


def _words(name: str) -> str:
    return name.replace("_", " ")
