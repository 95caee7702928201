"""Hostile data for tests: damaged transport streams and datagrams to SRT ports. The same seed gives the same data."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

_PACKET = 188
_HANDSHAKE_EXTENSIONS = 6


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return the transport stream with one to three damages. `data` has at least a few hundred kilobytes."""
    stream = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        chance.choice(_DAMAGES)(stream, chance)
    return bytes(stream)


def _flip_bits(stream: bytearray, chance: random.Random) -> None:
    for _ in range(200):
        stream[chance.randrange(len(stream))] ^= 1 << chance.randrange(8)


def _cut(stream: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(stream))
    del stream[at : at + chance.randrange(1, 400)]


def _insert(stream: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(stream))
    stream[at:at] = chance.randbytes(chance.randrange(1, 400))


def _erase(stream: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(stream))
    stream[at : at + 50_000] = bytes(len(stream[at : at + 50_000]))


def _fill_with_noise(stream: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(stream))
    stream[at : at + 20_000] = chance.randbytes(len(stream[at : at + 20_000]))


def _change_headers(stream: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(stream) // _PACKET) * _PACKET
    for at in range(start, min(start + 500 * _PACKET, len(stream) - 4), _PACKET):
        stream[at + 1 : at + 4] = chance.randbytes(3)


def _lengthen_adaptation_fields(stream: bytearray, chance: random.Random) -> None:
    """Set the adaptation field length of every seventh packet to 0, 183, 184 or 255 bytes. 184 and 255 are too long."""
    for at in range(0, len(stream) - _PACKET, 7 * _PACKET):
        stream[at + 3] |= 0x20
        stream[at + 4] = chance.choice([0, 183, 184, 255])


_DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip_bits,
    _cut,
    _insert,
    _erase,
    _fill_with_noise,
    _change_headers,
    _lengthen_adaptation_fields,
)


def hostile_datagram(chance: random.Random) -> bytes:
    """Return noise, a control packet, data of no connection, or a damaged handshake (SRT draft, section 3)."""
    body = chance.randbytes(chance.choice([0, 1, 15, 48, 200, 1456, 8000]))
    socket_id = chance.choice([0, 1, chance.getrandbits(32)])
    match chance.choice(["noise", "control", "data", "handshake"]):
        case "noise":
            return body
        case "control":
            kind = chance.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 0x7FFF, chance.getrandbits(15)])
            return struct.pack(">IIII", 0x80000000 | kind << 16 | chance.getrandbits(16), 0, 0, socket_id) + body
        case "data":
            return struct.pack(">IIII", chance.getrandbits(31), chance.getrandbits(32), 0, socket_id) + body
        case _:
            return struct.pack(">IIII", 0x80000000, 0, 0, 0) + _handshake(chance)


def _handshake(chance: random.Random) -> bytes:
    fixed = struct.pack(
        ">IIIIIII",
        chance.choice([4, 5, 0xFFFFFFFF]),  # version
        chance.choice([0, 2, 0x4A17, chance.getrandbits(16)]),  # encryption and extension fields
        chance.getrandbits(31),
        1500,
        8192,
        chance.choice([1, 0xFFFFFFFF, 0xFFFFFFFE, 1000, chance.getrandbits(32)]),  # type
        chance.getrandbits(32),
    )
    cookie = chance.choice([bytes(4), chance.randbytes(4)])
    extension = struct.pack(">HH", chance.randrange(_HANDSHAKE_EXTENSIONS), chance.choice([0, 3, 0xFFFF]))
    return fixed + cookie + bytes(16) + extension + chance.randbytes(12)
