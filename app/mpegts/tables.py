"""Reads PAT, PMT and SDT from sections. A section with a wrong CRC or inconsistent lengths gives None."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from app.domain.constants import PID_MASK, SERVICE_DESCRIPTOR
from app.mpegts.sections import crc32_mpeg, section_length

PAT_PID: Final = 0x0000
TDT_PID: Final = 0x0014
PAT_TABLE: Final = 0x00
CAT_TABLE: Final = 0x01
PMT_TABLE: Final = 0x02
SDT_TABLE: Final = 0x42  # of the actual transport stream


class Stream(msgspec.Struct, frozen=True):
    """An elementary stream of a programme; descriptors are (tag, body) pairs."""

    pid: int
    stream_type: int
    descriptors: tuple[tuple[int, bytes], ...] = ()


class Programme(msgspec.Struct, frozen=True):
    """A PMT: the PID of the programme's clock (0x1FFF: none), its elementary streams and its own descriptors."""

    number: int
    pcr_pid: int
    streams: tuple[Stream, ...]
    version: int = 0
    descriptors: tuple[tuple[int, bytes], ...] = ()


class Service(msgspec.Struct, frozen=True):
    """A service of the SDT; its id is the programme's number."""

    id: int
    name: str
    provider: str


def read_pat(section: bytes) -> dict[int, int] | None:
    """Return programme numbers and the PIDs of their PMTs, without the network PID."""
    body = _body(section, PAT_TABLE, header=8)
    if body is None:
        return None
    pairs = (body[at : at + 4] for at in range(0, len(body) - 3, 4))
    return {
        number: int.from_bytes(pair[2:], "big") & PID_MASK
        for pair in pairs
        if (number := int.from_bytes(pair[:2], "big"))
    }


def read_pmt(section: bytes) -> Programme | None:
    """Return the programme that a PMT section describes."""
    body = _body(section, PMT_TABLE, header=8)
    if body is None or len(body) < 4:
        return None
    at = 4 + _twelve_bits(body, 2)
    streams = []
    while at + 5 <= len(body):
        length = _twelve_bits(body, at + 3)
        descriptors = tuple(read_descriptors(body[at + 5 : at + 5 + length]))
        streams.append(Stream(_pid(body, at + 1), body[at], descriptors))
        at += 5 + length
    return Programme(
        number=int.from_bytes(section[3:5], "big"),
        pcr_pid=_pid(body, 0),
        streams=tuple(streams),
        version=section[5] >> 1 & 0x1F,
        descriptors=tuple(read_descriptors(body[4 : 4 + _twelve_bits(body, 2)])),
    )


def read_cat(section: bytes) -> tuple[tuple[int, bytes], ...] | None:
    """Return the descriptors of a CAT section."""
    body = _body(section, CAT_TABLE, header=8)
    return None if body is None else tuple(read_descriptors(body))


def read_sdt(section: bytes) -> list[Service] | None:
    """Return the services that an SDT section of this transport stream names."""
    body = _body(section, SDT_TABLE, header=11)
    if body is None:
        return None
    services, at = [], 0
    while at + 5 <= len(body):
        length = _twelve_bits(body, at + 3)
        for tag, data in read_descriptors(body[at + 5 : at + 5 + length]):
            if tag == SERVICE_DESCRIPTOR and len(data) >= 3:
                provider, name = _two_strings(data[1:])
                services.append(Service(int.from_bytes(body[at : at + 2], "big"), name, provider))
        at += 5 + length
    return services


def read_descriptors(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Return the descriptors in a loop as (tag, body). A descriptor that passes the end is left out."""
    at = 0
    while at + 2 <= len(data):
        end = at + 2 + data[at + 1]
        if end > len(data):
            return
        yield data[at], data[at + 2 : end]
        at = end


# EN 300 468 annex A, table A.3: first byte 0x01..0x0B selects ISO 8859-5..15, 0x15 is UTF-8.
_SINGLE_BYTE_CODES: Final = {code: f"iso8859_{code + 4}" for code in range(0x01, 0x0C) if code != 0x08}
_OTHER_CODES: Final = {0x11: "utf_16_be", 0x12: "euc_kr", 0x13: "gb2312", 0x14: "big5", 0x15: "utf_8"}


def read_dvb_text(data: bytes) -> str:
    """Return a DVB string as printable text. ISO 6937, the default code, is read as Latin-1, which it partly equals."""
    if not data:
        return ""
    first = data[0]
    if first == 0x10 and len(data) >= 3:
        codec, data = f"iso8859_{data[2]}" if data[2] in _LATIN_PARTS else "iso8859_1", data[3:]
    elif first < 0x20:
        codec, data = _SINGLE_BYTE_CODES.get(first) or _OTHER_CODES.get(first, "iso8859_1"), data[1:]
    else:
        codec = "iso8859_1"
    return "".join(character for character in data.decode(codec, "replace") if character.isprintable())


_LATIN_PARTS: Final = frozenset((*range(1, 12), *range(13, 17)))


def _body(section: bytes, table: int, *, header: int) -> bytes | None:
    if len(section) < header + 4 or section[0] != table or section_length(section) != len(section):
        return None
    # current_next_indicator 0 announces a table that is not valid yet.
    if not section[5] & 0x01 or crc32_mpeg(section):
        return None
    return section[header:-4]


def _pid(data: bytes, at: int) -> int:
    return (data[at] & 0x1F) << 8 | data[at + 1]


def _twelve_bits(data: bytes, at: int) -> int:
    return (data[at] & 0x0F) << 8 | data[at + 1]


def _two_strings(data: bytes) -> tuple[str, str]:
    first_end = 1 + data[0]
    second = data[first_end + 1 : first_end + 1 + data[first_end]] if first_end < len(data) else b""
    return read_dvb_text(data[1:first_end]), read_dvb_text(second)
