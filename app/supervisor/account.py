"""The reports about one stream: events for the log, present notices, refused callers."""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

from app.domain.events import EventKind, LogEntry, NoticeCode, PeerChange, Refusal
from app.domain.spec import JobSpec
from app.domain.status import Status
from app.protocol import PeerEvent
from app.supervisor.notes import note_peer, note_phase
from app.supervisor.refusals import Refusals

_NOTICES_KEPT: Final = 20
OTHER_VERSION: Final = (
    "the worker has another program version: the stream stays on air, but its figures are incomplete; "
    "restart the stream when convenient"
)
UNREACHABLE: Final = (
    "the worker's socket is gone: the stream stays on air and can be stopped, but its figures are unknown; "
    "restart the stream when convenient"
)


class Report(Protocol):
    """Receives the events of a stream. Called on the supervisor's thread; must not block."""

    def entry(self, entry: LogEntry) -> None:
        """Something happened to the stream."""

    def status(self, key: str, status: Status) -> None:
        """A phase changed."""


class Account:
    """Keeps what the pages show of the reports, and passes all of them on.

    `spec` names the stream and may be replaced.
    """

    def __init__(self, key: str, spec: JobSpec, report: Report) -> None:
        self.spec = spec
        self._key = key
        self._report = report
        self._refusals = Refusals()
        self._notices: deque[tuple[NoticeCode | None, str]] = deque(maxlen=_NOTICES_KEPT)

    def note(self, now: float, kind: EventKind, text: str, actor: str = "system") -> None:
        """Add an event to the log."""
        name = self.spec.label()
        self._report.entry(LogEntry(at=now, key=self._key, name=name, kind=kind, text=text, actor=actor))

    def note_phase(self, status: Status, now: float) -> None:
        """Log that a phase began."""
        if (note := note_phase(status, self.spec)) is not None:
            self.note(now, *note)
        self._report.status(self._key, status)

    def note_peer(self, event: PeerEvent, now: float) -> None:
        """Log that a receiver came, left or was refused."""
        if event.change is PeerChange.REFUSED:
            self._refusals.count(event.address.rpartition(":")[0], event.reason, now)
        self.note(now, *note_peer(event))

    def warn(self, now: float, text: str, code: NoticeCode | None = None) -> None:
        """Show a notice from now on. A `code` without text ends the notices with that code."""
        if code is not None and not text:
            self._notices = deque((kept for kept in self._notices if kept[0] is not code), _NOTICES_KEPT)
            return
        self._notices.append((code, text))
        self.note(now, EventKind.NOTICE, text)

    def begin_again(self, standing: str | None = None) -> None:
        """Drop the notices: they describe a worker that left, and the event log has them.

        A `standing` notice remains.
        """
        self._notices.clear()
        if standing is not None:
            self._notices.append((None, standing))

    def notices(self) -> tuple[str, ...]:
        """Return the present notices, oldest first."""
        return tuple(text for _, text in self._notices)

    def refusals(self) -> tuple[Refusal, ...]:
        """Return the refused callers, newest first."""
        return self._refusals.newest_first()
