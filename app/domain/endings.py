"""The two ways in which carrying a job ends early. Both name the Reason and keep the library's own words."""

from __future__ import annotations

from app.domain.status import Reason


class Ending(Exception):
    """Either of the two."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class CannotSend(Ending):
    """The engine could not be built or started."""


class Finished(Ending):
    """The engine ended while it was running; END_OF_FILE is a normal end."""
