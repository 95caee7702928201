"""Counts what is missing in a live input: continuity counters per PID, and RTP sequence numbers."""

from __future__ import annotations

from typing import Final

_PACKET_BYTES: Final = 188
_NULL_PID: Final = 0x1FFF
_RTP_HEADER_BYTES: Final = 12


class ContinuityCheck:
    """Follows the continuity counter of each PID (ISO/IEC 13818-1, 2.4.3.3).

    A packet without payload does not count on, one repetition of a packet is allowed, and a jump announced by
    discontinuity_indicator is no error.
    """

    def __init__(self) -> None:
        self.errors_total = 0
        self._last: dict[int, int] = {}

    def check(self, packets: bytes) -> None:
        """Look at whole packets; bytes that are not in step with the sync byte are counted as one error."""
        last = self._last
        for at in range(0, len(packets) - _PACKET_BYTES + 1, _PACKET_BYTES):
            if packets[at] != 0x47:
                self.errors_total += 1
                return
            flags = packets[at + 3]
            pid = (packets[at + 1] & 0x1F) << 8 | packets[at + 2]
            if not flags & 0x10 or pid == _NULL_PID:
                continue
            counter = flags & 0x0F
            before = last.get(pid)
            last[pid] = counter
            if before is None or counter == (before + 1) & 0x0F or counter == before:
                continue
            announced = flags & 0x20 and packets[at + 4] and packets[at + 5] & 0x80
            if not announced:
                self.errors_total += 1


class RtpGaps:
    """Counts missing RTP sequence numbers (RFC 3550, 5.1); a packet that comes late takes its gap back."""

    def __init__(self) -> None:
        self.gaps_total = 0
        self._expected: int | None = None

    def payload(self, packet: bytes) -> bytes:
        """Book the packet and give its payload: the bytes behind header, contributing sources and extension."""
        if len(packet) < _RTP_HEADER_BYTES or packet[0] >> 6 != 2:
            return b""
        self._book(packet[2] << 8 | packet[3])
        start = _RTP_HEADER_BYTES + 4 * (packet[0] & 0x0F)
        if packet[0] & 0x10 and len(packet) >= start + 4:
            start += 4 + 4 * (packet[start + 2] << 8 | packet[start + 3])
        padding = packet[-1] if packet[0] & 0x20 else 0
        return packet[start : len(packet) - padding]

    def _book(self, sequence: int) -> None:
        ahead = 0 if self._expected is None else (sequence - self._expected) & 0xFFFF
        if ahead < 0x8000:
            self.gaps_total += ahead
            self._expected = (sequence + 1) & 0xFFFF
        elif self.gaps_total:
            self.gaps_total -= 1
