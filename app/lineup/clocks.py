"""The difference between this host's clock and another one's, as a line of the configuration test."""

from __future__ import annotations

from app.domain.lineup.measured import Check, CheckVerdict


def check_clock(host: str, ahead_s: float, *, within_s: float) -> Check:
    """Judge how far a clock is ahead of ours; `within_s` is what the measurement cannot resolve."""
    side = "ahead of" if ahead_s > 0 else "behind"
    is_alike = abs(ahead_s) <= within_s
    got = "no difference" if is_alike else f"{abs(ahead_s):.1f} s {side} this host; its times are shifted"
    verdict = CheckVerdict.PASS if is_alike else CheckVerdict.REMARK
    return Check(f"Clock of {host}", "the same time", got, f"within {within_s:.1f} s", verdict)
