"""Identifies an elementary stream by its stream type and descriptors."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.constants import NULL_PID, SDT_PID
from app.mpegts.tables import Stream


class Codec(msgspec.Struct, frozen=True):
    """`kind` is video, audio, subtitles, teletext, data or unknown; `name` is the usual name of the codec."""

    kind: str
    name: str


# ISO/IEC 13818-1, table 2-34; ANSI/SCTE 35; ATSC A/53 for 0x81 and 0x87.
_BY_STREAM_TYPE: Final = {
    0x01: Codec("video", "MPEG-1"),
    0x02: Codec("video", "MPEG-2"),
    0x03: Codec("audio", "MPEG-1 audio"),
    0x04: Codec("audio", "MPEG-2 audio"),
    0x05: Codec("data", "private sections"),
    0x0B: Codec("data", "DSM-CC"),
    0x0D: Codec("data", "DSM-CC sections"),
    0x0F: Codec("audio", "AAC"),
    0x10: Codec("video", "MPEG-4 part 2"),
    0x11: Codec("audio", "AAC (LATM)"),
    0x15: Codec("data", "metadata"),
    0x1B: Codec("video", "H.264"),
    0x20: Codec("video", "H.264 (MVC)"),
    0x21: Codec("video", "JPEG 2000"),
    0x24: Codec("video", "H.265"),
    0x32: Codec("video", "JPEG XS"),
    0x33: Codec("video", "H.266"),
    0x42: Codec("video", "AVS"),
    0x81: Codec("audio", "AC-3"),
    0x86: Codec("data", "SCTE-35"),
    0x87: Codec("audio", "E-AC-3"),
    0xD1: Codec("video", "Dirac"),
    0xD2: Codec("video", "AVS2"),
    0xEA: Codec("video", "VC-1"),
}
# EN 300 468, table 12: descriptors that say what private PES data is.
_BY_DESCRIPTOR: Final = {
    0x56: Codec("teletext", "teletext"),
    0x59: Codec("subtitles", "DVB subtitles"),
    0x6A: Codec("audio", "AC-3"),
    0x7A: Codec("audio", "E-AC-3"),
    0x7B: Codec("audio", "DTS"),
    0x7C: Codec("audio", "AAC"),
}
_BY_REGISTRATION: Final = {
    b"AC-3": Codec("audio", "AC-3"),
    b"EAC3": Codec("audio", "E-AC-3"),
    b"BSSD": Codec("audio", "SMPTE 302M"),
    b"Opus": Codec("audio", "Opus"),
    b"DTS1": Codec("audio", "DTS"),
    b"DTS2": Codec("audio", "DTS"),
    b"HEVC": Codec("video", "H.265"),
    b"AV01": Codec("video", "AV1"),
    b"CUEI": Codec("data", "SCTE-35"),
    b"KLVA": Codec("data", "KLV"),
    b"VANC": Codec("data", "SMPTE 2038"),
    b"ID3 ": Codec("data", "ID3"),
}
# PIDs that standards assign (ISO/IEC 13818-1, table 2-3; EN 300 468, table 1; ATSC A/65).
WELL_KNOWN: Final = {
    0x0000: Codec("tables", "PAT"),
    0x0001: Codec("tables", "CAT"),
    0x0010: Codec("tables", "NIT"),
    SDT_PID: Codec("tables", "SDT, BAT"),
    0x0012: Codec("tables", "EIT"),
    0x0013: Codec("tables", "RST"),
    0x0014: Codec("tables", "TDT, TOT"),
    0x1FFB: Codec("tables", "ATSC PSIP"),
    NULL_PID: Codec("stuffing", "null packets"),
}
_REGISTRATION: Final = 0x05
_LANGUAGE: Final = 0x0A
_WITH_LANGUAGE: Final = frozenset((_LANGUAGE, 0x56, 0x59))


def codec_of(stream: Stream) -> Codec:
    """Identify the codec of a stream. An unassigned stream type is shown in hexadecimal."""
    if known := _BY_STREAM_TYPE.get(stream.stream_type):
        return known
    for tag, body in stream.descriptors:
        if tag == _REGISTRATION and (registered := _BY_REGISTRATION.get(body[:4])):
            return registered
        if described := _BY_DESCRIPTOR.get(tag):
            return described
    return Codec("unknown", f"stream type 0x{stream.stream_type:02X}")


def language_of(stream: Stream) -> str:
    """Return the ISO 639-2 code of a stream, empty without one."""
    for tag, body in stream.descriptors:
        code = body[:3]
        if tag in _WITH_LANGUAGE and len(code) == 3 and code.isalpha():
            return code.decode("ascii").lower()
    return ""
