"""The texts of events: a kind and a text for each. Pure; the journal counts repetitions."""

from __future__ import annotations

from app.domain.attendance import Attendance
from app.domain.events import EventKind, PeerChange
from app.domain.spec import JobSpec
from app.domain.status import Phase, Status
from app.protocol import PeerEvent
from app.words.states import phase_text, reason_text

Note = tuple[EventKind, str]


def note_phase(status: Status, spec: JobSpec) -> Note | None:
    """Return the event for a new phase; None for a repeated call attempt, which would flood the log."""
    if spec.is_call and status.attempts and status.phase in (Phase.STARTING, Phase.WAITING):
        return None
    is_retry = status.phase is Phase.BACKING_OFF and status.attempts > 1
    why = f": {reason_text(status.reason)}" if status.reason else ""
    return EventKind.RETRY if is_retry else EventKind.PHASE, f"{phase_text(status.phase).lower()}{why}"


def note_peer(event: PeerEvent) -> Note:
    """Return the event for a receiver that came, left or was refused. A refusal has no port, because that changes."""
    if event.change is not PeerChange.REFUSED:
        return EventKind(event.change), f"{event.change} {event.address}"
    host = event.address.rpartition(":")[0]
    return EventKind.REFUSED, f"refused {host}: {reason_text(event.reason) or 'unknown reason'}"


def note_missing(attendance: Attendance) -> Note:
    """Return the event when fewer receivers are connected than expected."""
    who = f": {', '.join(attendance.absent)}" if attendance.absent else ""
    return EventKind.MISSING, f"{attendance.missing} of {attendance.expected} expected receivers missing{who}"


def note_source_errors() -> Note:
    """Return the event for a second with continuity errors in the source; the journal counts them."""
    return EventKind.SOURCE_ERROR, "continuity errors in the source"
