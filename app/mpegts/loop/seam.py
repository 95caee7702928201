"""How one lap of a looped file joins the next: how far each clock moves on, and what is sent in between.

The clocks. A file has some packets after its last PCR and some before its first PCR. Both take the time that packets
take there, judged by the last and the first second of the reference clock. Each clock steps by its own gap, so none can
run back. At a constant bitrate the packets keep their rate to the tick, and clocks that agree within a millisecond move
on by the same ticks, or the programmes would drift apart lap by lap. With a variable bitrate the gap is a guess, and
the access units are more precise: the step is then as short as they allow, but no clock loses more than half of its
gap.

Access units. The first decoding time of the next lap must lie a unit behind the last one of this lap, on each PID.
Where sound or picture outlasts the clock (an encoder that buffered more at the end than at the start), the seam is made
longer: null packets and PCRs at the pace of the lap's end. The receiver's buffer needs that as well, since it drains by
exactly the surplus. A file that buffered less at its end leaves a gap between units instead; there is nothing to fill
it with.
"""

from __future__ import annotations

from typing import Final

import msgspec

from app.mpegts.loop.lap import ClockTrack, Lap
from app.mpegts.loop.seam_pcrs import PACKETS_A_TICK_MAX, FillerPcr, Gap, filler_rate, place_pcrs
from app.mpegts.packets import PCR_HZ, PCR_WRAP, clock_step

# A larger surplus is not buffering but a wrong timestamp, and does not lengthen the seam.
SURPLUS_TICKS_MAX: Final = 2 * PCR_HZ
# A unit may come this much too early over the seam, so that rounding does not lengthen the seam.
_EARLY_90K: Final = 90
_IN_STEP_TICKS: Final = PCR_HZ // 1000
# A clock counts as running to the lap's end if at most this many times its longest PCR interval follows, in packets.
_RUNS_WITHIN: Final = 3
# The interval of PCRs in a filler when the file itself shows none.
_PCR_TICKS_ASSUMED: Final = PCR_HZ * 40 // 1000


class Seam(msgspec.Struct, frozen=True):
    """The transition from one lap to the next.

    `steps` is what each clock adds to its shift, `end_of_lap` what it would read at the lap's end, unshifted; both in
    27 MHz ticks by PCR PID. `filler_packets` are sent between the laps: null packets except for `filler_pcrs`.
    """

    steps: dict[int, int]
    end_of_lap: dict[int, int]
    filler_packets: int = 0
    filler_pcrs: tuple[FillerPcr, ...] = ()


class _Pace(msgspec.Struct):
    """The reference clock around the seam: packets per tick before and after it; 0.0 if unknown."""

    before: float
    after: float
    is_constant: bool


def plan_seam(lap: Lap, following: Lap, clock_of: dict[int, int], reference: int | None) -> Seam:
    """Plan the transition from `lap` to `following`, which is `lap` itself if the file is the same.

    `clock_of` maps to the PCR PID of an elementary stream's PID; others follow `reference`. When the reference does not
    run in both laps, nothing moves.
    """
    clocks = lap.clocks.keys() & following.clocks.keys()
    if reference not in clocks:
        return Seam({}, {})
    pace = _pace(lap.clocks[reference], following.clocks[reference])
    tails = {pid: _ticks(lap.packets - lap.clocks[pid].last[0], pace.before, lap.clocks[pid]) for pid in clocks}
    heads = {
        pid: _ticks(following.clocks[pid].first[0][0], pace.after, following.clocks[pid], lap.clocks[pid].longest)
        for pid in clocks
    }
    steps = _natural_steps(lap, following, reference, tails, heads, is_constant=pace.is_constant)
    surplus = _surplus(lap, following, clock_of, reference, steps)
    if not pace.is_constant and surplus < 0:
        tails, heads, steps = _shortened(-surplus, tails, heads, steps)
    longest = {pid: lap.clocks[pid].longest or _PCR_TICKS_ASSUMED for pid in clocks}
    gaps = [Gap(pid, tails[pid], heads[pid], longest[pid]) for pid in sorted(clocks)]
    rate = filler_rate(pace.before, gaps, is_constant=pace.is_constant)
    slots, pcrs = place_pcrs(max(surplus, 0.0), gaps, rate)
    return Seam(
        steps={pid: round(step + slots / rate) for pid, step in steps.items()},
        end_of_lap={pid: round(lap.clocks[pid].last[1] + tails[pid]) for pid in clocks},
        filler_packets=slots,
        filler_pcrs=pcrs,
    )


def _pace(before: ClockTrack, after: ClockTrack) -> _Pace:
    rate_before = before.rate_at_end() or before.rate_at_start()
    rate_after = after.rate_at_start() or after.rate_at_end()
    is_constant = (
        0 < rate_before < PACKETS_A_TICK_MAX and before.is_constant() and (before is after or after.is_constant())
    )
    return _Pace(rate_before or rate_after, rate_after or rate_before, is_constant)


def _ticks(packets: int, rate: float, clock: ClockTrack, longest: int = 0) -> float:
    """Return the ticks of the packets before a clock's first PCR, or after its last.

    Where the clock runs up to there, no more than the longest interval of the file; a clock that ends early or begins
    late does not run there, and its packets take the time that packets take.
    """
    longest = clock.longest or longest or _PCR_TICKS_ASSUMED
    if not rate:
        return longest / 2
    runs = packets <= _RUNS_WITHIN * clock.most_packets
    return min(packets / rate, longest) if runs else packets / rate


def _natural_steps(
    lap: Lap, following: Lap, reference: int, tails: dict[int, float], heads: dict[int, float], *, is_constant: bool
) -> dict[int, float]:
    """Return how far each clock moves on if the packets keep their pace over the seam."""
    steps = {
        pid: clock_step(following.clocks[pid].first[0][1], lap.clocks[pid].last[1]) + tails[pid] + heads[pid]
        for pid in tails
    }
    if not is_constant:
        return steps
    common = steps[reference]
    for pid, step in steps.items():
        apart = abs(_nearer(step - common))
        if apart <= _IN_STEP_TICKS and 2 * apart < tails[pid] + heads[pid]:
            steps[pid] = common
    return steps


def _surplus(lap: Lap, following: Lap, clock_of: dict[int, int], reference: int, steps: dict[int, float]) -> float:
    """Return the ticks by which units outlast the clock, negative if they do not.

    A PID whose surplus exceeds any buffer does not count: its times are wrong, and step back at the seam.
    """
    surplus = -float(PCR_WRAP)
    for pid, units in lap.units.items():
        if (after := following.units.get(pid)) is None:
            continue
        duration = units.last_duration()
        needed = units.last + duration - min(_EARLY_90K, duration // 2) - after.first
        step = steps.get(clock_of.get(pid, reference), steps[reference])
        found = _nearer(needed * 300 - step)
        if found <= SURPLUS_TICKS_MAX:
            surplus = max(surplus, found)
    return surplus


def _nearer(ticks: float) -> float:
    """Return the difference of two clocks the shorter way round the wrap: compared values are always close."""
    return (ticks + PCR_WRAP / 2) % PCR_WRAP - PCR_WRAP / 2


def _shortened(
    spare: float, tails: dict[int, float], heads: dict[int, float], steps: dict[int, float]
) -> tuple[dict[int, float], dict[int, float], dict[int, float]]:
    """Shorten every clock's gap by the same time, if the units allow it, by at most half of the shortest gap."""
    gaps = {pid: tails[pid] + heads[pid] for pid in tails}
    saved = min(spare, min(gaps.values()) / 2)
    factors = {pid: 1 - saved / gap if gap else 1.0 for pid, gap in gaps.items()}
    return (
        {pid: ticks * factors[pid] for pid, ticks in tails.items()},
        {pid: ticks * factors[pid] for pid, ticks in heads.items()},
        {pid: step - saved for pid, step in steps.items()},
    )
