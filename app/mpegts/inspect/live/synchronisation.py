"""Cuts received bytes into whole packets with the hysteresis of TR 101 290, and removes RTP headers.

Five correct sync bytes in a row gain synchronisation, two wrong ones in a row lose it. One wrong sync byte between
correct ones is an error of that byte only; the packet is used.
"""

from __future__ import annotations

from typing import Final

from app.domain.constants import TS_SYNC_BYTE
from app.domain.figures.live_report import Content
from app.mpegts.continuity import RtpGaps
from app.mpegts.framing import SYNCS_IN_A_ROW, foreign_format
from app.mpegts.packets import PACKET_BYTES

_IS_SYNC: Final = bytes(value == TS_SYNC_BYTE for value in range(256))
_NEEDED: Final = (SYNCS_IN_A_ROW - 1) * PACKET_BYTES + 1
_SEARCHED_AT_ONCE: Final = 16_384
_RTP_HEADER_BYTES: Final = 12
_RTP_MPEG2_TS: Final = 33  # RFC 3551, table 5
_HEAD_BYTES: Final = 512
# After this many bytes without synchronisation, the content counts as foreign.
_FOREIGN_BYTES: Final = 16 * PACKET_BYTES


class Synchroniser:
    """Takes received bytes in order and returns blocks of whole packets, each beginning with a sync byte."""

    def __init__(self) -> None:
        self.is_locked = False
        self.was_locked = False
        self.bytes_skipped = 0
        self.sync_byte_errors = 0
        self._rtp = RtpGaps()
        self._is_rtp = False
        self._rest = b""
        self._head = b""
        self._searched = 0

    @property
    def rtp_gaps_total(self) -> int:
        """Return the number of RTP packets that are missing by their sequence numbers."""
        return self._rtp.gaps_total

    def unwrap(self, payload: bytes) -> bytes:
        """Remove the RTP header from a payload that has one; return others unchanged."""
        if payload[:1] == b"\x47" or (self.is_locked and not self._is_rtp):
            return payload
        self._is_rtp = _looks_like_rtp(payload)
        return self._rtp.payload(payload) if self._is_rtp else payload

    def take(self, data: bytes) -> list[bytes | None]:
        """Return the blocks that `data` completes, with None where synchronisation was lost."""
        if not self._head:
            self._head = data[:_HEAD_BYTES]
        whole = len(data) % PACKET_BYTES == 0 and not self._rest
        if self.is_locked and whole and data[::PACKET_BYTES].count(TS_SYNC_BYTE) * PACKET_BYTES == len(data):
            return [data] if data else []
        data = self._rest + data
        blocks: list[bytes | None] = []
        at = 0
        while True:
            before = at
            at = self._follow(data, at, blocks) if self.is_locked else self._search(data, at)
            if at == before and not self._can_go_on(data, at):
                break
        self._rest = data[at:]
        return blocks

    def lose(self) -> None:
        """Forget the collected bytes and search again, because the connection was interrupted."""
        self.is_locked = False
        self._rest = b""

    def content(self) -> tuple[Content, str]:
        """Return what the bytes are, with a description of a foreign format."""
        if self.is_locked or self.was_locked:
            return (Content.RTP if self._is_rtp else Content.TRANSPORT_STREAM), ""
        if not self._head:
            return Content.NOTHING, ""
        if self._searched < _FOREIGN_BYTES:
            return Content.UNDECIDED, ""
        return Content.FOREIGN, foreign_format(self._head) or ""

    def _can_go_on(self, data: bytes, at: int) -> bool:
        return self.is_locked and len(data) - at >= PACKET_BYTES and data[at] == TS_SYNC_BYTE

    def _follow(self, data: bytes, at: int, blocks: list[bytes | None]) -> int:
        """Take packets until a sync byte is wrong. Return where to continue."""
        count = (len(data) - at) // PACKET_BYTES
        syncs = data[at : at + count * PACKET_BYTES : PACKET_BYTES]
        good = len(syncs) - len(syncs.lstrip(b"\x47"))
        end = at + good * PACKET_BYTES
        if good:
            blocks.append(data[at:end])
        if good + 1 >= count:
            return end  # the packet after the wrong one decides
        if syncs[good + 1] == TS_SYNC_BYTE:
            self.sync_byte_errors += 1
            blocks.append(b"\x47" + data[end + 1 : end + PACKET_BYTES])
            return end + PACKET_BYTES
        blocks.append(None)
        self.is_locked = False
        self.bytes_skipped += 1
        return end + 1

    def _search(self, data: bytes, at: int) -> int:
        """Search for five sync bytes in a row. Return the first of them, or the first byte that may still be one."""
        start = at
        while len(data) - at >= _NEEDED:
            window = data[at : at + _SEARCHED_AT_ONCE + _NEEDED - 1]
            found = _first_sync(window)
            if found >= 0:
                at += found
                self.is_locked = self.was_locked = True
                break
            at += len(window) - _NEEDED + 1
        self.bytes_skipped += at - start
        self._searched += at - start
        return at


def _first_sync(window: bytes) -> int:
    """Return where five packets in a row begin, -1 if nowhere. Near misses do not increase the work."""
    flags = int.from_bytes(window.translate(_IS_SYNC), "little")
    found = flags
    for step in range(1, SYNCS_IN_A_ROW):
        found &= flags >> 8 * PACKET_BYTES * step
    return ((found & -found).bit_length() - 1) // 8 if found else -1


def _looks_like_rtp(payload: bytes) -> bool:
    size = len(payload) - _RTP_HEADER_BYTES
    return (
        size >= PACKET_BYTES
        and payload[0] >> 6 == 2
        and payload[1] & 0x7F == _RTP_MPEG2_TS
        and (size % PACKET_BYTES != 0 or payload[_RTP_HEADER_BYTES] == TS_SYNC_BYTE)
    )
