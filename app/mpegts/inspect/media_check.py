"""The result of a first look at a file: its properties, or why it cannot be sent."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.carriage import Hindrance
from app.domain.status import Reason

SCRAMBLED_CLOCK: Final = (
    "the packets that carry the clock (PCR) are scrambled, and GStreamer discards scrambled packets; "
    "choose the engine Direct, which carries them"
)


class NotStreamable(Exception):
    """The file cannot be sent; `reason` says why in one word, the message in a sentence with the remedy."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class MediaCheck(msgspec.Struct, frozen=True):
    """A quick check of a transport stream file, from its head and tail only.

    `bitrate_bps` counts all packets, null packets included. `pcr_interval_ms` is the longest one seen on `pcr_pid`.
    `programme_count` is the number of programmes in the PAT. `packets_scrambled` and `packets_errored` (transport error
    indicator) are found among `packets_looked_at`; `is_clock_scrambled` says that packets with PCRs are among the
    scrambled ones, so that an engine that discards these has no clock. `hindrances` is what GStreamer does not carry
    unchanged. `warnings` are sentences for the operator, empty for a sound file.
    """

    bitrate_bps: int
    is_constant_bitrate: bool
    pcr_interval_ms: float
    pcr_pid: int
    duration_s: float
    packet_count: int
    size_bytes: int
    programme_count: int
    warnings: tuple[str, ...] = ()
    packets_looked_at: int = 0
    packets_scrambled: int = 0
    packets_errored: int = 0
    is_clock_scrambled: bool = False
    hindrances: frozenset[Hindrance] = frozenset()
