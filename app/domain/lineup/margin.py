"""The margin test: the stream's source through twice the measured impairment, at several latencies. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.constants import LATENCY_MS_HIGHEST, LATENCY_MS_LOWEST
from app.domain.rehearsal.tally import LatencyVerdict

TIMES: Final = 2
# Multiples of the line's latency: lower ones show the reserve, higher ones what would be needed.
_FACTORS: Final = (0.5, 1.0, 1.5, 2.0)
_WORDS: Final = {LatencyVerdict.HELD: "held", LatencyVerdict.FAILED: "failed", LatencyVerdict.UNCLEAR: "unclear"}


class TriedLatency(msgspec.Struct, frozen=True):
    """One latency of the margin test, its verdict, and why it did not hold."""

    latency_ms: int
    verdict: LatencyVerdict
    reasons: tuple[str, ...] = ()


class Margin(msgspec.Struct, frozen=True):
    """The margin test of a run: the line's latency, the `tried` latencies, and the ID of the rehearsal that tried them.

    `link` describes the impairment. `ends_at` is Unix time, None before it measures. `problem` says why nothing was
    measured.
    """

    latency_ms: int = 0
    link: str = ""
    rehearsal: str = ""
    ends_at: float | None = None
    tried: tuple[TriedLatency, ...] = ()
    problem: str = ""

    def is_over(self) -> bool:
        """Whether the test has a result, or a reason why there is none."""
        return bool(self.tried or self.problem)

    def lowest_held(self) -> int | None:
        """The lowest latency that held while no higher one failed; None if there is none."""
        lowest = None
        for each in sorted(self.tried, key=lambda each: -each.latency_ms):
            if each.verdict is LatencyVerdict.FAILED:
                break
            if each.verdict is LatencyVerdict.HELD:
                lowest = each.latency_ms
        return lowest

    def holds(self) -> bool | None:
        """Whether the line's latency held; None when that cannot be judged."""
        lowest = self.lowest_held()
        if lowest is not None and lowest <= self.latency_ms:
            return True
        enough = [each.verdict for each in self.tried if each.latency_ms >= self.latency_ms]
        return False if LatencyVerdict.FAILED in enough else None

    def words(self) -> str:
        """Return the result as sentences. The record and the page of the rehearsal say why each latency failed."""
        if not self.tried:
            return self.problem
        each = ", ".join(f"{tried.latency_ms} ms {_WORDS[tried.verdict]}" for tried in self.tried)
        return f"{self._result()} {self.link}. Tried: {each}. Rehearsal {self.rehearsal}."

    def _result(self) -> str:
        lowest = self.lowest_held()
        match self.holds():
            case True:
                return f"Holds at the latency of the line, {self.latency_ms} ms."
            case None:
                return "This host was too busy to judge the latency of the line."
            case False if lowest is None:
                return (
                    f"Does not hold at {self.latency_ms} ms, the latency of the line, nor at any other latency tried."
                )
            case False:
                return f"Does not hold at the latency of the line, {self.latency_ms} ms."


def margin_latencies(line_ms: int) -> tuple[int, ...]:
    """Return the latencies to try, lowest first, within the range that a stream may have."""
    asked = (round(factor * line_ms) for factor in _FACTORS)
    return tuple(sorted({min(LATENCY_MS_HIGHEST, max(LATENCY_MS_LOWEST, latency_ms)) for latency_ms in asked}))
