"""Places the PCRs of a seam, so that no clock pauses for longer than within the file."""

from __future__ import annotations

from math import ceil
from typing import Final

import msgspec

from app.mpegts.packets import PACKET_BYTES, PCR_HZ

# A rate beyond 200 Mb/s comes from meaningless PCRs; null packets at such a rate would flood the link.
PACKETS_A_TICK_MAX: Final = 200e6 / 8 / PACKET_BYTES / PCR_HZ
_PACKETS_A_TICK_ASSUMED: Final = 1e6 / 8 / PACKET_BYTES / PCR_HZ
_PCR_TOLERANCE_TICKS: Final = PCR_HZ // 2000
_PCR_TICKS_LEAST: Final = PCR_HZ // 1000
# If the pace is a guess, PCRs take at most this part of a filler: each one lengthens it and may require more.
_PCR_SHARE: Final = 0.25
_ROUNDS_MAX: Final = 32


class FillerPcr(msgspec.Struct, frozen=True):
    """A filler packet with a PCR: its position in the filler, and its ticks after the lap's end."""

    slot: int
    ticks: int
    pid: int


class Gap(msgspec.Struct, frozen=True):
    """How long a clock would pause at the seam, in ticks.

    `tail` is the time from its last PCR to the lap's end, `head` that from the next lap's start to its first PCR.
    `longest` is its longest interval within the file.
    """

    pid: int
    tail: float
    head: float
    longest: int


def filler_rate(pace: float, gaps: list[Gap], *, is_constant: bool) -> float:
    """Return the filler's packets per tick: the pace of the lap's end, raised if it is a guess and too low."""
    rate = min(pace or _PACKETS_A_TICK_ASSUMED, PACKETS_A_TICK_MAX)
    if is_constant:
        return rate
    pcrs_a_tick = sum(1 / max(gap.longest, _PCR_TICKS_LEAST) for gap in gaps)
    return max(rate, min(pcrs_a_tick / _PCR_SHARE, PACKETS_A_TICK_MAX))


def place_pcrs(surplus: float, gaps: list[Gap], rate: float) -> tuple[int, tuple[FillerPcr, ...]]:
    """Return the filler's number of packets, for at least `surplus` ticks, and its PCRs, each on time, earliest first.

    PCRs need packets, and these packets take time, which may need further PCRs: this is repeated until they fit.
    """
    slots = ceil(surplus * rate)
    wanted: list[tuple[float, int]] = []
    for _ in range(_ROUNDS_MAX):
        wanted = sorted((ticks, gap.pid) for gap in gaps for ticks in _due(slots / rate, gap))
        if len(wanted) <= slots:
            break
        slots = len(wanted)
    slots = max(slots, len(wanted))
    return slots, _slotted(wanted, slots, rate)


def _due(span: float, gap: Gap) -> list[float]:
    """Return when a clock needs its PCRs at the latest, in ticks after the lap's end, in a filler of `span` ticks."""
    longest = max(gap.longest, _PCR_TICKS_LEAST)
    if gap.tail + span + gap.head <= longest + _PCR_TOLERANCE_TICKS:
        return []
    times = [min(max(longest - gap.tail, 0.0), span)]
    while times[-1] < span and span + gap.head - times[-1] > longest + _PCR_TOLERANCE_TICKS:
        times.append(min(times[-1] + longest, span))
    return times


def _slotted(wanted: list[tuple[float, int]], slots: int, rate: float) -> tuple[FillerPcr, ...]:
    """Assign each PCR a separate slot, at its time or before; the last one first, so that none is late."""
    pcrs: list[FillerPcr] = []
    free = slots - 1
    for position in range(len(wanted) - 1, -1, -1):
        ticks, pid = wanted[position]
        slot = max(min(int(ticks * rate), free), position)
        pcrs.append(FillerPcr(slot, round(slot / rate), pid))
        free = slot - 1
    return tuple(reversed(pcrs))
