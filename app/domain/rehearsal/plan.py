"""The order of a rehearsal: the stream, the impairment, the latencies and the duration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from app.domain.constants import LATENCY_MS_HIGHEST, LATENCY_MS_LOWEST
from app.domain.errors import InvalidInput
from app.domain.impairment.model import DirectionImpairment, Impairment
from app.domain.spec import parse_impairment
from app.domain.wrong_values import invalid_input

MULTIPLIERS: Final = (1, 2, 3, 4, 6)  # multiples of the RTT: the rows of the Haivision table, and one below them
LATENCIES_MAX: Final = 8
DURATION_S: Final = (10, 3600)
RTT_MS: Final = (0, 2000)
GAP_MS: Final = (1, 60_000)


class RehearsalPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rehearsal. `stream` is the key of the send stream that is copied, with its source and settings.

    By default, `latencies_ms` are multiples of `rtt_ms`, and `rtt_ms` is the mean RTT of the impairment. An output gap
    longer than `output_gap_max_ms` is a failure.
    """

    stream: str
    impairment: Impairment
    latencies_ms: tuple[int, ...] = ()
    rtt_ms: float | None = None
    duration_s: int = 180
    output_gap_max_ms: int = 40


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plan without its impairment, which has a parser with better errors."""

    stream: str
    latencies_ms: tuple[int, ...] = ()
    rtt_ms: float | None = None
    duration_s: int = 180
    output_gap_max_ms: int = 40


def parse_rehearsal(document: object) -> RehearsalPlan:
    """Make a plan from a decoded JSON object, latencies included.

    Raises InvalidInput, which names every wrong field.
    """
    if not isinstance(document, dict):
        raise InvalidInput.of({"rehearsal": "expected an object"})
    rest: dict[str, Any] = {name: value for name, value in document.items() if name != "impairment"}
    try:
        asked = msgspec.convert(rest, _Asked)
    except msgspec.ValidationError as error:
        raise invalid_input(error, "rehearsal") from None
    problems = dict(_problems(asked))
    try:
        impairment = parse_impairment(document.get("impairment", {}))
    except InvalidInput as error:
        raise InvalidInput.of(problems | error.fields) from None
    if problems:
        raise InvalidInput.of(problems)
    rtt_ms = mean_rtt_ms(impairment) if asked.rtt_ms is None else asked.rtt_ms
    latencies_ms = tuple(sorted(set(asked.latencies_ms))) or latencies_for(rtt_ms)
    return RehearsalPlan(
        stream=asked.stream,
        impairment=impairment,
        latencies_ms=latencies_ms,
        rtt_ms=round(rtt_ms, 1),
        duration_s=asked.duration_s,
        output_gap_max_ms=asked.output_gap_max_ms,
    )


def mean_rtt_ms(impairment: Impairment) -> float:
    """Return the mean RTT of an impairment: the delays, and half of the jitter of each direction."""
    ways = (impairment.to_target, impairment.to_caller)
    return sum(_mean_delay_ms(way) for way in ways if way is not None)


def latencies_for(rtt_ms: float) -> tuple[int, ...]:
    """Return the latencies to try at an RTT, within the range that a stream may have."""
    base_ms = max(rtt_ms, LATENCY_MS_LOWEST)
    return tuple(sorted({min(LATENCY_MS_HIGHEST, round(factor * base_ms)) for factor in MULTIPLIERS}))


def _mean_delay_ms(way: DirectionImpairment) -> float:
    return way.delay_ms + way.jitter_ms / 2


def _problems(asked: _Asked) -> Iterator[tuple[str, str]]:
    yield from _outside("duration_s", asked.duration_s, DURATION_S, "s")
    yield from _outside("output_gap_max_ms", asked.output_gap_max_ms, GAP_MS, "ms")
    if asked.rtt_ms is not None:
        yield from _outside("rtt_ms", asked.rtt_ms, RTT_MS, "ms")
    if len(asked.latencies_ms) > LATENCIES_MAX:
        yield "latencies_ms", f"{len(asked.latencies_ms)} latencies; list {LATENCIES_MAX} at most"
    for latency_ms in asked.latencies_ms[:LATENCIES_MAX]:
        yield from _outside("latencies_ms", latency_ms, (LATENCY_MS_LOWEST, LATENCY_MS_HIGHEST), "ms")


def _outside(name: str, value: float, bounds: tuple[int, int], unit: str) -> Iterator[tuple[str, str]]:
    low, high = bounds
    if not low <= value <= high:
        yield name, f"{value:g} is outside {low} to {high} {unit}; enter a figure within this range"
