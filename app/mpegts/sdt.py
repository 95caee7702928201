"""The DVB service description table (ETSI EN 300 468, 5.2.3) for one service, as bytes."""

from __future__ import annotations

from typing import Final

from app.domain.constants import SERVICE_DESCRIPTOR
from app.mpegts.sections import crc32_mpeg

_TABLE_ID: Final = 0x42  # SDT, actual transport stream
_TRANSPORT_STREAM_ID: Final = 1
_ORIGINAL_NETWORK_ID: Final = 0xFF01  # private temporary use (ETSI TS 101 162)
_DIGITAL_TELEVISION: Final = 0x01
_RUNNING: Final = 4 << 13


def sdt_section(*, service_id: int, provider: str, name: str) -> bytes:
    """Make the section that names one running, unscrambled television service. Provider and name are ASCII."""
    who, what = provider.encode("ascii"), name.encode("ascii")
    service = bytes([_DIGITAL_TELEVISION, len(who), *who, len(what), *what])
    descriptor = bytes([SERVICE_DESCRIPTOR, len(service)]) + service
    entry = service_id.to_bytes(2, "big") + b"\xfc" + (_RUNNING | len(descriptor)).to_bytes(2, "big") + descriptor
    body = (
        _TRANSPORT_STREAM_ID.to_bytes(2, "big")
        + b"\xc1\x00\x00"  # version 0, current, section 0 of 0
        + _ORIGINAL_NETWORK_ID.to_bytes(2, "big")
        + b"\xff"
        + entry
    )
    section = bytes([_TABLE_ID]) + (0xF000 | len(body) + 4).to_bytes(2, "big") + body
    return section + crc32_mpeg(section).to_bytes(4, "big")
