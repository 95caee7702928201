"""Counts what is missing in a live input: continuity counters per PID, and RTP sequence numbers."""

from __future__ import annotations

from typing import Final

from app.domain.constants import NULL_PID, TS_SYNC_BYTE
from app.domain.constants import TS_PACKET_BYTES as PACKET_BYTES

# Marks the counter of a packet that came twice: equal to no counter, so that a third time is an error.
_REPEATED: Final = 0x10
_RTP_HEADER_BYTES: Final = 12


class ContinuityCheck:
    """Follows the continuity counter of each PID (ISO/IEC 13818-1, 2.4.3.3; ETSI TR 101 290, 1.4).

    A packet without payload does not count on, one repetition of a packet is allowed, and a jump announced by
    discontinuity_indicator is no error. Packets marked with transport_error_indicator prove nothing.
    """

    def __init__(self) -> None:
        self.errors_total = 0
        # By PID: the last counter, and where its packet is, to tell a repetition from the loss of 15 packets.
        self._last: dict[int, tuple[int, bytes, int]] = {}

    def check(self, packets: bytes) -> None:
        """Look at whole packets; bytes that are not packets in step are one error and not looked at further."""
        if len(packets) % PACKET_BYTES or packets[::PACKET_BYTES].count(TS_SYNC_BYTE) * PACKET_BYTES != len(packets):
            self.errors_total += 1
            return
        last = self._last
        headers = zip(packets[1::PACKET_BYTES], packets[2::PACKET_BYTES], packets[3::PACKET_BYTES], strict=True)
        for index, (high, low, flags) in enumerate(headers):
            pid = (high & 0x1F) << 8 | low
            if not flags & 0x10 or pid == NULL_PID or high & 0x80:
                continue
            counter = flags & 0x0F
            before = last.get(pid)
            last[pid] = (counter, packets, index)
            if before is not None and counter != (before[0] + 1) & 0x0F:
                self._judge(pid, before)

    def _judge(self, pid: int, before: tuple[int, bytes, int]) -> None:
        """Decide about a counter that is not the next one."""
        counter, packets, index = self._last[pid]
        packet = _packet_of(self._last[pid])
        if packet[3] & 0x20 and packet[4] and packet[5] & 0x80:
            return
        if counter == before[0] and _without_pcr(packet) == _without_pcr(_packet_of(before)):
            self._last[pid] = (counter | _REPEATED, packets, index)
            return
        self.errors_total += 1


def _packet_of(place: tuple[int, bytes, int]) -> bytes:
    _, packets, index = place
    return packets[index * PACKET_BYTES : (index + 1) * PACKET_BYTES]


def _without_pcr(packet: bytes) -> bytes:
    """The packet without what may differ in a repetition."""
    has_pcr = packet[3] & 0x20 and packet[4] >= 7 and packet[5] & 0x10
    return packet[:6] + packet[12:] if has_pcr else packet


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
