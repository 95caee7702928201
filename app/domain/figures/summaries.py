"""A stream's longer history: each figure of some seconds as its minimum, mean and maximum."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from app.domain.figures.history import Second

SUMMARY_S: Final = 10
_READ: Final[dict[str, Callable[[Second], float | None]]] = {
    "peers": lambda second: second.peers,
    "payload_mbps": lambda second: second.rates.payload_mbps,
    "wire_mbps": lambda second: second.rates.wire_mbps,
    "input_mbps": lambda second: second.rates.input_mbps,
    "retransmitted_percent": lambda second: second.rates.retransmitted_percent,
    "rtt_ms": lambda second: second.rtt_ms,
    "send_buffer_ms": lambda second: second.send_buffer_ms,
    "lost_at_receiver": lambda second: second.lost_at_receiver,
}
FIGURES: Final = tuple(_READ)
_LAYOUT: Final = struct.Struct(f"<H{3 * len(FIGURES)}f")


class Spread(msgspec.Struct, frozen=True):
    """The minimum, mean and maximum of a figure over some seconds."""

    min: float
    mean: float
    max: float


class Summary(msgspec.Struct, frozen=True):
    """Some seconds of a stream's history. `at` is their end, Unix time; `count` is the number of seconds with figures.

    `figures` has a Spread for each name of FIGURES, None if nothing was known.
    """

    at: int
    count: int
    figures: dict[str, Spread | None]


def summarise(at: int, seconds: Sequence[Second]) -> Summary:
    """Summarise the seconds that end at `at`."""
    figures = {}
    for name, read in _READ.items():
        values = [value for second in seconds if (value := read(second)) is not None]
        figures[name] = Spread(min(values), math.fsum(values) / len(values), max(values)) if values else None
    return Summary(at, len(seconds), figures)


def summaries(seconds: Sequence[Second], after: int, until: float) -> list[Summary]:
    """Return the summaries of all complete tens of seconds that begin at or after `after` and end by `until`."""
    windows: dict[int, list[Second]] = {}
    for second in seconds:
        windows.setdefault(math.ceil(second.at / SUMMARY_S) * SUMMARY_S, []).append(second)
    return [summarise(end, windows[end]) for end in sorted(windows) if end > after and end <= until]


def coarser(kept: Sequence[Summary], step_s: int) -> list[Summary]:
    """Return the same summaries in steps of `step_s` seconds, oldest first."""
    windows: dict[int, list[Summary]] = {}
    for summary in kept:
        windows.setdefault(math.ceil(summary.at / step_s) * step_s, []).append(summary)
    return [_joined(end, windows[end]) for end in sorted(windows)]


def _joined(at: int, parts: Sequence[Summary]) -> Summary:
    figures: dict[str, Spread | None] = {}
    for name in FIGURES:
        known = [(spread, part.count) for part in parts if (spread := part.figures[name]) is not None]
        if not known:
            figures[name] = None
            continue
        mean = math.fsum(spread.mean * count for spread, count in known) / sum(count for _, count in known)
        figures[name] = Spread(min(s.min for s, _ in known), mean, max(s.max for s, _ in known))
    return Summary(at, sum(part.count for part in parts), figures)


def pack(summary: Summary) -> bytes:
    """Encode the summary without its time in 98 bytes, with seven digits per figure."""
    values = [summary.figures[name] for name in FIGURES]
    numbers = [n for s in values for n in ((s.min, s.mean, s.max) if s is not None else (math.nan,) * 3)]
    return _LAYOUT.pack(min(summary.count, 65535), *numbers)


def seconds_in(packed: bytes) -> int:
    """Return the number of seconds in a packed summary; 0 where another version packed it differently."""
    return _LAYOUT.unpack(packed)[0] if len(packed) == _LAYOUT.size else 0


def unpack(at: int, packed: bytes) -> Summary | None:
    """Decode a packed summary, None if another version packed it differently."""
    if len(packed) != _LAYOUT.size:
        return None
    count, *numbers = _LAYOUT.unpack(packed)
    spreads = [Spread(*numbers[i : i + 3]) for i in range(0, len(numbers), 3)]
    known = [None if math.isnan(spread.mean) else spread for spread in spreads]
    return Summary(at, count, dict(zip(FIGURES, known, strict=True)))
