"""Turns the laps of a looped file into one endless stream, in place, block by block.

Continuity counters continue per PID. PCR, OPCR, PTS, DTS and splice times move with their programme's clock. TDT and
TOT show the present time. Apart from that, the first lap passes unchanged. Every lap is observed, so that the seam is
planned from the packets that were sent, even if the file changed meanwhile. Scrambled packets keep their payload:
counters and PCR are outside it. ESCR, DTS_next_AU and the contents of the streams stay unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from app.domain.constants import NULL_PID, PID_COUNT
from app.mpegts.inspect.watch import TableWatch
from app.mpegts.loop.filler import make_filler
from app.mpegts.loop.lap import Lap
from app.mpegts.loop.seam import plan_seam
from app.mpegts.packets import (
    HAS_PCR,
    OPCR_OFFSET,
    PACKET_BYTES,
    PCR_OFFSET,
    PCR_WRAP,
    UNIT_START,
    has_discontinuity,
    is_scrambled,
    marked,
    marks,
    payload_offset,
    pids,
    read_pcr,
    write_pcr,
)
from app.mpegts.pes import HEADER_BYTES, SplitHeader, decoding_time, move_times, times_in
from app.mpegts.tables import TDT_PID
from app.mpegts.times import move_splices, set_clock

_SECTION: Final = 0x10  # next to the counter's offset in the table by PID, and next to the marks
_SECTION_ONLY: Final = bytes(value & _SECTION for value in range(256))


class Restamper:
    """Rewrites the laps of one stream. Blocks come in file order; `turn` goes to the next lap.

    A PES header that continues beyond the following block keeps its times.
    """

    def __init__(self) -> None:
        self.lap = Lap()
        self._watch = TableWatch()
        # The shift of each clock's PCRs, and that of the reference for PIDs without their own clock.
        self._shifts: dict[int, int] = {}
        self._reference_shift = 0
        # The counter last sent on each PID, up to the end of the lap before this one.
        self._sent: dict[int, int] = {}
        # For each PID, what is added to its counter in this lap, and whether it holds sections.
        self._by_pid = bytearray(PID_COUNT)
        self._mark_sections()

    def reference(self) -> int | None:
        """The PID of the clock that plans the seam: the first programme's, else the busiest; None without a clock."""
        running = {pid: len(clock.recent) for pid, clock in self.lap.clocks.items()}
        if self._watch.reference in running:
            return self._watch.reference
        return max(running, key=running.__getitem__, default=None)

    def restamp(self, block: bytearray, following: bytearray, unix_s: float) -> None:
        """Rewrite the next block of the lap; `following` is the one after it, where a PES header may end."""
        pid_of = pids(block).tolist()
        headers = block[3::PACKET_BYTES]
        self._note_counters(block, pid_of, headers)
        by_pid = bytes(map(self._by_pid.__getitem__, pid_of))
        self._run_counters_on(block, headers, by_pid)
        work = self._work(block, by_pid)
        for index in marked(work):
            what, pid, at = work[index], pid_of[index], index * PACKET_BYTES
            if what & HAS_PCR:
                self._move_clock(block, at, pid, self.lap.packets + index)
            if what & _SECTION:
                self._handle_section(block, at, pid, unix_s)
            elif what & UNIT_START:
                self._move_unit(block, at, pid, following)
        self.lap.packets += len(pid_of)

    def turn(self, following: Restamper | None = None) -> Iterator[bytearray]:
        """End the lap and return the packets to send before the next one. Send them all before calling `restamp` again.

        `following` has seen the head of the next lap when that is another file, or the same with other contents.
        """
        before, after = self.lap, following.lap if following else self.lap
        reference = self.reference()
        seam = plan_seam(before, after, self._watch.clock_of, reference)
        for pid, header in before.counters.items():
            self._sent[pid] = (header + self._by_pid[pid]) & 0x0F
        shifts = self._shifts
        common = self._reference_shift + seam.steps.get(reference, 0) if reference is not None else 0
        self._shifts = {
            pid: (shifts.get(pid, self._reference_shift) + step) % PCR_WRAP for pid, step in seam.steps.items()
        }
        self._reference_shift = common % PCR_WRAP
        if following:
            self._watch = following._watch
        tables = self._watch.recent_tables()
        self.lap, self._by_pid = Lap(), bytearray(PID_COUNT)
        self._mark_sections()
        at_end = {pid: pcr + shifts.get(pid, 0) for pid, pcr in seam.end_of_lap.items()}
        return make_filler(seam, at_end, self._sent, tables)

    def _note_counters(self, block: bytearray, pid_of: list[int], headers: bytearray) -> None:
        """Remember the latest counter of each PID. A PID that is new in this lap is joined to the lap before."""
        counters = self.lap.counters
        known = len(counters)
        counters.update(zip(pid_of, headers, strict=True))
        if len(counters) == known:
            return
        for pid in list(islice(counters, known, None)):
            if pid in self._sent and pid != NULL_PID:
                index = pid_of.index(pid)
                # A packet without payload repeats the counter of the one before.
                step = 1 if headers[index] & 0x10 else 0
                self._by_pid[pid] |= (self._sent[pid] + step - headers[index]) & 0x0F
                _hide_jump(block, index * PACKET_BYTES)

    def _run_counters_on(self, block: bytearray, headers: bytearray, by_pid: bytes) -> None:
        size = len(headers)
        low = int.from_bytes(b"\x0f" * size, "little")
        offsets = int.from_bytes(by_pid, "little") & low
        if offsets:
            bits = int.from_bytes(headers, "little")
            # Byte by byte: the counter, at most 15, plus an offset, at most 15, never carries into the next byte.
            moved = bits & low << 4 | (bits & low) + offsets & low
            block[3::PACKET_BYTES] = moved.to_bytes(size, "little")

    def _work(self, block: bytearray, by_pid: bytes) -> bytes:
        """Return what to do with each packet: the marks, and _SECTION."""
        sections = int.from_bytes(by_pid.translate(_SECTION_ONLY), "little")
        return (int.from_bytes(marks(block), "little") | sections).to_bytes(len(by_pid), "little")

    def _move_clock(self, block: bytearray, at: int, pid: int, packet: int) -> None:
        pcr = read_pcr(block, at + PCR_OFFSET)
        is_first = pid not in self.lap.clocks
        self.lap.add_pcr(pid, packet, pcr)
        shift = self._shifts.get(pid, self._reference_shift)
        if not shift:
            return
        if is_first:
            _hide_jump(block, at)
        write_pcr(block, at + PCR_OFFSET, pcr + shift)
        if block[at + 5] & 0x08 and block[at + 4] >= 13:
            write_pcr(block, at + OPCR_OFFSET, read_pcr(block, at + OPCR_OFFSET) + shift)

    def _move_unit(self, block: bytearray, at: int, pid: int, following: bytearray) -> None:
        start, header = payload_offset(block, at), block
        if is_scrambled(block, at) or pid == NULL_PID:
            return
        split = None
        if at + PACKET_BYTES - start < HEADER_BYTES:
            split = SplitHeader(block, at, following)
            start, header = 0, split.data
            if len(header) < HEADER_BYTES:
                # The end of the file, or a packet that is shorter than a full header: only whole times are moved.
                header.extend(bytes(HEADER_BYTES - len(header)))
        times = times_in(header, start)
        if not times:
            return
        length = header[start + 4] << 8 | header[start + 5]
        self.lap.add_unit(pid, decoding_time(header, start, times), header[start + 3], length)
        if shift := self._shift_90k(pid):
            move_times(header, start, times, shift)
            if split:
                split.put_back()

    def _handle_section(self, block: bytearray, at: int, pid: int, unix_s: float) -> None:
        if pid == TDT_PID:
            set_clock(block, at, unix_s)
        elif pid in self._watch.table_pids:
            if self._watch.feed(pid, block, at):
                self._mark_sections()
        elif shift := self._shift_90k(pid):
            move_splices(block, at, shift)

    def _shift_90k(self, pid: int) -> int:
        # Rounded down: the PCR has the exact shift, and times may be a tick before it, not after it.
        return self._shifts.get(self._watch.clock_of.get(pid, -1), self._reference_shift) // 300

    def _mark_sections(self) -> None:
        for pid in self._watch.section_pids():
            self._by_pid[pid] |= _SECTION


def _hide_jump(block: bytearray, at: int) -> None:
    """Remove the announcement of a jump that no longer exists."""
    if has_discontinuity(block, at):
        block[at + 5] &= 0x7F
