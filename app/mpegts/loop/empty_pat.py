"""Hides programme association tables (PAT) without programmes from engines that lose their clock on one.

GStreamer's tsparse (1.22 and 1.26) forgets the programme when such a PAT comes, as it does at each seam of a file that
begins with one. Its timestamps then run back below zero, and the sink no longer waits.
"""

from __future__ import annotations

from typing import Final

from app.mpegts.packets import PACKET_BYTES, SYNC, Block, payload_offset
from app.mpegts.sections import section_length
from app.mpegts.tables import PAT_PID, PAT_TABLE, read_pat

_PID_HIGH: Final = bytes(value & 0x1F for value in range(256))
_PAYLOAD_ONLY: Final = 0x10
_LAST_SECTION_AT: Final = 7  # in the section's header: last_section_number
_STUFFING: Final = b"\xff" * (PACKET_BYTES - 4)


class EmptyPatFilter:
    """Replaces each empty PAT of a stream in place: by the latest PAT with a programme, or by stuffing.

    The packet keeps its place, its PID and its continuity counter. A PAT of several packets or sections is not empty
    and passes.
    """

    def __init__(self) -> None:
        self._latest: bytes | None = None

    def filter(self, block: bytearray) -> None:
        """Handle the next block of whole packets."""
        for at in _pat_packets(block):
            start = payload_offset(block, at) + 1
            if not block[at + 1] & 0x40 or start + 3 > at + PACKET_BYTES:
                continue
            start += block[start - 1]
            programmes = _programmes_at(block, start, at + PACKET_BYTES)
            if programmes:
                self._latest = bytes(block[start : start + section_length(block, start)])
            elif programmes is not None:
                _replace(block, at, self._latest)


def _pat_packets(block: Block) -> list[int]:
    """Return the first byte of each packet on PID 0."""
    size = len(block) // PACKET_BYTES
    high = int.from_bytes(block[1::PACKET_BYTES].translate(_PID_HIGH), "little")
    pids_or_0 = (high | int.from_bytes(block[2::PACKET_BYTES], "little")).to_bytes(size, "little")
    found, index = [], pids_or_0.find(PAT_PID)
    while index >= 0:
        found.append(index * PACKET_BYTES)
        index = pids_or_0.find(PAT_PID, index + 1)
    return found


def _programmes_at(block: Block, start: int, end: int) -> dict[int, int] | None:
    """Return the programmes of the PAT that begins at byte `start`; None if it is not one whole, correct section."""
    if start + 8 > end or block[start] != PAT_TABLE or block[start + _LAST_SECTION_AT]:
        return None
    if start + section_length(block, start) > end:
        return None
    return read_pat(bytes(block[start : start + section_length(block, start)]))


def _replace(block: bytearray, at: int, section: bytes | None) -> None:
    counter = block[at + 3] & 0x0F
    head = bytes((SYNC, 0x00 if section is None else 0x40, PAT_PID, _PAYLOAD_ONLY | counter))
    payload = _STUFFING if section is None else (b"\0" + section).ljust(PACKET_BYTES - 4, b"\xff")
    block[at : at + PACKET_BYTES] = head + payload
