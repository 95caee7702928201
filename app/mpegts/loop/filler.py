"""Makes the packets between two laps: null packets, PCRs on time, and tables again if the gap is long."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final

from app.domain.constants import NULL_PID
from app.mpegts.loop.seam import Seam
from app.mpegts.loop.seam_pcrs import FillerPcr
from app.mpegts.packets import PACKET_BYTES, PCR_HZ, PCR_OFFSET, SYNC, write_pcr

BLOCK_PACKETS: Final = 348
_NULL_PACKET: Final = bytes((SYNC, NULL_PID >> 8, NULL_PID & 0xFF, 0x10)) + b"\xff" * (PACKET_BYTES - 4)
_TABLES_AFTER_TICKS: Final = PCR_HZ // 10
_ADAPTATION_ONLY: Final = 0x20


def make_filler(
    seam: Seam, at_end: Mapping[int, int], sent: dict[int, int], tables: list[bytes]
) -> Iterator[bytearray]:
    """Return the filler of a seam in blocks.

    `at_end` is what each clock, as it was sent, reads at the lap's end; `sent` the counter last sent on each PID, kept
    up to date; `tables` the packets of PAT and PMTs, sent again every 100 ms.
    """
    pcrs = {pcr.slot: pcr for pcr in seam.filler_pcrs}
    waiting: deque[bytes] = deque()
    tables_at = _TABLES_AFTER_TICKS
    block = bytearray()
    for slot in range(seam.filler_packets):
        if pcr := pcrs.get(slot):
            block += _pcr_packet(pcr, at_end[pcr.pid], sent.get(pcr.pid, 0))
            if pcr.ticks >= tables_at:
                tables_at = pcr.ticks + _TABLES_AFTER_TICKS
                waiting.extend(tables)
        else:
            block += _counted(waiting.popleft(), sent) if waiting else _NULL_PACKET
        if len(block) == BLOCK_PACKETS * PACKET_BYTES:
            yield block
            block = bytearray()
    if block:
        yield block


def _pcr_packet(pcr: FillerPcr, at_end: int, counter: int) -> bytearray:
    """Make a packet with only an adaptation field, which repeats the counter."""
    head = bytes((SYNC, pcr.pid >> 8, pcr.pid & 0xFF, _ADAPTATION_ONLY | counter, PACKET_BYTES - 5, 0x10))
    packet = bytearray(head + b"\0\0\0\0\x7e\0").ljust(PACKET_BYTES, b"\xff")
    write_pcr(packet, PCR_OFFSET, at_end + pcr.ticks)
    return packet


def _counted(packet: bytes, sent: dict[int, int]) -> bytes:
    pid = (packet[1] & 0x1F) << 8 | packet[2]
    sent[pid] = (sent.get(pid, 0) + 1) & 0x0F
    return packet[:3] + bytes((packet[3] & 0xF0 | sent[pid],)) + packet[4:]
