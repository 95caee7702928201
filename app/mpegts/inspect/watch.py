"""Follows the tables of a stream during playback: which PIDs carry sections, and which clock a PID follows."""

from __future__ import annotations

from typing import Final

from app.domain.constants import NULL_PID
from app.mpegts.packets import PACKET_BYTES, Block
from app.mpegts.sections import SectionAssembler
from app.mpegts.tables import PAT_PID, PAT_TABLE, PMT_TABLE, TDT_PID, Programme, read_pat, read_pmt

SCTE35_STREAM_TYPE: Final = 0x86  # ANSI/SCTE 35, 8.1
_TABLE_PIDS_MAX: Final = 256
_REPEATED_PACKETS_MAX: Final = 8


class TableWatch:
    """The tables of PAT and PMT so far.

    Entries that a later table omits are kept: a lap starts with the first table.
    """

    def __init__(self) -> None:
        self.table_pids: set[int] = {PAT_PID}
        self.splice_pids: set[int] = set()
        self.clock_of: dict[int, int] = {}
        self.reference: int | None = None
        self._assemblers: dict[int, SectionAssembler] = {}
        self._seen: dict[int, bytes] = {}
        self._recent: dict[int, list[bytes]] = {}

    def feed(self, pid: int, block: Block, at: int) -> bool:
        """Read a packet of a table PID. Return whether the set of section PIDs has changed."""
        packet = bytes(block[at : at + PACKET_BYTES])
        self._remember(pid, packet)
        if self._seen.get(pid) == packet[4:]:
            return False  # the same packet as before
        self._seen[pid] = packet[4:]
        known = len(self.table_pids) + len(self.splice_pids)
        for section in self._assemblers.setdefault(pid, SectionAssembler()).feed(packet, 0):
            if pid == PAT_PID and section[0] == PAT_TABLE:
                self._follow(read_pat(section) or {})
            elif section[0] == PMT_TABLE and (programme := read_pmt(section)):
                self._take(programme)
        return len(self.table_pids) + len(self.splice_pids) != known

    def section_pids(self) -> set[int]:
        """Return the PIDs whose sections matter to a loop."""
        return self.table_pids | self.splice_pids | {TDT_PID}

    def recent_tables(self) -> list[bytes]:
        """Return the packets of the latest PAT and PMTs as they were in the file, PAT first."""
        return [packet for pid in sorted(self._recent) for packet in self._recent[pid]]

    def _follow(self, pat: dict[int, int]) -> None:
        for pid in pat.values():
            if len(self.table_pids) < _TABLE_PIDS_MAX:
                self.table_pids.add(pid)

    def _take(self, programme: Programme) -> None:
        if programme.pcr_pid == NULL_PID:
            return
        if self.reference is None:
            self.reference = programme.pcr_pid
        for stream in programme.streams:
            self.clock_of[stream.pid] = programme.pcr_pid
            if stream.stream_type == SCTE35_STREAM_TYPE:
                self.splice_pids.add(stream.pid)

    def _remember(self, pid: int, packet: bytes) -> None:
        if packet[1] & 0x40:
            self._recent[pid] = [packet]
        elif pid in self._recent and len(self._recent[pid]) < _REPEATED_PACKETS_MAX:
            self._recent[pid].append(packet)
