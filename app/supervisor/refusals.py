"""Refused callers, counted by address and reason. The list is bounded, because anyone may call."""

from __future__ import annotations

from typing import Final

from app.domain.events import Refusal
from app.domain.status import Reason

REFUSALS_KEPT: Final = 50


class Refusals:
    """The refusals of one stream. When the table is full, the oldest entry is dropped."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Reason | None], Refusal] = {}

    def count(self, host: str, reason: Reason | None, now: float) -> None:
        """Count one more refusal of this host for this reason."""
        earlier = self._kept.pop((host, reason), None)
        self._kept[host, reason] = Refusal(
            address=host,
            reason=reason,
            count=earlier.count + 1 if earlier else 1,
            first_at=earlier.first_at if earlier else now,
            last_at=now,
        )
        if len(self._kept) > REFUSALS_KEPT:
            del self._kept[next(iter(self._kept))]

    def newest_first(self) -> tuple[Refusal, ...]:
        """Return all refusals."""
        return tuple(reversed(self._kept.values()))
