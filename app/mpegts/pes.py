"""Finds, reads and moves presentation and decoding times in PES headers."""

from __future__ import annotations

from typing import Final

from app.mpegts.packets import PACKET_BYTES, PTS_WRAP, Block, payload_offset

HEADER_BYTES: Final = 19  # start code to the end of PTS and DTS
# Streams whose PES packets have no optional header (ISO/IEC 13818-1, table 2-21): map, padding, private 2, ECM, EMM,
# DSM-CC, H.222.1 type E, directory.
_WITHOUT_TIMES: Final = frozenset((0xBC, 0xBE, 0xBF, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF))


def times_in(header: Block, at: int = 0) -> int:
    """Return how many times the PES header at byte `at` has: 0, 1 (PTS) or 2 (PTS, DTS). 9 bytes must be there."""
    if header[at : at + 3] != b"\0\0\1" or header[at + 3] in _WITHOUT_TIMES or header[at + 6] & 0xC0 != 0x80:
        return 0
    flags = header[at + 7] >> 6
    if flags == 3 and header[at + 8] >= 10:
        return 2
    return 1 if flags >= 2 and header[at + 8] >= 5 else 0


def read_time(block: Block, at: int) -> int:
    """Return the 33 bits of the PTS or DTS in the 5 bytes at byte `at`, in ticks of 90 kHz."""
    bits = int.from_bytes(block[at : at + 5], "big")
    return bits >> 3 & 0x1C0000000 | bits >> 2 & 0x3FFF8000 | bits >> 1 & 0x7FFF


def write_time(block: bytearray, at: int, ticks: int) -> None:
    """Write a time (90 kHz, any wrap) into the 5 bytes at byte `at`; the prefix is kept, the marker bits are set."""
    ticks %= PTS_WRAP
    bits = (ticks & 0x1C0000000) << 3 | (ticks & 0x3FFF8000) << 2 | (ticks & 0x7FFF) << 1 | 0x100010001
    block[at : at + 5] = (bits | (block[at] & 0xF0) << 32).to_bytes(5, "big")


def decoding_time(header: Block, at: int, times: int) -> int:
    """Return the DTS of the header at byte `at`, or its PTS if both are equal and only the PTS is written."""
    return read_time(header, at + 14 if times == 2 else at + 9)


def move_times(block: bytearray, at: int, times: int, shift: int) -> None:
    """Add `shift` (90 kHz) to the times of the header at byte `at`."""
    write_time(block, at + 9, read_time(block, at + 9) + shift)
    if times == 2:
        write_time(block, at + 14, read_time(block, at + 14) + shift)


class SplitHeader:
    """A PES header that continues in later packets of its PID: collected from them and written back."""

    def __init__(self, block: bytearray, at: int, following: bytearray) -> None:
        """Collect the header that begins in the packet at byte `at` of `block` and continues in the next block."""
        self.data = bytearray()
        self._pieces: list[tuple[bytearray, int, int]] = []
        pid = bytes((block[at + 1] & 0x1F, block[at + 2]))
        self._gather(block, at)
        self._search(block, at + PACKET_BYTES, pid)
        self._search(following, 0, pid)

    def put_back(self) -> None:
        """Write the collected bytes, changed or not, back to their places."""
        taken = 0
        for block, offset, length in self._pieces:
            block[offset : offset + length] = self.data[taken : taken + length]
            taken += length

    def _search(self, block: bytearray, start: int, pid: bytes) -> None:
        for at in range(start, len(block) - PACKET_BYTES + 1, PACKET_BYTES):
            if len(self.data) >= HEADER_BYTES:
                return
            if block[at + 2] == pid[1] and block[at + 1] & 0x1F == pid[0]:
                if block[at + 1] & 0x40:
                    return
                self._gather(block, at)

    def _gather(self, block: bytearray, at: int) -> None:
        offset = payload_offset(block, at)
        length = min(at + PACKET_BYTES - offset, HEADER_BYTES - len(self.data))
        if length > 0:
            self.data += block[offset : offset + length]
            self._pieces.append((block, offset, length))
