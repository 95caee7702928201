"""A stream's longer history: any part of the last 72 hours, as JSON or CSV."""

from __future__ import annotations

import math
import time
from typing import Final

from flask import Response, request

from app.domain.errors import InvalidInput
from app.domain.figures.summaries import FIGURES, SUMMARY_S, Spread, Summary, coarser
from app.store.history_file import KEPT_S
from app.web.api.sheets import csv_response
from app.web.errors import json_response
from app.web.presenters.history_views import HistoryView, SpreadView, SummaryView
from app.web.presenters.stream import iso
from app.web.requests import read_number
from app.web.services import services

_SHOWN_MAX: Final = 2000
_DIGITS: Final = 6
LATEST: Final = 10**11 - 1


def show_summaries(key: str) -> Response:
    """Return the summaries between `from` and `to`, in steps of ten seconds or a multiple that limits their number."""
    start, end = read_range()
    step_s = SUMMARY_S * max(1, math.ceil((end - start) / SUMMARY_S / _SHOWN_MAX))
    found = [_present(one) for one in coarser(services().manager.summaries(key, start, end), step_s)]
    if request.args.get("format") != "csv":
        return json_response(HistoryView(step_s=step_s, summaries=found))
    parts = SpreadView.__struct_fields__
    columns = [f"{name}_{part}" for name in FIGURES for part in parts]
    return csv_response(key, ["time_utc", "at", "seconds", *columns], [_row(one) for one in found])


def read_range() -> tuple[int, int]:
    """Read `from` and `to` of the query, within the last 72 hours. Raises InvalidInput if they are not a range."""
    now = int(time.time())
    start = max(read_number("from", default=0, low=0, high=LATEST), now - KEPT_S)
    end = read_number("to", default=now, low=0, high=LATEST)
    if end <= start:
        raise InvalidInput.of({"to": "send a time after `from`, within the last 72 hours"})
    return start, end


def _row(one: SummaryView) -> list[object]:
    spreads = [one.figures[name] for name in FIGURES]
    values = [getattr(spread, part, None) for spread in spreads for part in SpreadView.__struct_fields__]
    return [iso(one.at), one.at, one.seconds, *values]


def _present(summary: Summary) -> SummaryView:
    figures = {name: _spread(summary.figures[name]) for name in FIGURES}
    return SummaryView(at=summary.at, seconds=summary.count, figures=figures)


def _spread(spread: Spread | None) -> SpreadView | None:
    if spread is None:
        return None
    return SpreadView(min=_rounded(spread.min), mean=_rounded(spread.mean), max=_rounded(spread.max))


def _rounded(value: float) -> float:
    """Round to the number of digits that are stored."""
    return float(f"{value:.{_DIGITS}g}")
