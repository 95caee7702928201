"""The error-seconds of a run, from a receive stream's counts, which begin again with its reset and with each worker."""

from __future__ import annotations

from app.domain.lineup.measured import IndicatorSeconds

Indicators = tuple[IndicatorSeconds, ...]


def follow(
    baseline: Indicators, had: Indicators | None, now: Indicators | None, *, longest_s: int
) -> tuple[Indicators, Indicators | None]:
    """Return the baseline for the next reading, and the error-seconds of the run so far.

    `had` is the result of the reading before. A count below it began again, so what it had is kept and the new count is
    added. Without a reading (`now` is None: the stream is between two workers), everything stays. A run of `longest_s`
    seconds has at most as many error-seconds.
    """
    if now is None:
        return baseline, had
    starts = {each.name: each.error_seconds for each in baseline}
    known = {each.name: each.error_seconds for each in had or ()}
    next_baseline, counted = [], []
    for each in now:
        start, had_s = starts.get(each.name, 0), known.get(each.name, 0)
        if each.error_seconds < start + had_s:
            start = -had_s
        next_baseline.append(IndicatorSeconds(each.name, each.priority, start))
        counted.append(IndicatorSeconds(each.name, each.priority, min(longest_s, each.error_seconds - start)))
    return tuple(next_baseline), tuple(counted)
