"""The first 16 bytes of an SRT packet (draft-sharabayko-srt-01, sections 3, 3.1 and 3.2)."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

HEADER_BYTES = 16
_WORDS = struct.Struct(">IIII")
_CONTROL = 1 << 31
_RETRANSMITTED = 1 << 26
_RANGE_BEGIN = 1 << 31


class Control(IntEnum):
    """Control packet types of section 3.2."""

    HANDSHAKE = 0
    KEEPALIVE = 1
    ACK = 2
    NAK = 3
    CONGESTION_WARNING = 4
    SHUTDOWN = 5
    ACKACK = 6
    DROP_REQUEST = 7
    PEER_ERROR = 8
    USER_DEFINED = 0x7FFF


class SrtHeader(NamedTuple):
    """The fields of the header. `control_type` is None for a data packet, whose `sequence` has 31 bits.

    `timestamp_us` is the sender's time since its connection began. For data, it is the time when the payload was passed
    to libsrt; a retransmission has the same time. `key_flags` is 0 without encryption, 1 for the even and 2 for the odd
    key.
    """

    control_type: int | None
    sequence: int
    is_retransmitted: bool
    key_flags: int
    timestamp_us: int
    destination: int


def read_loss_report(packet: bytes) -> list[int]:
    """Return all sequence numbers that a NAK reports, with ranges expanded (section 3.2.5 and appendix A)."""
    words = [word for (word,) in struct.iter_unpack(">I", packet[HEADER_BYTES:])]
    named: list[int] = []
    range_begin: int | None = None
    for word in words:
        if word & _RANGE_BEGIN:
            range_begin = word & ~_RANGE_BEGIN
        else:
            named += range(word if range_begin is None else range_begin, word + 1)
            range_begin = None
    return named


def read_header(packet: bytes) -> SrtHeader | None:
    """Return the header, or None for a packet that is too short to have one."""
    if len(packet) < HEADER_BYTES:
        return None
    first, second, timestamp_us, destination = _WORDS.unpack_from(packet)
    if first & _CONTROL:
        return SrtHeader((first >> 16) & 0x7FFF, 0, False, 0, timestamp_us, destination)
    return SrtHeader(
        None, first & 0x7FFFFFFF, bool(second & _RETRANSMITTED), (second >> 27) & 3, timestamp_us, destination
    )
