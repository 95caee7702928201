"""Describes the link that a run measured, so that an impairment can be made of it. Pure."""

from __future__ import annotations

from app.domain.impairment.my_link import MeasuredLink, loss_of_retransmissions, quantile
from app.domain.lineup.measured import Measured


def link_of_run(measured: Measured, *, within_s: float) -> MeasuredLink | None:
    """Return the link by the seconds of a run, None without an RTT. Its longest gap happens once in `within_s`.

    The RTT is that of the sender, whose stream is copied. The loss follows from its retransmissions. Only a receiver of
    this product knows the longest gap.
    """
    rtts = [second.rtt_ms for second in measured.sender if second.rtt_ms is not None and second.peers]
    p50_ms, p95_ms = quantile(rtts, 0.5), quantile(rtts, 0.95)
    if p50_ms is None or p95_ms is None:
        return None
    unique = sum(second.packets_unique for second in measured.sender)
    again = sum(second.packets_retransmitted for second in measured.sender)
    loss_percent = loss_of_retransmissions(unique, again)
    gap_ms = max((second.frozen_ms for second in measured.receiver), default=0.0)
    return MeasuredLink(
        source=_words(p50_ms, p95_ms, loss_percent, gap_ms),
        rtt_p50_ms=p50_ms,
        rtt_p95_ms=p95_ms,
        loss_percent=loss_percent,
        longest_gap_ms=gap_ms or None,
        seconds=min(within_s, float(max(1, len(measured.sender)))),
    )


def _words(p50_ms: float, p95_ms: float, loss_percent: float, gap_ms: float) -> str:
    gap = f", longest gap {gap_ms:.0f} ms" if gap_ms else ""
    return f"The line showed RTT {p50_ms:.1f} ms (p95 {p95_ms:.1f} ms), loss {loss_percent:.2g} %{gap}"
