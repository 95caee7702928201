"""Maps GStreamer's error texts to a Reason.

Domain and code are the same for many faults there. Only the text differs, and the useful text is in the message's debug
string.
"""

from __future__ import annotations

from typing import Final

from app.domain.status import Reason

# Searched in this order in the lower-case text of an error message and its debug string.
_TEXTS: Final[tuple[tuple[str, Reason], ...]] = (
    ("incorrect passphrase", Reason.WRONG_PASSPHRASE),
    ("password required", Reason.PASSPHRASE_REQUIRED),
    ("failed to resolve host", Reason.HOST_NOT_FOUND),
    ("error resolving", Reason.HOST_NOT_FOUND),
    ("network is unreachable", Reason.NETWORK_UNREACHABLE),
    ("no route to host", Reason.NETWORK_UNREACHABLE),
    # "Cannot bind to …: System resource failure: unable to create new threads": the port is not to blame.
    ("system resource failure", Reason.OUT_OF_MEMORY),
    ("cannot bind to", Reason.PORT_IN_USE),
    ("address already in use", Reason.PORT_IN_USE),
    ("connection timeout", Reason.CONNECTION_TIMEOUT),
    ("connection rejected", Reason.CONNECTION_REJECTED),
    ("connection was broken", Reason.CONNECTION_LOST),
    ("connection does not exist", Reason.CONNECTION_LOST),
    ("failed to write to srt socket", Reason.CONNECTION_LOST),
    ("invalid passphrase", Reason.BAD_OPTION),
    ("no such file", Reason.FILE_MISSING),
    ("permission denied", Reason.FILE_UNREADABLE),
    ("missing element", Reason.MISSING_ELEMENT),
)


def reason_of_text(text: str) -> Reason:
    """Return the Reason for an engine's error text; ENGINE_ERROR for an unknown text."""
    lowered = text.lower()
    return next((reason for words, reason in _TEXTS if words in lowered), Reason.ENGINE_ERROR)
