"""Describes a splice information section (ANSI/SCTE 35) in one sentence: the command, its event and times."""

from __future__ import annotations

from typing import Final

from app.mpegts.packets import PTS_HZ, PTS_WRAP
from app.mpegts.sections import crc32_mpeg
from app.mpegts.tables import read_descriptors

_COMMAND_AT: Final = 14
_CRC_BYTES: Final = 4
_INSERT: Final = 0x05
_TIME_SIGNAL: Final = 0x06
_COMMANDS: Final = {
    0x00: "splice null",
    0x04: "splice schedule",
    _INSERT: "splice insert",
    _TIME_SIGNAL: "time signal",
    0x07: "bandwidth reservation",
    0xFF: "private command",
}
_SEGMENTATION: Final = 0x02
# ANSI/SCTE 35, table 23: types that occur in contribution; others are shown by their number.
_SEGMENTATION_TYPES: Final = {
    0x10: "programme start",
    0x11: "programme end",
    0x22: "break start",
    0x23: "break end",
    0x30: "provider advertisement start",
    0x31: "provider advertisement end",
    0x32: "distributor advertisement start",
    0x33: "distributor advertisement end",
    0x34: "provider placement opportunity start",
    0x35: "provider placement opportunity end",
    0x36: "distributor placement opportunity start",
    0x37: "distributor placement opportunity end",
}


def describe_splice(section: bytes) -> str:
    """Return the section in words, such as `splice insert, event 7, out of network, at 12.500 s, for 60.000 s`."""
    if len(section) < _COMMAND_AT + 2 + _CRC_BYTES or section[0] != 0xFC or crc32_mpeg(section):
        return "not readable"
    if section[4] & 0x80:
        return "encrypted"
    bits = int.from_bytes(section[4:9], "big")
    adjustment = bits & (PTS_WRAP - 1)
    kind = section[13]
    command = section[_COMMAND_AT:-_CRC_BYTES]
    parts = [_COMMANDS.get(kind, f"command 0x{kind:02X}")]
    try:
        if kind == _INSERT:
            parts += _insert(command, adjustment)
        elif kind == _TIME_SIGNAL:
            parts += _time(command, 0, adjustment)[0]
        parts += _segmentations(section)
    except IndexError:
        return f"{parts[0]}, cut short"
    return ", ".join(parts)


def _insert(command: bytes, adjustment: int) -> list[str]:
    parts = [f"event {int.from_bytes(command[:4], 'big')}"]
    if command[4] & 0x80:
        return [*parts, "cancelled"]
    flags, at = command[5], 6
    parts.append("out of network" if flags & 0x80 else "return to network")
    is_immediate = flags & 0x10 != 0
    if is_immediate:
        parts.append("immediately")
    if flags & 0x40 and not is_immediate:
        times, at = _time(command, at, adjustment)
        parts += times
    elif not flags & 0x40:
        at += 1  # components, which have separate times
        for _ in range(command[at - 1]):
            at += 1 if is_immediate else 6 if command[at + 1] & 0x80 else 2
    if flags & 0x20:
        parts.append(f"for {_ticks(command, at) / PTS_HZ:.3f} s")
    return parts


def _time(command: bytes, at: int, adjustment: int) -> tuple[list[str], int]:
    """Return the splice_time() at byte `at` in words, and where it ends."""
    if not command[at] & 0x80:
        return [], at + 1
    return [f"at {(_ticks(command, at) + adjustment) % PTS_WRAP / PTS_HZ:.3f} s"], at + 5


def _ticks(data: bytes, at: int) -> int:
    """Return the 33 bits at the end of the five bytes at byte `at`."""
    if at + 5 > len(data):
        raise IndexError
    return int.from_bytes(data[at : at + 5], "big") & (PTS_WRAP - 1)


def _segmentations(section: bytes) -> list[str]:
    length = (section[11] & 0x0F) << 8 | section[12]
    if length == 0xFFF:
        return []  # an old sender does not state the length of the command
    at = _COMMAND_AT + length
    descriptors = section[at + 2 : -_CRC_BYTES]
    return [_segmentation(body) for tag, body in read_descriptors(descriptors) if tag == _SEGMENTATION]


def _segmentation(body: bytes) -> str:
    if body[8] & 0x80:
        return "segmentation cancelled"
    flags, at = body[9], 10
    if not flags & 0x80:
        at += 1 + 6 * body[at]
    if flags & 0x40:
        at += 5
    at += 2 + body[at + 1]
    kind = body[at]
    return _SEGMENTATION_TYPES.get(kind, f"segmentation type 0x{kind:02X}")
