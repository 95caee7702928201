"""PSI and SI sections: their CRC, and their assembly from packets."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from app.mpegts.packets import PACKET_BYTES, Block, is_scrambled, payload_offset

SECTION_BYTES_MAX: Final = 4096  # ISO/IEC 13818-1, 2.4.4.11: private sections; PAT and PMT have 1024
_STUFFING: Final = 0xFF
_REVERSED: Final = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def crc32_mpeg(data: Block) -> int:
    """Return the CRC of ISO/IEC 13818-1 annex A. Over a section that ends with its own CRC, it is 0.

    zlib has the same polynomial with the bits the other way round, so bytes and result are mirrored around it.
    """
    mirrored = zlib.crc32(data.translate(_REVERSED)) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_REVERSED), "big")


def section_length(data: Block, at: int = 0) -> int:
    """Return the bytes of the section at byte `at`, including its three header bytes, which must be there."""
    return 3 + ((data[at + 1] & 0x0F) << 8 | data[at + 2])


class SectionAssembler:
    """Collects the sections of one PID from its packets. Holds at most one unfinished section.

    `too_long` counts sections that claim more bytes than any section may have; they are dropped.
    """

    def __init__(self) -> None:
        self.too_long = 0
        self._part = bytearray()
        self._counter: int | None = None

    def feed(self, block: Block, at: int) -> Iterator[bytes]:
        """Take the packet at byte `at` and return the sections that it completes. A lost packet drops its section."""
        offset, end = payload_offset(block, at), at + PACKET_BYTES
        if offset >= end or is_scrambled(block, at):
            return
        if not self._in_order(block[at + 3] & 0x0F):
            return
        if not block[at + 1] & 0x40:
            if self._part:
                yield from self._take(block[offset:end])
            return
        first = offset + 1 + block[offset]
        if self._part:
            yield from self._take(block[offset + 1 : min(first, end)])
        self._part.clear()
        yield from self._take(block[min(first, end) : end])

    def _in_order(self, counter: int) -> bool:
        """Follow the continuity counter. Return False for a duplicate; a gap drops the unfinished section."""
        before, self._counter = self._counter, counter
        if before == counter:
            return False
        if before is not None and (before + 1) & 0x0F != counter:
            self._part.clear()
        return True

    def _take(self, data: Block) -> Iterator[bytes]:
        self._part += data
        while len(self._part) >= 3 and self._part[0] != _STUFFING:
            length = section_length(self._part)
            if length > SECTION_BYTES_MAX:
                self.too_long += 1
                break
            if len(self._part) < length:
                return
            yield bytes(self._part[:length])
            del self._part[:length]
        if len(self._part) >= 3 or self._part[:1] == b"\xff":
            self._part.clear()
