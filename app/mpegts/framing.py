"""Finds where packets begin, and names other formats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from app.mpegts.packets import PACKET_BYTES, SYNC, Block

SYNCS_IN_A_ROW: Final = 5
# M2TS has a 4-byte arrival time before each packet; DVB-ASI and satellite recordings 16 Reed-Solomon bytes after it.
_PACKET_SIZES: Final = (PACKET_BYTES, 192, 204)


class Framing(msgspec.Struct, frozen=True):
    """How packets lie in a file: the distance between packets, and the first sync byte, both in bytes."""

    packet_bytes: int
    offset: int


def find_framing(head: Block) -> Framing | None:
    """Return the framing of a file with the head `head`; None without five sync bytes in a row near its start."""
    for packet_bytes in _PACKET_SIZES:
        for offset in range(packet_bytes):
            if _syncs(head, offset, packet_bytes):
                return Framing(packet_bytes, offset)
    return None


def find_sync(block: Block, start: int = 0) -> int:
    """Return the first byte from `start` on where five 188-byte packets in a row begin, -1 if there is none."""
    at = block.find(SYNC, start)
    while at >= 0:
        if _syncs(block, at, PACKET_BYTES):
            return at
        at = block.find(SYNC, at + 1)
    return -1


def whole_packets(block: Block) -> int:
    """Count the packets at the start of a block before the first missing sync byte."""
    syncs = block[: len(block) // PACKET_BYTES * PACKET_BYTES : PACKET_BYTES]
    return len(syncs) - len(syncs.lstrip(b"\x47"))


def foreign_format(head: Block) -> str | None:
    """Name a known format that is not a transport stream, by its first bytes; None for an unknown one."""
    if head[4:8] == b"ftyp":
        return "an MP4 file"
    for start, name in _FOREIGN.items():
        if head.startswith(start):
            return name
    sample = bytes(head[:512])
    if sample and not sample.translate(None, _TEXT):
        return "a text file"
    return None


_TEXT: Final = bytes([9, 10, 13, *range(32, 127)])
_FOREIGN: Final = {
    b"#EXTM3U": "a playlist",
    b"\xef\xbb\xbf#EXTM3U": "a playlist",
    b"ffconcat": "a playlist",
    b"\x1aE\xdf\xa3": "a Matroska or WebM file",
    b"\x00\x00\x01\xba": "an MPEG program stream",
    b"\x06\x0e\x2b\x34": "an MXF file",
    b"RIFF": "an AVI or WAV file",
    b"<?xml": "a text file",
}


def _syncs(block: Block, offset: int, packet_bytes: int) -> bool:
    end = offset + packet_bytes * SYNCS_IN_A_ROW
    return block[offset:end:packet_bytes] == b"\x47" * SYNCS_IN_A_ROW


class Aligner:
    """Cuts bytes that come in pieces into blocks of whole packets. Bytes outside of packets are skipped."""

    def __init__(self) -> None:
        self.bytes_skipped = 0
        self._rest = b""

    def take(self, data: bytes) -> Iterator[bytes]:
        """Return the blocks that `data` completes."""
        data = self._rest + data
        at = 0
        # Five packets are kept back: that many are needed to find the next one after damage.
        while len(data) - at >= PACKET_BYTES * (SYNCS_IN_A_ROW + 1):
            end = at + (len(data) - at) // PACKET_BYTES * PACKET_BYTES - SYNCS_IN_A_ROW * PACKET_BYTES
            if good := whole_packets(data[at:end]):
                yield data[at : at + good * PACKET_BYTES]
                at += good * PACKET_BYTES
                continue
            found = find_sync(data, at + 1)
            skip_to = found if found >= 0 else len(data) - SYNCS_IN_A_ROW * PACKET_BYTES
            self.bytes_skipped += skip_to - at
            at = skip_to
        self._rest = data[at:]

    def finish(self) -> bytes:
        """Return the last whole packets; the remaining bytes count as skipped."""
        block = self._rest[: whole_packets(self._rest) * PACKET_BYTES]
        self.bytes_skipped += len(self._rest) - len(block)
        self._rest = b""
        return block
