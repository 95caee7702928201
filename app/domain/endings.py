"""The two ways in which a job ends early. Both have a Reason and the library's own message."""

from __future__ import annotations

from app.domain.status import Reason


class Ending(Exception):
    """A job ended early."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class CannotSend(Ending):
    """The engine could not be built or started."""


class Finished(Ending):
    """The engine ended while it was running; END_OF_FILE is a normal end."""
