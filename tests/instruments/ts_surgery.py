"""Changes packets of a transport stream so that it breaks exactly one rule. Independent of the product's code."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.instruments.ts_maker import NULL_PACKET

# Changes the packet in place. The result False replaces the packet by a null packet.
Change = Callable[[bytearray], bool | None]


def pid_of(packet: bytes | bytearray) -> int:
    """Return the PID of a packet."""
    return (packet[1] & 0x1F) << 8 | packet[2]


def packets_of(data: bytes) -> list[bytearray]:
    """Return the packets of a stream as byte arrays that can be changed."""
    return [bytearray(data[at : at + 188]) for at in range(0, len(data), 188)]


class Surgery:
    """A constant-rate stream that is changed. Times are seconds from its beginning."""

    def __init__(self, data: bytes, bitrate_bps: int) -> None:
        self.packets = packets_of(data)
        self._slot_s = 188 * 8 / bitrate_bps

    def change(self, pid: int, first_s: float, last_s: float, change: Change, *, only: Change | None = None) -> int:
        """Change the packets of a PID between two times. `only` selects among them. Return the number of changes."""
        changed = 0
        for index, packet in enumerate(self.packets):
            if pid_of(packet) != pid or not first_s <= index * self._slot_s < last_s:
                continue
            if only is not None and not only(packet):
                continue
            changed += 1
            if change(packet) is False:
                self.packets[index] = bytearray(NULL_PACKET)
        return changed

    def carry(self, pid: int, section: bytes, times_s: Iterable[float]) -> None:
        """Put a section that fits into one packet into the first null packet after each time."""
        nulls = [index for index, packet in enumerate(self.packets) if pid_of(packet) == 0x1FFF]
        for counter, time_s in enumerate(times_s):
            index = next(index for index in nulls if index * self._slot_s >= time_s)
            nulls.remove(index)
            header = bytes([0x47, 0x40 | pid >> 8, pid & 0xFF, 0x10 | counter & 0x0F, 0])
            self.packets[index] = bytearray((header + section).ljust(188, b"\xff"))

    def renumber(self) -> Surgery:
        """Set the continuity counters of all packets to the correct values, and return self."""
        counters: dict[int, int] = {}
        for packet in self.packets:
            pid = pid_of(packet)
            if pid == 0x1FFF:
                continue
            counter = counters.get(pid, 0) + (1 if packet[3] & 0x10 else 0)
            counters[pid] = counter & 0x0F
            packet[3] = packet[3] & 0xF0 | counters[pid]
        return self

    def data(self) -> bytes:
        """Return the stream in its present state."""
        return b"".join(self.packets)


def leave_out(_: bytearray) -> bool:
    """Replace the packet by a null packet."""
    return False


def scramble(packet: bytearray) -> None:
    """Mark the payload as scrambled."""
    packet[3] |= 0x80


def damage(packet: bytearray) -> None:
    """Set the transport_error_indicator."""
    packet[1] |= 0x80


def flip_last_payload_bit_of_section(packet: bytearray) -> None:
    """Flip the last bit of the CRC of the section that begins in the packet."""
    end = 5 + packet[4] + 3 + ((packet[6 + packet[4]] & 0x0F) << 8 | packet[7 + packet[4]])
    packet[end - 1] ^= 1


def has_pcr(packet: bytearray) -> bool:
    """Whether the packet has a PCR."""
    return bool(packet[3] & 0x20 and packet[4] and packet[5] & 0x10)


def drop_pcr(packet: bytearray) -> None:
    """Replace the PCR by stuffing bytes."""
    packet[5] &= ~0x10
    packet[6:12] = b"\xff" * 6


def move_pcr(packet: bytearray, ticks: int) -> None:
    """Add ticks of 27 MHz to the PCR."""
    base = packet[6] << 25 | packet[7] << 17 | packet[8] << 9 | packet[9] << 1 | packet[10] >> 7
    pcr = base * 300 + ((packet[10] & 1) << 8 | packet[11]) + ticks
    base, extension = divmod(pcr, 300)
    packet[6:12] = (base << 15 | 0x7E00 | extension).to_bytes(6, "big")


def starts_unit(packet: bytearray) -> bool:
    """Whether a PES packet begins in the packet."""
    return bool(packet[1] & 0x40)


def drop_pts(packet: bytearray) -> None:
    """Replace the PTS and DTS of the PES header that begins in the packet by stuffing bytes."""
    start = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    assert packet[start : start + 3] == b"\0\0\1"
    packet[start + 7] &= 0x3F
    length = packet[start + 8]
    packet[start + 9 : start + 9 + length] = b"\xff" * length
