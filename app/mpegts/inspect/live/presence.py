"""Time limits of a received stream: the maximum intervals of tables, PIDs and presentation times."""

from __future__ import annotations

from typing import Final

from app.domain.constants import PSI_INTERVAL_MS
from app.domain.figures.live_report import IndicatorState
from app.mpegts.inspect.live.indicators import Board
from app.mpegts.inspect.live.pids import PidBook
from app.mpegts.inspect.live.programmes import Programmes

PSI_S: Final = PSI_INTERVAL_MS / 1000
PID_S: Final = 5.0  # ETSI TR 101 290 V1.4.1, 1.6 leaves it to the user
PTS_S: Final = 0.7  # the same, 2.5
# 2.6 sets no time limit: the first is for the first CAT, the second for each further one.
_FIRST_CAT_S: Final = 1.0
_NEXT_CAT_S: Final = 10.0
_UNREFERENCED_S: Final = 0.5  # 3.4a
# A PID counts as removed from the stream after it was absent for this long.
_GONE_S: Final = 5.0
# Third priority. A table that never came is absent: contribution streams often do not have it.
_SI: Final = {
    "nit_actual_error": ("NIT", 10.0),
    "sdt_actual_error": ("SDT", 2.0),
    "eit_pf_error": ("EIT present/following", 2.0),
    "tdt_error": ("TDT", 30.0),
}
_WATCHED_KINDS: Final = ("video", "audio")


class Presence:
    """Judges what is missing at a moment. Intervals begin at `started` at the earliest."""

    def __init__(self, board: Board, programmes: Programmes, pids: PidBook) -> None:
        self._board = board
        self._programmes = programmes
        self._pids = pids
        self.started = 0.0
        # The last presentation time's arrival, by PID of a video or audio stream.
        self.pts_seen: dict[int, float] = {}
        self._watched_since: dict[int, float] = {}
        self._scrambled_since: float | None = None
        self._pat_since: float | None = None
        self._complete_since: float | None = None
        self._unreferenced: list[int] = []
        for name, (table, _) in _SI.items():
            board[name].state = IndicatorState.ABSENT
            board[name].note = f"this stream has no {table}"

    def restart(self, at: float) -> None:
        """Begin again after an interruption."""
        self.started = at
        self._scrambled_since = self._pat_since = self._complete_since = None
        self.pts_seen = dict.fromkeys(self.pts_seen, at)

    def follow(self, at: float) -> None:
        """Watch the streams in the present programmes."""
        roles = self._programmes.roles
        timed = {pid for pid, role in roles.items() if role.codec.kind in _WATCHED_KINDS}
        watched = timed | self._programmes.clock_pids
        self._watched_since = {pid: self._watched_since.get(pid, at) for pid in watched}
        self.pts_seen = {pid: self.pts_seen.get(pid, at) for pid in timed}
        self._board["pmt_error_2"].keep_only(self._programmes.numbers())
        self._board["pid_error"].keep_only(watched)
        self._board["pts_error"].keep_only(timed)
        self.find_unreferenced()

    def find_unreferenced(self) -> None:
        """Look again for PIDs that no table refers to, because there are new PIDs or new tables."""
        self._unreferenced = [pid for pid in self._pids.by_pid if not self._programmes.is_referenced(pid)]
        self._board["unreferenced_pid"].keep_only(set(self._unreferenced))

    def check(self, at: float, tables: dict[str | int, float]) -> None:
        """Raise errors that are due and end errors that are over; `tables` has the last time of each table."""
        scrambled = self._pids.scrambled(at)
        self._check_psi(at, tables)
        self._check_pids(at)
        self._check_times(at, scrambled)
        self._check_access(at, tables.get("cat_error"), scrambled)
        self._check_si(at, tables)
        self._check_unreferenced(at)

    def _judge(self, name: str, subject: int, at: float, text: str, *, late: bool) -> None:
        if late:
            self._board[name].begin(subject, at, text)
        else:
            self._board[name].end(subject)

    def _check_psi(self, at: float, tables: dict[str | int, float]) -> None:
        age = at - max(tables.get("pat_error_2", 0.0), self.started)
        self._judge("pat_error_2", 0, at, f"no PAT for more than {PSI_S} s", late=age > PSI_S)
        if self._programmes.pat and self._pat_since is None:
            self._pat_since = at
        for number, pid in self._programmes.pat.items():
            age = at - max(tables.get(number, 0.0), self._pat_since or at)
            text = f"no PMT of programme {number} on PID 0x{pid:X} for more than {PSI_S} s"
            self._judge("pmt_error_2", number, at, text, late=age > PSI_S)

    def _check_pids(self, at: float) -> None:
        for pid, since in self._watched_since.items():
            state = self._pids.by_pid.get(pid)
            age = at - max(state.last_seen if state else since, self.started)
            text = f"PID 0x{pid:X}{self._named(pid)} was absent for more than {PID_S:.0f} s"
            self._judge("pid_error", pid, at, text, late=age > PID_S)

    def _check_times(self, at: float, scrambled: set[int]) -> None:
        for pid, seen in self.pts_seen.items():
            state = self._pids.by_pid.get(pid)
            if state is None or at - state.last_seen > PTS_S or pid in scrambled:
                # Without packets, the PID is missing instead. Scrambled packets do not show their times.
                self.pts_seen[pid] = at
                self._board["pts_error"].end(pid)
                continue
            text = f"no PTS on PID 0x{pid:X}{self._named(pid)} for more than {PTS_S} s"
            self._judge("pts_error", pid, at, text, late=state.last_seen - seen > PTS_S)

    def _check_access(self, at: float, last: float | None, scrambled: set[int]) -> None:
        if not scrambled:
            self._scrambled_since = None
        elif self._scrambled_since is None:
            self._scrambled_since = at
        since = at if self._scrambled_since is None else self._scrambled_since
        late = at - since > _FIRST_CAT_S if last is None else bool(scrambled) and at - last > _NEXT_CAT_S
        self._judge("cat_error", 0, at, "packets are scrambled, and there is no CAT", late=late)

    def _check_si(self, at: float, tables: dict[str | int, float]) -> None:
        for name, (table, limit_s) in _SI.items():
            indicator = self._board[name]
            if name in tables:
                indicator.state, indicator.note = IndicatorState.GOOD, ""
            if indicator.state is IndicatorState.GOOD:
                age = at - max(tables.get(name, 0.0), self.started)
                self._judge(name, 0, at, f"no {table} for more than {limit_s:.0f} s", late=age > limit_s)

    def _check_unreferenced(self, at: float) -> None:
        if not self._programmes.are_complete():
            self._complete_since = None
            return
        if self._complete_since is None:
            self._complete_since = at
        for pid in self._unreferenced:
            state = self._pids.by_pid[pid]
            age = at - max(state.first_seen, self._complete_since)
            late = age > _UNREFERENCED_S and at - state.last_seen <= _GONE_S
            self._judge("unreferenced_pid", pid, at, f"no table refers to PID 0x{pid:X}", late=late)

    def _named(self, pid: int) -> str:
        role = self._programmes.roles.get(pid)
        return f" ({role.codec.name})" if role else ""
