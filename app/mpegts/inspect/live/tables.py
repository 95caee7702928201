"""The tables of a received stream: their times of arrival, their contents, and sections with errors.

A section that was seen before is recognised by its bytes and not parsed again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from app.domain.constants import SDT_PID
from app.domain.figures.live_report import Cue
from app.mpegts.inspect.live.indicators import Board
from app.mpegts.inspect.live.programmes import Programmes
from app.mpegts.packets import Block, is_scrambled
from app.mpegts.sections import SectionAssembler, crc32_mpeg
from app.mpegts.tables import CAT_TABLE, PAT_PID, PAT_TABLE, PMT_TABLE, SDT_TABLE, TDT_PID

CAT_PID: Final = 0x0001
NIT_PID: Final = 0x0010
EIT_PID: Final = 0x0012
_NIT_TABLE: Final = 0x40
_EIT_PF_TABLE: Final = 0x4E
_TDT_TABLE: Final = 0x70
_TOT_TABLE: Final = 0x73
_SPLICE_TABLE: Final = 0xFC
_STUFFING_TABLE: Final = 0x72
FIXED_PIDS: Final = (PAT_PID, CAT_PID, NIT_PID, SDT_PID, EIT_PID, TDT_PID)
# Tables with a limit on their interval, by PID and table.
_PRESENCE: Final = {
    (NIT_PID, _NIT_TABLE): "nit_actual_error",
    (SDT_PID, SDT_TABLE): "sdt_actual_error",
    (EIT_PID, _EIT_PF_TABLE): "eit_pf_error",
    (TDT_PID, _TDT_TABLE): "tdt_error",
}
_TABLE_NAMES: Final = {
    PAT_TABLE: "PAT",
    CAT_TABLE: "CAT",
    PMT_TABLE: "PMT",
    0x40: "NIT",
    0x41: "NIT",
    SDT_TABLE: "SDT",
    0x46: "SDT",
    0x4A: "BAT",
    _TOT_TABLE: "TOT",
    _SPLICE_TABLE: "SCTE-35",
}
# Limits on the sections that are kept for recognition: a quarter of a megabyte at most.
_KNOWN_MAX: Final = 256
_KNOWN_BYTES_MAX: Final = 1024
# How many new versions of tables may be parsed at once, and how many more each second.
_CHANGES_MAX: Final = 512
_CHANGES_A_SECOND: Final = 32


class TableReader:
    """Reads the packets of table PIDs. `seen` has the time at which each table came last."""

    def __init__(self, board: Board, programmes: Programmes) -> None:
        self._board = board
        self._programmes = programmes
        self._assemblers: dict[int, SectionAssembler] = {}
        # By PID and section: the key under which its arrival is noted, None for a section that is not noted.
        self._known: dict[tuple[int, bytes], str | int | None] = {}
        # The last time of each table: PMTs by programme number, others by the name of their indicator.
        self.seen: dict[str | int, float] = {}
        self._changes_left = _CHANGES_MAX
        self.cues_total = 0
        self.last_cue: Cue | None = None

    def forget(self) -> None:
        """Drop unfinished sections and the times of tables, because the stream was interrupted."""
        self._assemblers.clear()
        self.seen.clear()

    def end_seconds(self, seconds: int) -> None:
        """Allow more new versions of tables."""
        self._changes_left = min(self._changes_left + seconds * _CHANGES_A_SECOND, _CHANGES_MAX)

    def take(self, block: Block, at: int, pid: int, time: float) -> None:
        """Read the packet at byte `at` of a block."""
        if is_scrambled(block, at):
            self._take_scrambled(pid, time)
            return
        assembler = self._assemblers.get(pid)
        if assembler is None:
            assembler = self._assemblers[pid] = SectionAssembler()
        for section in assembler.feed(block, at):
            key = self._known.get((pid, section), "")
            if key == "":
                key = self._read(pid, section, time)
            if key is not None:
                self.seen[key] = time
        if assembler.too_long:
            assembler.too_long = 0
            self._board["crc_error"].hit(time, f"a section on PID 0x{pid:X} is longer than 4096 bytes")

    def keep_only(self, pids: Iterable[int]) -> None:
        """Drop unfinished sections of PIDs that no longer carry tables."""
        wanted = set(pids)
        for pid in [pid for pid in self._assemblers if pid not in wanted]:
            del self._assemblers[pid]

    def _take_scrambled(self, pid: int, time: float) -> None:
        if pid == PAT_PID:
            self._board["pat_error_2"].hit(time, "the PAT is scrambled")
        elif pid in self._programmes.map_pids:
            self._board["pmt_error_2"].hit(time, f"PID 0x{pid:X} of a PMT is scrambled")

    def _read(self, pid: int, section: bytes, time: float) -> str | int | None:
        """Parse a section that is not known yet, and return the key under which its arrival is noted."""
        table = section[0]
        if not self._is_whole(pid, table, section, time):
            return None
        key: str | int | None = _PRESENCE.get((pid, table))
        if table == _SPLICE_TABLE and pid in self._programmes.splice_pids:
            self.cues_total += 1
            self.last_cue = Cue(pid, time, section.hex())
            return None  # each repetition of a cue counts
        if self._changes_left <= 0 and pid != EIT_PID:
            # Tables that change this fast are not followed, only noted.
            return self._noted_as(pid, table, section) if key is None else key
        self._changes_left -= pid != EIT_PID
        if pid == PAT_PID:
            key = self._read_pat(table, section, time)
        elif pid == CAT_PID:
            key = self._read_cat(table, section, time)
        elif pid == SDT_PID and table == SDT_TABLE:
            self._programmes.take_sdt(section)
        elif pid in self._programmes.map_pids and table == PMT_TABLE:
            return self._remember(pid, section, self._programmes.take_pmt(pid, section))
        return self._remember(pid, section, key)

    def _is_whole(self, pid: int, table: int, section: bytes, time: float) -> bool:
        """Check the CRC of a section of SCTE-35 or of the tables that TR 101 290 names. Count a wrong CRC."""
        name = "EIT" if pid == EIT_PID and table != _STUFFING_TABLE else _TABLE_NAMES.get(table)
        if name is None or (len(section) >= 7 and not crc32_mpeg(section)):
            return True
        self._board["crc_error"].hit(time, f"wrong CRC in a section of the {name} on PID 0x{pid:X}")
        return False

    def _read_pat(self, table: int, section: bytes, time: float) -> str | None:
        if table != PAT_TABLE:
            self._board["pat_error_2"].hit(time, f"a section on PID 0 has table_id 0x{table:02X} instead of 0x00")
            return None
        if self._programmes.take_pat(section):
            live = self._programmes.numbers()
            for key in [key for key in self.seen if isinstance(key, int) and key not in live]:
                del self.seen[key]
            # A map may be new under an old number, so all maps are read again.
            self._known.clear()
        return "pat_error_2"

    def _read_cat(self, table: int, section: bytes, time: float) -> str | None:
        if table != CAT_TABLE:
            self._board["cat_error"].hit(time, f"a section on PID 1 has table_id 0x{table:02X} instead of 0x01")
            return None
        self._programmes.take_cat(section)
        return "cat_error"

    def _remember(self, pid: int, section: bytes, key: str | int | None) -> str | int | None:
        if len(section) <= _KNOWN_BYTES_MAX:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[pid, section] = key
        return key

    def _noted_as(self, pid: int, table: int, section: bytes) -> str | int | None:
        """Return the key of a PSI section that is not parsed."""
        if (pid, table) == (PAT_PID, PAT_TABLE):
            return "pat_error_2"
        if (pid, table) == (CAT_PID, CAT_TABLE):
            return "cat_error"
        number = int.from_bytes(section[3:5], "big")
        return number if table == PMT_TABLE and self._programmes.pat.get(number) == pid else None
