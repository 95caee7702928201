"""Converts libsrt's reject codes to a Reason, and defines the codes that a listener answers with."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from app.domain.status import Reason
from app.srt.binding import library


class Reject(IntEnum):
    """Codes with which a listener's callback may refuse: SRT_REJX of access_control.h, similar to HTTP's."""

    FORBIDDEN = 1403
    OVERLOAD = 1402


# SRT_REJECT_REASON of libsrt's srt.h; any other code is a plain rejection.
_REASONS: Final = {
    9: Reason.CONNECTION_REJECTED,  # SRT_REJ_RDVCOOKIE
    10: Reason.WRONG_PASSPHRASE,  # SRT_REJ_BADSECRET
    11: Reason.PASSPHRASE_REQUIRED,  # SRT_REJ_UNSECURE: one side has a passphrase, the other has none
    16: Reason.CONNECTION_TIMEOUT,  # SRT_REJ_TIMEOUT
}
# On the wire libsrt adds 1000 to its own codes (URQ_FAILURE_TYPES).
_WIRE_OFFSET: Final = 1000


def reason_of_rejection(code: int) -> Reason:
    """Return the Reason for libsrt's reject code, in its local or its wire form."""
    return _REASONS.get(code - _WIRE_OFFSET if code >= _WIRE_OFFSET else code, Reason.CONNECTION_REJECTED)


def text_of_rejection(code: int) -> str:
    """Return the library's text for a reject code."""
    text: bytes | None = library().c.srt_rejectreason_str(code)
    return text.decode(errors="replace") if text else ""
