"""My link: an impairment made from measurements of a real link, and a worse one for rehearsals."""

from __future__ import annotations

import math
from typing import Final

import msgspec

from app.domain.impairment.model import Bursts, DirectionImpairment, PeriodicOutage
from app.domain.impairment.profiles import Profile

MY_LINK: Final = "my-link"
# The RTT of two uniform jitters of width w is triangular over 0 to 2w: median w, and 95 % below 2w - w * sqrt(0.1).
_P95_OVER_MEDIAN: Final = 1 - math.sqrt(0.1)
_LOSS_PERCENT_MAX: Final = 99.0
_OUTAGE_SHARE_MAX: Final = 0.5
_EVERY_S_LEAST: Final = 1.0
_SHORTEST_OUTAGE_MS: Final = 1.0


class MeasuredLink(msgspec.Struct, frozen=True):
    """A measured link. `source` says where and when it was measured; None was not measured.

    `longest_gap_ms` happened once in `seconds`.
    """

    source: str
    rtt_p50_ms: float
    rtt_p95_ms: float
    loss_percent: float = 0.0
    mean_burst: float | None = None
    longest_gap_ms: float | None = None
    seconds: float = 60.0


def profile_of(link: MeasuredLink, *, times: int = 1) -> Profile:
    """Return a profile with the figures of a link. `times` multiplies its loss and its longest gap.

    Each direction gets half of the delay and the whole loss: the measurement cannot separate them.
    """
    rtt_ms = max(0.0, link.rtt_p50_ms)
    # The jitter is limited to the median RTT, because the delay cannot be negative.
    jitter_ms = min(rtt_ms, max(0.0, link.rtt_p95_ms - rtt_ms) / _P95_OVER_MEDIAN)
    loss_percent = min(_LOSS_PERCENT_MAX, max(0.0, link.loss_percent) * times)
    has_bursts = link.mean_burst is not None and link.mean_burst > 1 and loss_percent > 0
    if has_bursts and link.mean_burst is not None:  # bursts of that length cannot lose more
        loss_percent = min(loss_percent, _LOSS_PERCENT_MAX * link.mean_burst / (1 + link.mean_burst))
    both = DirectionImpairment(
        delay_ms=round((rtt_ms - jitter_ms) / 2, 2),
        jitter_ms=round(jitter_ms, 2),
        loss_percent=0.0 if has_bursts else round(loss_percent, 4),
        bursts=Bursts(round(loss_percent, 4), round(link.mean_burst or 1, 2)) if has_bursts else None,
        outage=_outage(link, times),
    )
    name, title = (MY_LINK, "My link") if times == 1 else (f"{MY_LINK}-x{times}", f"My link × {times}")
    factor = "" if times == 1 else f"; loss and longest gap times {times}"
    return Profile(name, title, f"{link.source}{factor}", to_target=both, to_caller=both)


def loss_of_retransmissions(unique: int, again: int) -> float:
    """Return the loss in percent that follows from a sender's retransmissions.

    Each lost packet is resent, and a resent packet is lost as often as others: this share of all sent packets did not
    arrive.
    """
    return 100 * again / (unique + again) if unique else 0.0


def quantile(values: list[float], share: float) -> float | None:
    """Return the value that `share` of the values do not exceed, None without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def _outage(link: MeasuredLink, times: int) -> PeriodicOutage | None:
    """Return the longest gap as an outage that repeats once per measured time."""
    gap_ms = (link.longest_gap_ms or 0.0) * times
    if gap_ms < _SHORTEST_OUTAGE_MS:
        return None
    every_s = max(_EVERY_S_LEAST, link.seconds, gap_ms / 1000 / _OUTAGE_SHARE_MAX)
    return PeriodicOutage(round(every_s, 1), round(gap_ms, 1))
