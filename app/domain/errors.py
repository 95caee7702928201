"""Errors that carry data. The code that shows an error makes its text from these fields.

Events of a stream after its start are log entries with a Reason, never one of these exceptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from app.domain.field_labels import field_label


class ProductError(Exception):
    """Root of the errors that an operator can cause and correct.

    `fields` maps the dotted name of an input (`endpoint.port`) to what is wrong with it and how to correct it.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields: dict[str, str] = dict(fields or {})


class InvalidInput(ProductError):
    """Input that this program cannot carry out."""

    code = "invalid_input"

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> InvalidInput:
        """Make the error for one or several fields. Its message repeats each of them under its label."""
        return cls("; ".join(f"{field_label(name)}: {text}" for name, text in fields.items()), fields)


class NotFound(ProductError):
    """The named thing does not exist."""

    code = "not_found"


class NameTaken(ProductError):
    """Another entry already has the name."""

    code = "name_taken"


class PortInUse(ProductError):
    """Another stream or another program holds the port."""

    code = "port_in_use"


class LimitReached(ProductError):
    """The maximum number of streams, tests or requests is reached."""

    code = "limit_reached"


class WrongState(ProductError):
    """The order does not fit the kind of stream or its present phase."""

    code = "wrong_state"


class StreamsDoNotAnswer(ProductError):
    """The thread that manages the streams did not answer in time, because this host was paused or is overloaded."""

    code = "streams_unavailable"


class CouldNotStart(ProductError):
    """The input was valid, but starting failed; `reason` is a value of domain.status.Reason."""

    code = "could_not_start"

    def __init__(self, message: str, fields: Mapping[str, str] | None = None, *, reason: str) -> None:
        super().__init__(message, fields)
        self.reason = reason
