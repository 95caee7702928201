"""The lines of a report, each a figure with its limit."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.lineup.limits import describe, unit_of
from app.domain.lineup.measured import CheckVerdict
from app.domain.lineup.plan import NotOurs, Plan

_WHY_NOT: Final = {
    True: "Not measured: the receiver is not this product.",
    False: "Not measured: the receive stream did not report it.",
}


class Line(msgspec.Struct, frozen=True):
    """A figure with its limit. `margin` is the distance to the limit in the figure's unit. None: not measured."""

    name: str
    title: str
    got: float | None
    limit: float | None
    margin: float | None
    unit: str
    verdict: CheckVerdict
    worst_at: float | None = None
    note: str = ""


def at_most(name: str, plan: Plan, got: float | None, worst_at: float | None = None, note: str = "") -> Line:
    """Return a line that fails above its limit. Without a limit it is information; `note` says why there is none."""
    title, unit, limit = _described(plan, name)
    if got is None:
        why = note or _WHY_NOT[isinstance(plan.receiver, NotOurs)]
        return Line(name, title, None, limit, None, unit, CheckVerdict.UNKNOWN, note=why)
    verdict = CheckVerdict.PASS if limit is None or got <= limit else CheckVerdict.FAIL
    margin = None if limit is None else round(limit - got, 3)
    return Line(name, title, float(got), limit, margin, unit, verdict, worst_at, note)


def at_least(name: str, plan: Plan, got: float | None, worst_at: float | None = None) -> Line:
    """Return a line that is a remark below its limit."""
    title, unit, limit = _described(plan, name)
    if got is None or limit is None:
        return Line(name, title, None, limit, None, unit, CheckVerdict.UNKNOWN, note="Not measured.")
    verdict = CheckVerdict.PASS if got >= limit else CheckVerdict.REMARK
    return Line(name, title, float(got), limit, got - limit, unit, verdict, worst_at)


def _described(plan: Plan, name: str) -> tuple[str, str, float | None]:
    meta, limit = describe(name), getattr(plan.limits, name)
    return meta.title or name, unit_of(meta), None if limit is None else float(limit)
