"""Counts a condition once it has lasted for 10 s: a black picture, a frozen picture, silence."""

from __future__ import annotations

import msgspec

from app.domain.events import NoticeCode
from app.domain.figures.watching import SpellReport
from app.protocol import Notice, Notify

THRESHOLD_S = 10.0


class Spell:
    """Counts the spells of one condition and reports each as an event. Times are Unix seconds."""

    def __init__(self, code: NoticeCode, words: str, over: str, notify: Notify) -> None:
        """`words` describe the condition, `over` says that it has ended."""
        self._code = code
        self._words = words
        self._over = over
        self._notify = notify
        self._report = SpellReport()
        self._counted_from = 0.0

    def begin(self, at: float, *, lasted_s: float) -> None:
        """Note that the condition has lasted for `lasted_s` at `at`."""
        if self._report.since is not None:
            return
        since = at - lasted_s
        self._counted_from = since
        self._report = msgspec.structs.replace(self._report, since=since, spells=self._report.spells + 1)
        self._notify(Notice(at, self._code, f"{self._words} for {lasted_s:.0f} s"))

    def end(self, at: float) -> None:
        """Note that the condition has ended, or can no longer be detected."""
        report = self._report
        if report.since is None:
            return
        seconds = report.seconds + max(0.0, at - self._counted_from)
        self._report = msgspec.structs.replace(report, since=None, seconds=seconds, last_at=at)
        self._notify(Notice(at, self._code, f"{self._over} after {at - report.since:.0f} s"))
        self._notify(Notice(at, self._code, ""))  # ends the notice; the event log keeps both events

    def reset(self, at: float) -> None:
        """Count from zero; a present spell counts from now."""
        is_on = self._report.since is not None
        self._counted_from = at
        self._report = SpellReport(since=self._report.since, spells=int(is_on))

    def report(self) -> SpellReport:
        """Return the spells counted since the reset."""
        return self._report
