"""Decides when messages are sent. Late messages are sent at most a fifth faster than the source.

Pure: times are microseconds of one steady clock.
"""

from __future__ import annotations

from typing import Final

# Delays of some milliseconds are normal. Only longer ones are caught up slowly.
_SLACK_US: Final = 15_000
_CATCH_UP: Final = 1.2
# A late turn makes up for at most two turns at once, or for this long if that is more.
_LONGEST_TURN_US: Final = 40_000


class Pace:
    """The timetable of one source: `time_of` gives a message's time, `may_go` up to which time messages are sent.

    After a pause longer than `lag_max_us`, packets would arrive too late to be played, so the timetable is delayed by
    the pause. A live source is brought back to its own time; a file stays delayed.
    """

    def __init__(self, *, turn_us: int, lag_max_us: int, is_live: bool) -> None:
        """`turn_us` is the time between two turns when none is late."""
        self.paused_us = 0.0  # the latest pause that delayed the timetable; the owner resets it to 0
        self._longest_turn_us = max(_LONGEST_TURN_US, 2 * turn_us)
        self._lag_max_us = lag_max_us
        self._is_live = is_live
        self._shift_us = 0.0
        self._due_before_us: float | None = None
        self._turn_at_us: float | None = None
        self._until_us = 0.0

    def may_go(self, next_due_us: float, now_us: float, ahead_us: float) -> float:
        """Return up to which time messages may be sent in this turn; `next_due_us` is the first one's time."""
        turn_us = 0.0 if self._turn_at_us is None else min(now_us - self._turn_at_us, self._longest_turn_us)
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
        """Return the time at which a message is due. Call it again for each turn."""
        return due_us + self._shift_us

    def passed(self, due_us: float) -> None:
        """Note that a message was sent."""
        if self._is_live and self._shift_us > 0 and self._due_before_us is not None:
            # A fifth faster than the source: a message follows after 1 / 1.2 of its distance to the one before.
            gained_us = max(0.0, due_us - self._due_before_us) * (1 - 1 / _CATCH_UP)
            self._shift_us = max(0.0, self._shift_us - gained_us)
        self._due_before_us = due_us
