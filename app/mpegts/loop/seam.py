"""How one lap of a looped file joins the next: how far each clock moves on, and what is sent in between.

The clock. Behind its last PCR a file goes on for some packets, and before its first PCR there are some; both take the
time that packets take there, judged by the last and the first second of PCRs. So the step of the clock over the seam
is what the multiplexer would have made it, and at a constant bitrate the packets keep their pace to the tick.
With a variable bitrate that is a guess, and the access units know better: the step is then as short as they allow,
but never under half the guess.

Access units. The first decoding time of the next lap must lie a unit behind the last one of this lap, on each PID.
Where sound or picture outlasts the clock (an encoder that buffered more at the end than at the start), the seam is
made longer: null packets and PCRs at the pace of the lap's end. That is also what the receiver's buffer asks for,
since it drains by just the surplus. The other way round, a file that buffered less at its end, leaves a gap
between units: there is nothing to fill it with.

Several programmes. Clocks that keep step with each other within a lap move on by the same ticks, or the programmes
would drift apart lap by lap; a clock that does not (another crystal, hours of it) moves on by its own count.
"""

from __future__ import annotations

from math import ceil
from typing import Final

import msgspec

from app.mpegts.loop.lap import ClockTrack, Lap
from app.mpegts.packets import PACKET_BYTES, PCR_HZ, PCR_WRAP, clock_step

# A surplus beyond this is no buffering but a timestamp astray; the seam does not wait for it.
SURPLUS_TICKS_MAX: Final = 2 * PCR_HZ
# A unit may come this much early over the seam, rather than stretch it for a rounding.
_EARLY_90K: Final = 90
_IN_STEP_TICKS: Final = PCR_HZ // 1000
_PCR_TOLERANCE_TICKS: Final = PCR_HZ // 2000
# A rate beyond 200 Mb/s comes of senseless PCRs; null packets at such a pace would flood the line.
_PACKETS_A_TICK_MAX: Final = 200e6 / 8 / PACKET_BYTES / PCR_HZ
_PACKETS_A_TICK_ASSUMED: Final = 1e6 / 8 / PACKET_BYTES / PCR_HZ
_PCR_TICKS_LEAST: Final = PCR_HZ // 1000
# The interval of PCRs in a filler when the file itself shows none.
_PCR_TICKS_ASSUMED: Final = PCR_HZ * 40 // 1000


class FillerPcr(msgspec.Struct, frozen=True):
    """A packet of the filler that carries a PCR: its place in the filler, and its ticks after the lap's end."""

    slot: int
    ticks: int
    pid: int


class Seam(msgspec.Struct, frozen=True):
    """The way from one lap to the next.

    `steps` is what each clock adds to its shift, `end_of_lap` what it would read at the lap's end, unshifted; both in
    27 MHz ticks by PCR PID. `filler_packets` are sent between the laps, null packets but for `filler_pcrs`.
    `overlapping` are PIDs whose units still step back, because their surplus is no buffering.
    """

    steps: dict[int, int]
    end_of_lap: dict[int, int]
    filler_packets: int = 0
    filler_pcrs: tuple[FillerPcr, ...] = ()
    overlapping: tuple[int, ...] = ()


class _Pace(msgspec.Struct):
    """The reference clock around the seam: packets a tick before and after it; 0.0 where nothing tells."""

    before: float
    after: float
    is_constant: bool


def plan_seam(lap: Lap, following: Lap, clock_of: dict[int, int], reference: int | None) -> Seam:
    """Plan the way from the end of `lap` to the start of `following`, which is `lap` itself when the file is the same.

    `clock_of` tells the PCR PID of an elementary stream's PID; others follow `reference`. When the reference does not
    run in both laps, nothing moves.
    """
    clocks = lap.clocks.keys() & following.clocks.keys()
    if reference not in clocks:
        return Seam({}, {})
    pace = _pace(lap.clocks[reference], following.clocks[reference])
    tails = {pid: _ticks(lap.packets - lap.clocks[pid].last[0], pace.before, lap.clocks[pid]) for pid in clocks}
    heads = {pid: _ticks(following.clocks[pid].first[0][0], pace.after, lap.clocks[pid]) for pid in clocks}
    steps = _natural_steps(lap, following, reference, tails, heads, pace)
    surplus, overlapping = _surplus(lap, following, clock_of, reference, steps)
    if not pace.is_constant and surplus < 0:
        tails, heads, steps = _shortened(-surplus, reference, tails, heads, steps)
    rate = min(pace.before or _PACKETS_A_TICK_ASSUMED, _PACKETS_A_TICK_MAX)
    slots, pcrs = _filler(max(surplus, 0.0), tails, heads, lap, rate)
    return Seam(
        steps={pid: round(step + slots / rate) for pid, step in steps.items()},
        end_of_lap={pid: round(lap.clocks[pid].last[1] + tails[pid]) for pid in clocks},
        filler_packets=slots,
        filler_pcrs=pcrs,
        overlapping=overlapping,
    )


def _pace(before: ClockTrack, after: ClockTrack) -> _Pace:
    rate_before = before.rate_at_end() or before.rate_at_start()
    rate_after = after.rate_at_start() or after.rate_at_end()
    is_constant = (
        0 < rate_before < _PACKETS_A_TICK_MAX and before.is_constant() and (before is after or after.is_constant())
    )
    return _Pace(rate_before or rate_after, rate_after or rate_before, is_constant)


def _ticks(packets: int, rate: float, clock: ClockTrack) -> float:
    """Ticks that packets without a PCR take: no more than the longest the file itself goes without one."""
    longest = clock.longest or _PCR_TICKS_ASSUMED
    return min(packets / rate, longest) if rate else longest / 2


def _natural_steps(
    lap: Lap, following: Lap, reference: int, tails: dict[int, float], heads: dict[int, float], pace: _Pace
) -> dict[int, float]:
    """How far each clock moves on if the packets just keep their pace over the seam."""
    steps = {
        pid: clock_step(following.clocks[pid].first[0][1], lap.clocks[pid].last[1]) + tails[pid] + heads[pid]
        for pid in tails
    }
    # Between PCRs at a variable bitrate nobody can say what a clock reads, so two cannot be compared finely.
    tolerance = _IN_STEP_TICKS if pace.is_constant else 2 * lap.clocks[reference].longest
    common = steps[reference]
    return {pid: step if abs(_nearer(step - common)) > tolerance else common for pid, step in steps.items()}


def _surplus(
    lap: Lap, following: Lap, clock_of: dict[int, int], reference: int, steps: dict[int, float]
) -> tuple[float, tuple[int, ...]]:
    """Ticks by which the units outlast the clock, negative if they do not; and the PIDs that are beyond help."""
    surplus, overlapping = -float(PCR_WRAP), []
    for pid, units in lap.units.items():
        if (after := following.units.get(pid)) is None:
            continue
        duration = units.last_duration()
        needed = units.last + duration - min(_EARLY_90K, duration // 2) - after.first
        step = steps.get(clock_of.get(pid, reference), steps[reference])
        found = _nearer(needed * 300 - step)
        if found > SURPLUS_TICKS_MAX:
            overlapping.append(pid)
        else:
            surplus = max(surplus, found)
    return surplus, tuple(overlapping)


def _nearer(ticks: float) -> float:
    """A difference of clocks the nearer way round: a lap may be longer than half the wrap, what is compared is not."""
    return (ticks + PCR_WRAP / 2) % PCR_WRAP - PCR_WRAP / 2


def _shortened(
    spare: float, reference: int, tails: dict[int, float], heads: dict[int, float], steps: dict[int, float]
) -> tuple[dict[int, float], dict[int, float], dict[int, float]]:
    """Take up to half of the gap out where the units leave room; the gap was a guess."""
    gap = tails[reference] + heads[reference]
    saved = min(spare, gap / 2)
    factor = 1 - saved / gap if gap else 1.0
    return (
        {pid: ticks * factor for pid, ticks in tails.items()},
        {pid: ticks * factor for pid, ticks in heads.items()},
        {pid: step - saved for pid, step in steps.items()},
    )


def _filler(
    surplus: float, tails: dict[int, float], heads: dict[int, float], lap: Lap, rate: float
) -> tuple[int, tuple[FillerPcr, ...]]:
    """Count the filler's packets and place PCRs in it, so that none comes later than the file's own would."""
    wanted = sorted(
        (ticks, pid)
        for pid in tails
        for ticks in _pcr_times(surplus, tails[pid], heads[pid], lap.clocks[pid].longest or _PCR_TICKS_ASSUMED)
    )
    pcrs: list[FillerPcr] = []
    for ticks, pid in wanted:
        slot = max(int(ticks * rate), pcrs[-1].slot + 1 if pcrs else 0)
        pcrs.append(FillerPcr(slot, round(slot / rate), pid))
    slots = max(ceil(surplus * rate), pcrs[-1].slot + 1 if pcrs else 0)
    return slots, tuple(pcrs)


def _pcr_times(surplus: float, tail: float, head: float, longest: int) -> list[float]:
    """When a clock needs PCRs in a filler of `surplus` ticks, after the lap's end."""
    longest = max(longest, _PCR_TICKS_LEAST)
    if tail + surplus + head <= longest + _PCR_TOLERANCE_TICKS:
        return []
    times = [0.0]
    while surplus + head - times[-1] > longest + _PCR_TOLERANCE_TICKS:
        times.append(times[-1] + longest)
    return times
