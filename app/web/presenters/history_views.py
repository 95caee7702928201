"""The JSON form of a stream's longer history."""

from __future__ import annotations

from typing import Annotated

from app.web.presenters.counter_views import View, described


class SpreadView(View, frozen=True):
    """A figure over some seconds."""

    min: float
    mean: float
    max: float


class SummaryView(View, frozen=True):
    """Some seconds of a stream's history, by figure as in SecondView; a figure that was never known is null."""

    at: Annotated[int, described("The end of the interval, Unix time")]
    seconds: Annotated[int, described("Seconds of which there are figures")]
    figures: dict[str, SpreadView | None]


class HistoryView(View, frozen=True):
    """A part of the last 72 hours."""

    step_s: Annotated[int, described("Length of an interval in seconds")]
    summaries: list[SummaryView]
