"""Examines a block of whole packets: passes counters, marks, tables, clocks and times on for judgement."""

from __future__ import annotations

from bisect import bisect_right
from itertools import compress
from typing import Final

from app.domain.constants import NULL_PID, PID_COUNT
from app.mpegts.continuity import ContinuityCheck
from app.mpegts.inspect.live.clocks import Clocks
from app.mpegts.inspect.live.indicators import Board
from app.mpegts.inspect.live.pids import PidBook
from app.mpegts.inspect.live.presence import Presence
from app.mpegts.inspect.live.programmes import Programmes
from app.mpegts.inspect.live.tables import FIXED_PIDS, TableReader
from app.mpegts.packets import (
    HAS_PCR,
    PACKET_BYTES,
    PCR_OFFSET,
    UNIT_START,
    has_discontinuity,
    marked,
    marks,
    payload_offset,
    pids,
    read_pcr,
)
from app.mpegts.pes import times_in

_TABLE: Final = 0x10
_PES_HEADER_BYTES: Final = 9
# The maximum number of passes over a block whose tables change which packets matter.
_NEW_LOOKS_MAX: Final = 8
_CLEAR: Final = bytes(value for value in range(256) if not value & 0xC0)
_SCRAMBLED: Final = bytes(1 if value & 0xC0 else 0 for value in range(256))
_SOUND: Final = bytes(range(0x80))
_DAMAGED: Final = bytes(value >> 7 for value in range(256))
# CEA-608/708 in user data of ATSC A/53 part 4, behind what precedes it in H.264 and H.265, and in MPEG-2.
_CAPTIONS: Final = b"GA94\x03"
_BEFORE_CAPTIONS: Final = (b"\xb5\x00\x31", b"\x00\x01\xb2")
_CAPTIONS_EVERY_S: Final = 1.0


class BatchClock:
    """The time of each byte in payloads that are examined together. `last` is the time of the last payload."""

    def __init__(self, times: list[float], ends: list[int]) -> None:
        self._times = times
        self._ends = ends
        self._base = 0
        self.last = times[-1]

    @property
    def now(self) -> float:
        """The time of the first byte that was not examined yet."""
        return self.at(0)

    def at(self, offset: int) -> float:
        """Return the time of the byte `offset` of the present block."""
        return self._times[min(bisect_right(self._ends, self._base + offset), len(self._times) - 1)]

    def advance(self, size: int) -> None:
        """Go on to the next block."""
        self._base += size


class BlockExaminer:
    """Examines blocks in order. `packets` counts all packets so far, `packets_before` those before the reset."""

    def __init__(self, board: Board, now: float) -> None:
        self.packets = self.packets_before = 0
        self.continuity = ContinuityCheck()
        self.programmes = Programmes()
        self.pids = PidBook()
        self.tables = TableReader(board, self.programmes)
        self.clocks = Clocks(board)
        self.presence = Presence(board, self.programmes, self.pids)
        self._board = board
        self._captions_searched = now
        # By PID, the marks that matter. The packets of a table all have the same mark.
        self._matters = bytearray(PID_COUNT)
        self._revision = -1
        self._follow_tables(now)

    def examine(self, block: bytes, clock: BatchClock) -> None:
        """Examine a block."""
        pid_of = pids(block).tolist()
        for index, expected in self.continuity.find_errors(block, pid_of):
            self._note_discontinuity(block, pid_of[index], index, expected, clock)
        damaged = self._note_damage(block, pid_of, clock)
        trusted = pid_of if damaged is None else [pid for pid, bad in zip(pid_of, damaged, strict=True) if not bad]
        if self.pids.count(trusted, clock.now, clock.last):
            self.presence.find_unreferenced()
        controls = block[3::PACKET_BYTES]
        if controls.translate(None, _CLEAR):
            self.pids.mark_scrambled(set(compress(pid_of, controls.translate(_SCRAMBLED))), clock.last)
        self._look_inside(block, pid_of, clock)
        if clock.last - self._captions_searched >= _CAPTIONS_EVERY_S:
            self._captions_searched = clock.last
            self._search_captions(block, pid_of)
        self.packets += len(pid_of)

    def restart(self, at: float) -> None:
        """Expect tables, clocks and times again from now on, because the stream was interrupted."""
        self.tables.forget()
        self.presence.restart(at)
        self.clocks.restart(at)

    def check(self, at: float) -> None:
        """Judge what is missing at a moment."""
        self.clocks.check(at)
        self.presence.check(at, self.tables.seen)

    def end_seconds(self, seconds: int) -> None:
        """End a second of the stream, or several in which nothing came."""
        self.pids.end_seconds(seconds)
        self.tables.end_seconds(seconds)

    def reset(self) -> None:
        """Count from 0. The contents of the tables remain known."""
        self.packets_before = self.packets
        self.continuity.errors_total = self.tables.cues_total = 0
        self.pids.reset()
        self.presence.find_unreferenced()

    def _note_discontinuity(self, block: bytes, pid: int, index: int, expected: int, clock: BatchClock) -> None:
        at = index * PACKET_BYTES
        state = self.pids.state_of(pid, clock.last)
        state.continuity_errors += 1
        self.clocks.lose_position()
        text = f"PID 0x{pid:X}: counter {block[at + 3] & 0x0F} instead of {expected}"
        self._board["continuity_count_error"].hit(clock.at(at), text)

    def _note_damage(self, block: bytes, pid_of: list[int], clock: BatchClock) -> bytes | None:
        """Count packets with transport_error_indicator. Return which packets have it, None for none."""
        flags = block[1::PACKET_BYTES]
        if not flags.translate(None, _SOUND):
            return None
        damaged = flags.translate(_DAMAGED)
        count = sum(damaged)
        text = f"transport_error_indicator is set on PID 0x{pid_of[damaged.index(1)]:X}"
        self._board["transport_error"].hit(clock.at(damaged.rindex(1) * PACKET_BYTES), text, times=count)
        return damaged

    def _look_inside(self, block: bytes, pid_of: list[int], clock: BatchClock) -> None:
        """Examine the packets that matter. If a table changes what matters, examine the rest again."""
        found = marks(block)
        bearing = int.from_bytes(found, "little") | int.from_bytes(bytes([_TABLE]) * len(found), "little")
        start = 0
        for look in range(_NEW_LOOKS_MAX):
            kinds = int.from_bytes(bytes(map(self._matters.__getitem__, pid_of)), "little")
            work = (kinds & bearing).to_bytes(len(found), "little")
            is_last = look == _NEW_LOOKS_MAX - 1
            start = self._work_off(block, pid_of, work, start, clock, to_the_end=is_last)
            if start >= len(pid_of):
                break
        if self.programmes.revision != self._revision:
            self._follow_tables(clock.last)

    def _work_off(
        self, block: bytes, pid_of: list[int], work: bytes, start: int, clock: BatchClock, *, to_the_end: bool
    ) -> int:
        """Examine marked packets from `start` on. Return where to continue if tables have changed, else the end."""
        for index in marked(work):
            at = index * PACKET_BYTES
            if index < start or block[at + 1] & 0x80:
                continue
            mark, pid = work[index], pid_of[index]
            if mark & HAS_PCR:
                self._read_clock(block, at, pid, index, clock)
            if mark & UNIT_START:
                self._read_unit(block, at, pid, clock)
            if mark & _TABLE:
                self.tables.take(block, at, pid, clock.at(at))
                if self.programmes.revision != self._revision and not to_the_end:
                    self._follow_tables(clock.at(at))
                    return index + 1
        return len(pid_of)

    def _read_clock(self, block: bytes, at: int, pid: int, index: int, clock: BatchClock) -> None:
        self.clocks.take(
            pid,
            read_pcr(block, at + PCR_OFFSET),
            at=clock.at(at),
            position=self.packets + index,
            announced=has_discontinuity(block, at),
        )

    def _read_unit(self, block: bytes, at: int, pid: int, clock: BatchClock) -> None:
        offset = payload_offset(block, at)
        # A header that continues in the next packet is assumed to be correct.
        if at + PACKET_BYTES - offset < _PES_HEADER_BYTES or times_in(block, offset):
            self.presence.pts_seen[pid] = clock.at(at)

    def _search_captions(self, block: bytes, pid_of: list[int]) -> None:
        at = block.find(_CAPTIONS)
        if at >= 3 and block[at - 3 : at] in _BEFORE_CAPTIONS:
            index = at // PACKET_BYTES
            is_damaged = block[index * PACKET_BYTES + 1] & 0x80  # it may belong to any PID, and was not counted
            if not is_damaged and pid_of[index] in self.programmes.roles:
                self.pids.by_pid[pid_of[index]].has_captions = True

    def _follow_tables(self, at: float) -> None:
        """Select for each PID what is examined, after the tables have changed."""
        self._revision = self.programmes.revision
        matters = bytearray(PID_COUNT)
        for pid in self.programmes.clock_pids:
            matters[pid] |= HAS_PCR
        self.presence.follow(at)
        for pid in self.presence.pts_seen:
            matters[pid] |= UNIT_START
        table_pids = {*FIXED_PIDS, *self.programmes.map_pids, *self.programmes.splice_pids} - {NULL_PID}
        for pid in table_pids:
            matters[pid] |= _TABLE
        self._matters = matters
        self.tables.keep_only(table_pids)
        self.clocks.follow(self.programmes.clock_pids, at)
