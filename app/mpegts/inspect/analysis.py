"""Analyses a whole file: programmes, PIDs, clocks, tables, continuity.

Memory is bounded by the number of PIDs. A packet costs about 0.4 µs of one core, a gigabyte two or three seconds.
"""

from __future__ import annotations

from collections import Counter
from itertools import compress
from typing import Final

import msgspec

from app.domain.constants import NULL_PID, PCR_INTERVAL_MS_DVB, PID_COUNT, PSI_INTERVAL_MS, SDT_PID
from app.mpegts.codecs import WELL_KNOWN, Codec, codec_of, language_of
from app.mpegts.continuity import ContinuityCheck
from app.mpegts.inspect import preflight
from app.mpegts.inspect.first_look import read_programmes
from app.mpegts.inspect.pacing import ClockMeter, TableMeter
from app.mpegts.inspect.report import Analysis, PidReport, ProgrammeReport
from app.mpegts.packets import (
    HAS_PCR,
    PACKET_BYTES,
    PCR_HZ,
    PCR_OFFSET,
    marked,
    marks,
    pids,
    read_pcr,
)
from app.mpegts.sections import SectionAssembler
from app.mpegts.tables import (
    PAT_PID,
    PAT_TABLE,
    PMT_TABLE,
    SDT_TABLE,
    Programme,
    Service,
    Stream,
    read_pat,
    read_pmt,
    read_sdt,
)

_PROGRAMMES_MAX: Final = 256
_SERVICES_MAX: Final = 1024
_SECTIONS_MAX: Final = 1024
_CLOCKS_MAX: Final = 64
_SCRAMBLED: Final = bytes(1 if value & 0xC0 else 0 for value in range(256))
_ERRONEOUS: Final = bytes(1 if value & 0x80 else 0 for value in range(256))
_CLOCKED: Final = bytes(value & HAS_PCR for value in range(256))
_TABLE: Final = 0x10


class Analyser:
    """Takes a file's packets in order and returns the analysis at the end."""

    def __init__(self) -> None:
        self._packets = 0
        self._counts: Counter[int] = Counter()
        self._continuity_errors: Counter[int] = Counter()
        self._transport_errors = 0
        self._scrambled: set[int] = set()
        self._continuity = ContinuityCheck()
        self._clocks: dict[int, ClockMeter] = {}
        self._reference: ClockMeter | None = None
        self._tables = TableMeter(PSI_INTERVAL_MS)
        self._is_table = bytearray(PID_COUNT)
        self._is_table[PAT_PID] = self._is_table[SDT_PID] = _TABLE
        self._assemblers: dict[int, SectionAssembler] = {}
        self._known_sections: dict[tuple[int, bytes], str] = {}
        self._pat: dict[int, int] = {}
        self._programmes: dict[int, Programme] = {}
        self._services: dict[int, Service] = {}

    def feed(self, block: bytes) -> None:
        """Take the next block of whole packets."""
        if not self._pat:
            # Before the rest, so that the maps in this block are counted.
            self._take_pat(read_programmes(block)[0])
        pid_of = pids(block).tolist()
        headers = block[3::PACKET_BYTES]
        self._counts.update(pid_of)
        self._continuity_errors.update(pid_of[index] for index, _ in self._continuity.find_errors(block, pid_of))
        self._scrambled.update(compress(pid_of, headers.translate(_SCRAMBLED)))
        self._transport_errors += sum(block[1::PACKET_BYTES].translate(_ERRONEOUS))
        tables = bytes(map(self._is_table.__getitem__, pid_of))
        clocks = marks(block).translate(_CLOCKED)
        work = (int.from_bytes(tables, "little") | int.from_bytes(clocks, "little")).to_bytes(len(tables), "little")
        for index in marked(work):
            if work[index] & HAS_PCR:
                self._read_clock(block, index, pid_of[index])
            if work[index] & _TABLE:
                self._read_tables(block, index, pid_of[index])
        self._packets += len(pid_of)

    def _read_clock(self, block: bytes, index: int, pid: int) -> None:
        meter = self._clocks.get(pid)
        if meter is None:
            if len(self._clocks) >= _CLOCKS_MAX:
                return
            meter = self._clocks[pid] = ClockMeter(PCR_INTERVAL_MS_DVB)
        covered = meter.add(self._packets + index, read_pcr(block, index * PACKET_BYTES + PCR_OFFSET))
        if self._reference is None and covered is not None:
            self._reference = meter
        if meter is self._reference:
            self._tables.date(meter, covered)

    def _read_tables(self, block: bytes, index: int, pid: int) -> None:
        assembler = self._assemblers.setdefault(pid, SectionAssembler())
        for section in assembler.feed(block, index * PACKET_BYTES):
            # A table comes ten times a second and rarely changes.
            known = self._known_sections.get((pid, section))
            if known is None:
                known = self._take_section(pid, section)
                if len(self._known_sections) >= _SECTIONS_MAX:
                    self._known_sections.clear()
                self._known_sections[pid, section] = known
            if known:
                self._tables.add(known, self._packets + index)

    def _take_section(self, pid: int, section: bytes) -> str:
        """Read a new section. Return the name of the table that it dates, empty for none."""
        if pid == PAT_PID and section[0] == PAT_TABLE:
            return self._take_pat(read_pat(section))
        if pid == SDT_PID and section[0] == SDT_TABLE:
            for service in read_sdt(section) or ():
                if len(self._services) < _SERVICES_MAX:
                    self._services[service.id] = service
        elif section[0] == PMT_TABLE and (programme := read_pmt(section)):
            self._programmes[programme.number] = programme
            return _pmt_name(programme.number)
        return ""

    def _take_pat(self, pat: dict[int, int] | None) -> str:
        for number, pmt_pid in (pat or {}).items():
            if number not in self._pat and len(self._pat) < _PROGRAMMES_MAX:
                self._pat[number] = pmt_pid
                self._is_table[pmt_pid] = _TABLE
        return "" if pat is None else "PAT"

    def result(self, *, size_bytes: int, bytes_skipped: int) -> Analysis:
        """Return the analysis of the file."""
        clock = self._chosen_clock()
        ticks_a_packet = clock.elapsed / clock.packets if clock and clock.packets else 0.0
        duration_s = self._packets * ticks_a_packet / PCR_HZ
        reports = {pid: self._pid_report(pid, duration_s) for pid in sorted(self._counts)}
        analysis = Analysis(
            size_bytes=size_bytes,
            packet_count=self._packets,
            duration_s=duration_s,
            bitrate_bps=_bitrate(self._packets, duration_s),
            is_constant_bitrate=clock is not None and not clock.jumps and clock.track.is_constant(),
            null_percent=round(100 * self._counts[NULL_PID] / self._packets, 2) if self._packets else 0.0,
            bytes_skipped=bytes_skipped,
            continuity_errors=self._continuity_errors.total(),
            transport_errors=self._transport_errors,
            pat=self._tables.result("PAT"),
            programmes=tuple(self._programme_report(number, reports) for number in self._pat),
            pids=tuple(reports.values()),
        )
        return preflight.judged(analysis)

    def _chosen_clock(self) -> ClockMeter | None:
        """Return the clock of the first programme that has one, else the busiest clock."""
        for number in self._pat:
            programme = self._programmes.get(number)
            if programme and (clock := self._clocks.get(programme.pcr_pid)) and clock.packets:
                return clock
        return max(self._clocks.values(), key=lambda clock: clock.packets, default=None)

    def _programme_report(self, number: int, reports: dict[int, PidReport]) -> ProgrammeReport:
        service = self._services.get(number) or Service(number, "", "")
        programme = self._programmes.get(number) or Programme(number, NULL_PID, ())
        clock = self._clocks.get(programme.pcr_pid)
        return ProgrammeReport(
            number=number,
            name=service.name,
            provider=service.provider,
            pmt_pid=self._pat[number],
            pmt=self._tables.result(_pmt_name(number)),
            pcr_pid=None if programme.pcr_pid == NULL_PID else programme.pcr_pid,
            pcr=(clock or ClockMeter(PCR_INTERVAL_MS_DVB)).intervals.result(),
            pcr_jumps=clock.jumps if clock else 0,
            streams=tuple(
                reports.get(stream.pid) or _pid_report(stream.pid, stream, 0) for stream in programme.streams
            ),
        )

    def _pid_report(self, pid: int, duration_s: float) -> PidReport:
        stream = next((s for p in self._programmes.values() for s in p.streams if s.pid == pid), None)
        report = _pid_report(pid, stream, self._counts[pid])
        if stream is None and pid in self._pat.values():
            report = msgspec.structs.replace(report, kind="tables", codec="PMT")
        return msgspec.structs.replace(
            report,
            bitrate_bps=_bitrate(self._counts[pid], duration_s),
            continuity_errors=self._continuity_errors[pid],
            is_scrambled=pid in self._scrambled and pid != NULL_PID,
        )


def _pmt_name(number: int) -> str:
    return f"PMT of {number}"


def _pid_report(pid: int, stream: Stream | None, packets: int) -> PidReport:
    codec = codec_of(stream) if stream else WELL_KNOWN.get(pid, Codec("unknown", "not in any table"))
    return PidReport(
        pid=pid,
        kind=codec.kind,
        codec=codec.name,
        packet_count=packets,
        bitrate_bps=0,
        continuity_errors=0,
        language=language_of(stream) if stream else "",
        stream_type=stream.stream_type if stream else None,
    )


def _bitrate(packets: int, duration_s: float) -> int:
    return round(packets * PACKET_BYTES * 8 / duration_s) if duration_s else 0
