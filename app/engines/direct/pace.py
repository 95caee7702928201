"""When messages go out: what is due by now, late ones no faster than a fifth above their rate, and the time they carry.

Pure: times are microseconds of one steady clock.
"""

from __future__ import annotations

from typing import Final

# Delays of some milliseconds are normal; only longer ones are caught up slowly.
_SLACK_US: Final = 15_000
_CATCH_UP: Final = 1.2
_LONGEST_TURN_US: Final = 40_000


class Pace:
    """The timetable of one source: `time_of` a message, and up to which time messages `may_go`.

    After a pause longer than `lag_max_us`, packets would reach their receivers too late to be played; the timetable is
    then moved on by the pause. A live source is brought back to its own time, a file stays behind.
    """

    def __init__(self, *, lag_max_us: int, is_live: bool) -> None:
        self.paused_us = 0.0  # the latest pause that moved the timetable; its owner sets it to 0
        self._lag_max_us = lag_max_us
        self._is_live = is_live
        self._shift_us = 0.0
        self._due_before_us: float | None = None
        self._turn_at_us: float | None = None
        self._until_us = 0.0

    def may_go(self, next_due_us: float, now_us: float, ahead_us: float) -> float:
        """Return the time up to which messages go out in this turn; `next_due_us` is the first one's."""
        turn_us = 0.0 if self._turn_at_us is None else min(now_us - self._turn_at_us, _LONGEST_TURN_US)
        self._turn_at_us = now_us
        lag_us = now_us - next_due_us - self._shift_us
        if lag_us > self._lag_max_us:
            self._shift_us += lag_us
            self.paused_us = lag_us
            lag_us = 0.0
        if lag_us <= _SLACK_US:
            self._until_us = now_us + ahead_us
        else:
            self._until_us = max(self._until_us, next_due_us + self._shift_us) + turn_us * _CATCH_UP
        return min(self._until_us, now_us + ahead_us)

    def time_of(self, due_us: float) -> float:
        """Return the time that a message is due by this timetable. Call it again for each turn."""
        return due_us + self._shift_us

    def passed(self, due_us: float) -> None:
        """Note a message that went out."""
        if self._is_live and self._shift_us > 0 and self._due_before_us is not None:
            # A fifth faster than the source: each message comes 1 / 1.2 of its distance after the one before.
            gained_us = max(0.0, due_us - self._due_before_us) * (1 - 1 / _CATCH_UP)
            self._shift_us = max(0.0, self._shift_us - gained_us)
        self._due_before_us = due_us
