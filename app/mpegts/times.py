"""Restamps sections that contain a time: TDT and TOT (EN 300 468), splice information (ANSI/SCTE 35)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from app.mpegts.packets import PACKET_BYTES, PTS_WRAP, is_scrambled, payload_offset
from app.mpegts.sections import crc32_mpeg, section_length

TDT_TABLE: Final = 0x70
TOT_TABLE: Final = 0x73
SPLICE_TABLE: Final = 0xFC
_MJD_OF_UNIX_EPOCH: Final = 40_587


def dvb_time(unix_s: float) -> bytes:
    """Encode UTC in five bytes, in whole seconds: the Modified Julian Date and six BCD digits (EN 300 468 annex C).

    The date has 16 bits, so it begins again at 0 after 22 April 2038.
    """
    moment = datetime.fromtimestamp(int(unix_s), UTC)
    days = int(unix_s) // 86_400 + _MJD_OF_UNIX_EPOCH
    return (days & 0xFFFF).to_bytes(2, "big") + bytes.fromhex(moment.strftime("%H%M%S"))


def set_clock(block: bytearray, at: int, unix_s: float) -> None:
    """Set the time in the TDT and TOT of the packet at byte `at`.

    A section that continues in the next packet is left unchanged.
    """
    for start, length in _sections(block, at):
        table = block[start]
        if table == TDT_TABLE and length >= 8:
            block[start + 3 : start + 8] = dvb_time(unix_s)
        elif table == TOT_TABLE and length >= 14:
            block[start + 3 : start + 8] = dvb_time(unix_s)
            _sign(block, start, length)


def move_splices(block: bytearray, at: int, shift: int) -> None:
    """Add `shift` (90 kHz) to pts_adjustment, which moves all times of a splice_info_section, encrypted ones too."""
    for start, length in _sections(block, at):
        if block[start] != SPLICE_TABLE or length < 20:
            continue
        bits = int.from_bytes(block[start + 4 : start + 9], "big")
        adjustment = (bits + shift) % PTS_WRAP
        block[start + 4 : start + 9] = (bits >> 33 << 33 | adjustment).to_bytes(5, "big")
        _sign(block, start, length)


def _sections(block: bytearray, at: int) -> Iterator[tuple[int, int]]:
    """Return the whole sections in a packet that begins one, as first byte and length."""
    offset, end = payload_offset(block, at), at + PACKET_BYTES
    if not block[at + 1] & 0x40 or offset >= end or is_scrambled(block, at):
        return
    start = offset + 1 + block[offset]
    while start + 3 <= end and block[start] != 0xFF:
        length = section_length(block, start)
        if start + length > end:
            return
        yield start, length
        start += length


def _sign(block: bytearray, start: int, length: int) -> None:
    end = start + length
    block[end - 4 : end] = crc32_mpeg(block[start : end - 4]).to_bytes(4, "big")
