"""The measurements of one latency, and whether it held."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from app.domain.figures.merging import later
from app.domain.figures.relay import LATE_SHARE_MAX

# Seconds that may be missing at the edges of the measurement: both ends report once a second, not at the same time.
_MISSING_S: Final = 3


class LatencyVerdict(StrEnum):
    """The verdict on a latency. UNCLEAR: this machine disturbed the measurement, or seconds are missing."""

    HELD = "held"
    FAILED = "failed"
    UNCLEAR = "unclear"


class HeardSecond(msgspec.Struct, frozen=True):
    """One second at the receiver. `at` is its end, Unix time; `is_held_up`: this host caused its gap."""

    at: float
    packets_unique: int
    packets_lost: int
    continuity_errors: int
    gap_ms: float
    is_connected: bool
    is_held_up: bool


class SentSecond(msgspec.Struct, frozen=True):
    """One second at the sender. `at` is its end, Unix time."""

    at: float
    packets_unique: int
    packets_resent: int


class Tally(msgspec.Struct, frozen=True):
    """The sums of one latency so far. `heard_at` and `sent_at` are the ends of the last seconds in them.

    `gaps` are seconds with an output gap beyond the limit, `apart_s` seconds without a connection, `held_up_s` seconds
    in which this host did not run the receiver in time. `relayed` and `late` are the relay's datagrams since its start.
    """

    heard_at: float = 0.0
    sent_at: float = 0.0
    seconds: int = 0
    packets_unique: int = 0
    packets_lost: int = 0
    continuity_errors: int = 0
    gaps: int = 0
    longest_gap_ms: float = 0.0
    apart_s: int = 0
    held_up_s: int = 0
    packets_sent: int = 0
    packets_resent: int = 0
    resent_peak_percent: float = 0.0
    relayed: int = 0
    late: int = 0

    def overhead_percent(self) -> float | None:
        """Return the resent packets in percent of the first transmissions."""
        return 100 * self.packets_resent / self.packets_sent if self.packets_sent else None

    def is_disturbed(self) -> bool:
        """Whether this machine was too busy to simulate the requested delay."""
        return self.held_up_s > 0 or self.late > LATE_SHARE_MAX * self.relayed


def with_heard(tally: Tally, heard: Sequence[HeardSecond], *, gap_max_ms: float) -> Tally:
    """Add the receiver's seconds that are later than those in the tally."""
    new = later(heard, tally.heard_at)
    if not new:
        return tally
    gaps_ms = [second.gap_ms for second in new if not second.is_held_up]
    return msgspec.structs.replace(
        tally,
        heard_at=new[-1].at,
        seconds=tally.seconds + len(new),
        packets_unique=tally.packets_unique + sum(second.packets_unique for second in new),
        packets_lost=tally.packets_lost + sum(second.packets_lost for second in new),
        continuity_errors=tally.continuity_errors + sum(second.continuity_errors for second in new),
        gaps=tally.gaps + sum(gap_ms > gap_max_ms for gap_ms in gaps_ms),
        longest_gap_ms=max(tally.longest_gap_ms, *gaps_ms, 0.0),
        apart_s=tally.apart_s + sum(not second.is_connected for second in new),
        held_up_s=tally.held_up_s + sum(second.is_held_up for second in new),
    )


def with_sent(tally: Tally, sent: Sequence[SentSecond]) -> Tally:
    """Add the sender's seconds that are later than those in the tally."""
    new = later(sent, tally.sent_at)
    if not new:
        return tally
    peaks = [100 * second.packets_resent / second.packets_unique for second in new if second.packets_unique]
    return msgspec.structs.replace(
        tally,
        sent_at=new[-1].at,
        packets_sent=tally.packets_sent + sum(second.packets_unique for second in new),
        packets_resent=tally.packets_resent + sum(second.packets_resent for second in new),
        resent_peak_percent=max(tally.resent_peak_percent, *peaks, 0.0),
    )


def judge(tally: Tally, *, elapsed_s: float) -> LatencyVerdict:
    """Judge whether a latency held for the `elapsed_s` seconds of its measurement."""
    is_whole = tally.packets_unique > 0 and not tally.apart_s and not tally.gaps
    if is_whole and not tally.packets_lost and not tally.continuity_errors:
        return LatencyVerdict.HELD if tally.seconds >= elapsed_s - _MISSING_S else LatencyVerdict.UNCLEAR
    return LatencyVerdict.UNCLEAR if tally.is_disturbed() else LatencyVerdict.FAILED


def reasons(tally: Tally, *, gap_max_ms: float, elapsed_s: float) -> list[str]:
    """Say in sentences why a latency did not hold, or why its verdict is unclear."""
    found = []
    if tally.packets_lost:
        found.append(f"{tally.packets_lost} packets were lost for good.")
    if tally.gaps:
        found.append(f"The output paused for up to {tally.longest_gap_ms:.0f} ms, limit {gap_max_ms:g} ms.")
    if tally.continuity_errors and not tally.packets_lost:
        found.append(f"{tally.continuity_errors} continuity errors without a lost packet: the source causes them.")
    if tally.apart_s:
        found.append(f"The connection was lost for {tally.apart_s} s.")
    if not tally.packets_unique:
        found.append("Nothing arrived.")
    elif tally.seconds < elapsed_s - _MISSING_S:
        found.append(f"Only {tally.seconds} of {elapsed_s:.0f} s were measured.")
    if tally.is_disturbed():
        found.append("This machine was busy: the path was slower than requested.")
    return found
