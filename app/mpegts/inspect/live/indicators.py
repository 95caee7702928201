"""The indicators of TR 101 290 as counters: errors, their number, the last one, and seconds in error."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from app.domain.figures.live_report import IndicatorReport, IndicatorState

# Name and priority, in the order of the document (ETSI TR 101 290 V1.4.1, tables 5.0a to 5.0c).
NAMES: Final = {
    "ts_sync_loss": 1,
    "sync_byte_error": 1,
    "pat_error_2": 1,
    "continuity_count_error": 1,
    "pmt_error_2": 1,
    "pid_error": 1,
    "transport_error": 2,
    "crc_error": 2,
    "pcr_repetition_error": 2,
    "pcr_discontinuity_indicator_error": 2,
    "pcr_accuracy_error": 2,
    "pts_error": 2,
    "cat_error": 2,
    "nit_actual_error": 3,
    "sdt_actual_error": 3,
    "eit_pf_error": 3,
    "tdt_error": 3,
    "unreferenced_pid": 3,
}
# An indicator stays red for this long after its last error, so that an operator can see it.
_SHOWN_S: Final = 5.0
_SUBJECTS_MAX: Final = 1024


class Indicator:
    """One indicator. An error is momentary (`hit`), or lasts from `begin` to `end` for a subject such as a PID."""

    __slots__ = ("_active", "_hit", "count", "error_seconds", "last_at", "last_detail", "name", "note", "state")

    def __init__(self, name: str) -> None:
        self.name = name
        self._active: set[int] = set()
        # Replaces GOOD while there was no error: ABSENT or UNMEASURED, with the reason in `note`.
        self.state = IndicatorState.GOOD
        self.note = ""
        self.reset()

    def reset(self) -> None:
        """Count from 0. Present errors continue."""
        self.count = self.error_seconds = 0
        self.last_at: float | None = None
        self.last_detail = ""
        self._hit = False

    def hit(self, at: float, detail: str, *, times: int = 1) -> None:
        """Count a momentary error, or several of the same kind."""
        self.count += times
        self.last_at, self.last_detail = at, detail
        self._hit = True

    def begin(self, subject: int, at: float, detail: str) -> None:
        """Count an error that lasts; the same subject counts once until its end."""
        if subject not in self._active and len(self._active) < _SUBJECTS_MAX:
            self._active.add(subject)
            self.hit(at, detail)

    def end(self, subject: int) -> bool:
        """End the error of a subject. Return whether it had one."""
        if subject not in self._active:
            return False
        self._active.discard(subject)
        return True

    def keep_only(self, subjects: Collection[int]) -> None:
        """End the errors of all other subjects."""
        self._active.intersection_update(subjects)

    def suspend(self) -> None:
        """End the errors of all subjects, because nothing can be judged now."""
        self._active.clear()

    def tick(self, at: float, seconds: int = 1) -> bool:
        """End a second, or several in which nothing came. Return whether it was in error."""
        wrong = self._hit or bool(self._active)
        if wrong:
            self.error_seconds += seconds if self._active else 1
        if self._active:
            self.last_at = at
        self._hit = False
        return wrong

    def report(self, now: float) -> IndicatorReport:
        """Return the present state of the indicator."""
        return IndicatorReport(
            name=self.name,
            priority=NAMES[self.name],
            state=self._state(now),
            count=self.count,
            last_at=self.last_at,
            last_detail=self.last_detail,
            error_seconds=self.error_seconds,
            note=self.note,
        )

    def _state(self, now: float) -> IndicatorState:
        if self._active or (self.last_at is not None and now - self.last_at < _SHOWN_S):
            return IndicatorState.FAULT
        return IndicatorState.PAST if self.count else self.state


class Board:
    """All indicators by name, and the seconds in which any of the first two priorities was in error."""

    def __init__(self) -> None:
        self.by_name = {name: Indicator(name) for name in NAMES}
        self._graded = [indicator for name, indicator in self.by_name.items() if NAMES[name] < 3]
        self._rest = [indicator for name, indicator in self.by_name.items() if NAMES[name] == 3]
        self.error_seconds = 0

    def __getitem__(self, name: str) -> Indicator:
        return self.by_name[name]

    def tick(self, at: float, seconds: int = 1) -> None:
        """End a second of the stream."""
        wrong = [indicator.tick(at, seconds) for indicator in self._graded]
        self.error_seconds += any(wrong)
        for indicator in self._rest:
            indicator.tick(at, seconds)

    def suspend(self, *, but: str | None) -> None:
        """End all lasting errors but those of one indicator, because nothing else can be judged now."""
        for name, indicator in self.by_name.items():
            if name != but:
                indicator.suspend()

    def reset(self) -> None:
        """Count from 0."""
        self.error_seconds = 0
        for indicator in self.by_name.values():
            indicator.reset()

    def report(self, now: float) -> tuple[IndicatorReport, ...]:
        """Return all indicators in the order of the document."""
        return tuple(indicator.report(now) for indicator in self.by_name.values())
