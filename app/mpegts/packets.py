"""Transport packets: header fields of a whole block at once, and the clock in one packet's adaptation field.

A block is `bytes` or `bytearray` of whole 188-byte packets that begins with a sync byte. Loops over packets are left
to C (strided slices, `translate`, big integers), because a worker sends thousands of packets a second.
"""

from __future__ import annotations

import sys
from itertools import compress
from typing import Final

from app.domain.constants import TS_PACKET_BYTES, TS_SYNC_BYTE

PACKET_BYTES: Final = TS_PACKET_BYTES
SYNC: Final = TS_SYNC_BYTE
PCR_HZ: Final = 27_000_000
PTS_HZ: Final = 90_000
PTS_WRAP: Final = 1 << 33
PCR_WRAP: Final = PTS_WRAP * 300

Block = bytes | bytearray

# The marks of a packet in the result of `marks`.
UNIT_START: Final = 1
HAS_PCR: Final = 2
HAS_OPCR: Final = 4

_PID_HIGH: Final = bytes(value & 0x1F for value in range(256))
# The header of a packet with the transport error indicator cannot be trusted, so it never starts a unit.
_UNIT_START: Final = bytes(UNIT_START if value & 0xC0 == 0x40 else 0 for value in range(256))
_ALL: Final = HAS_PCR | HAS_OPCR
_HAS_ADAPTATION: Final = bytes(_ALL if value & 0x20 else 0 for value in range(256))
# 1 byte of flags and 6 of PCR, 6 more of OPCR when both are there; the field cannot pass the packet's end.
_ROOM_FOR_PCR: Final = bytes(
    _ALL if 13 <= value <= 183 else HAS_PCR if 7 <= value <= 183 else 0 for value in range(256)
)
_PCR_FLAGS: Final = bytes(
    (HAS_PCR if value & 0x10 else 0) | (HAS_OPCR if value & 0x18 == 0x18 else 0) for value in range(256)
)
_LOW, _HIGH = (0, 1) if sys.byteorder == "little" else (1, 0)


def pids(block: Block) -> memoryview[int]:
    """Return the PID of each packet of a block, in order."""
    pairs = bytearray(2 * (len(block) // PACKET_BYTES))
    pairs[_LOW::2] = block[2::PACKET_BYTES]
    pairs[_HIGH::2] = block[1::PACKET_BYTES].translate(_PID_HIGH)
    return memoryview(pairs).cast("H")


def marks(block: Block) -> bytes:
    """Return for each packet of a block what must be examined: UNIT_START, HAS_PCR and HAS_OPCR, or 0."""
    clocked = (
        int.from_bytes(block[3::PACKET_BYTES].translate(_HAS_ADAPTATION), "little")
        & int.from_bytes(block[4::PACKET_BYTES].translate(_ROOM_FOR_PCR), "little")
        & int.from_bytes(block[5::PACKET_BYTES].translate(_PCR_FLAGS), "little")
    )
    starts = int.from_bytes(block[1::PACKET_BYTES].translate(_UNIT_START), "little")
    return (clocked | starts).to_bytes(len(block) // PACKET_BYTES, "little")


def marked(found: bytes) -> compress[int]:
    """Return the indexes of the packets with a mark."""
    return compress(range(len(found)), found)


def payload_offset(block: Block, at: int) -> int:
    """Return where in the block the payload of the packet at byte `at` begins; without payload, the packet's end."""
    control = block[at + 3] & 0x30
    if control == 0x10:
        return at + 4
    if control == 0x30:
        return min(at + 5 + block[at + 4], at + PACKET_BYTES)
    return at + PACKET_BYTES


def is_scrambled(block: Block, at: int) -> bool:
    """Return whether the payload of the packet at byte `at` is scrambled; its adaptation field never is."""
    return block[at + 3] & 0xC0 != 0


def has_discontinuity(block: Block, at: int) -> bool:
    """Return whether the packet at byte `at` announces that its clock or its continuity counter jumps."""
    return block[at + 3] & 0x20 != 0 and block[at + 4] != 0 and block[at + 5] & 0x80 != 0


def read_pcr(block: Block, at: int) -> int:
    """Return the PCR in the 6 bytes at byte `at`, in ticks of 27 MHz, below PCR_WRAP plus an invalid extension."""
    bits = int.from_bytes(block[at : at + 6], "big")
    return (bits >> 15) * 300 + (bits & 0x1FF)


def write_pcr(block: bytearray, at: int, pcr: int) -> None:
    """Write a PCR (27 MHz, any wrap) into the 6 bytes at byte `at`; the reserved bits are kept."""
    base, extension = divmod(pcr % PCR_WRAP, 300)
    reserved = (block[at + 4] & 0x7E) << 8
    block[at : at + 6] = (base << 15 | reserved | extension).to_bytes(6, "big")


PCR_OFFSET: Final = 6
OPCR_OFFSET: Final = 12


def clock_step(before: int, after: int) -> int:
    """Return the ticks of 27 MHz from one PCR to a later one across wraps; negative if the clock went back."""
    step = (after - before) % PCR_WRAP
    return step if step < PCR_WRAP // 2 else step - PCR_WRAP
