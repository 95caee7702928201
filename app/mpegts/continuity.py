"""Counts missing packets of an input by continuity counters per PID and by RTP sequence numbers.

The same rule serves multicast inputs, whole files and received streams.
"""

from __future__ import annotations

from typing import Final

from app.domain.constants import NULL_PID, PID_COUNT, TS_SYNC_BYTE
from app.mpegts.packets import PACKET_BYTES, Block, has_discontinuity, pids

# The expected low five bits of a packet's fourth byte: payload, and the next counter.
_NEXT: Final = bytes(0x10 | (value + 1 & 0x0F) for value in range(256))
_UNKNOWN: Final = 0xFF
# Set when the latest packet came twice: a third time is an error.
_REPEATED: Final = 0x80
_RTP_HEADER_BYTES: Final = 12


class ContinuityCheck:
    """Follows the continuity counter of each PID (ISO/IEC 13818-1, 2.4.3.3; ETSI TR 101 290, 1.4).

    The counter does not change in a packet without payload. One repetition of a packet is allowed; its PCR may differ.
    A jump that discontinuity_indicator announces is not an error. A packet with transport_error_indicator may have been
    any packet of its PID, so the next counter is accepted whatever it is.
    """

    def __init__(self) -> None:
        self.errors_total = 0
        self._expected = bytearray([_UNKNOWN]) * PID_COUNT
        # The latest packet of each PID in earlier blocks, to distinguish a repetition from the loss of 15 packets.
        self._latest: dict[int, Block] = {}
        # The same within the present block, as indexes, filled up to `_placed` only when a repetition is judged.
        self._places: dict[int, int] = {}
        self._placed = 0

    def check(self, packets: Block) -> None:
        """Check whole packets. A block that is not aligned counts as one error and is not examined further."""
        if len(packets) % PACKET_BYTES or packets[::PACKET_BYTES].count(TS_SYNC_BYTE) * PACKET_BYTES != len(packets):
            self.errors_total += 1
            return
        self.find_errors(packets, pids(packets).tolist())

    def find_errors(self, block: Block, pid_of: list[int]) -> list[tuple[int, int]]:
        """Count and return the errors of a block with the PIDs `pid_of`: index of the packet, expected counter."""
        expected = self._expected
        errors: list[tuple[int, int]] = []
        self._places.clear()
        self._placed = 0
        for index, (pid, header) in enumerate(zip(pid_of, block[3::PACKET_BYTES], strict=True)):
            if header & 0x1F == expected[pid]:
                expected[pid] = _NEXT[header]
            elif pid != NULL_PID:
                wanted = expected[pid] & 0x0F
                if not self._fits(block, pid_of, index, header):
                    errors.append((index, wanted if header & 0x10 else (wanted - 1) & 0x0F))
        for pid, index in dict(zip(pid_of, range(len(pid_of)), strict=True)).items():
            self._latest[pid] = block[index * PACKET_BYTES : (index + 1) * PACKET_BYTES]
        self.errors_total += len(errors)
        return errors

    def forget(self) -> None:
        """Accept the next counter of each PID, because an interruption lies before it."""
        self._expected = bytearray([_UNKNOWN]) * PID_COUNT
        self._latest.clear()

    def _fits(self, block: Block, pid_of: list[int], index: int, header: int) -> bool:
        """Judge a packet that is not the expected next one of its PID, and set the next expected counter."""
        pid, at = pid_of[index], index * PACKET_BYTES
        if block[at + 1] & 0x80:
            self._expected[pid] = _UNKNOWN
            return True
        before, counter = self._expected[pid], header & 0x0F
        self._expected[pid] = _NEXT[counter]
        if before == _UNKNOWN or has_discontinuity(block, at):
            return True
        stands_still = counter == (before - 1) & 0x0F
        if not header & 0x10:
            return stands_still
        if stands_still and not before & _REPEATED and self._is_repetition(block, pid_of, index):
            self._expected[pid] |= _REPEATED
            return True
        return counter == before & 0x0F

    def _is_repetition(self, block: Block, pid_of: list[int], index: int) -> bool:
        for place in range(self._placed, index):
            self._places[pid_of[place]] = place
        self._placed = max(self._placed, index)
        place_before = self._places.get(pid_of[index])
        packet = block[index * PACKET_BYTES : (index + 1) * PACKET_BYTES]
        if place_before is None:
            before = self._latest.get(pid_of[index], b"")
        else:
            before = block[place_before * PACKET_BYTES : (place_before + 1) * PACKET_BYTES]
        return _without_pcr(packet) == _without_pcr(before)


def _without_pcr(packet: Block) -> Block:
    """Return the packet without the part that may differ in a repetition."""
    has_pcr = len(packet) == PACKET_BYTES and packet[3] & 0x20 and packet[4] >= 7 and packet[5] & 0x10
    return packet[:6] + packet[12:] if has_pcr else packet


class RtpGaps:
    """Counts missing RTP sequence numbers (RFC 3550, 5.1); a late packet reduces the count again."""

    def __init__(self) -> None:
        self.gaps_total = 0
        self._expected: int | None = None

    def payload(self, packet: bytes) -> bytes:
        """Count the packet and return its payload: the bytes after header, contributing sources and extension."""
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
