"""The rate steps of a configuration test: the rates, the measurements of both ends, and their judgement. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from app.domain.constants import SRT_PAYLOAD_BYTES
from app.domain.lineup.measured import Check, CheckVerdict, ReceiverSecond
from app.domain.lineup.plan import Plan

STEP_S: Final = 10.0
# ITU-T Y.1564, the step load test of the committed rate.
_PERCENTS: Final = (50, 75, 90, 100)
# A receiver's seconds begin at any time, so the first seconds of a step also have packets of the previous step.
_SETTLING_S: Final = 2.0
_DELIVERED_SHARE_MIN: Final = 0.98


class RateOrder(msgspec.Struct, frozen=True):
    """The order for the temporary sender.

    Without a `host` it listens on `port`, otherwise it calls that host and port.
    """

    host: str
    port: int
    latency_ms: int
    dscp: int
    buffer_packets: int
    rates_bps: tuple[int, ...]
    step_s: float = STEP_S
    connect_s: float = 8.0

    def lasts_s(self) -> float:
        """Return the maximum duration."""
        return self.connect_s + len(self.rates_bps) * self.step_s + self.latency_ms / 1000 + 5


class SentRate(msgspec.Struct, frozen=True):
    """One step at the sender. Times are Unix seconds."""

    rate_bps: int
    began_at: float
    ended_at: float
    packets: int
    resent: int


class RateOutcome(msgspec.Struct, frozen=True):
    """The steps that were sent, and why no further step was sent."""

    sent: tuple[SentRate, ...] = ()
    problem: str = ""


def rates_of(bitrate_bps: float, overhead_percent: int) -> tuple[int, ...]:
    """Return 50, 75, 90 and 100 % of a bitrate, and 100 % with the overhead, in bits per second."""
    return tuple(round(bitrate_bps * percent / 100) for percent in (*_PERCENTS, 100 + overhead_percent))


def judge_steps(
    plan: Plan, outcome: RateOutcome, seconds: Sequence[ReceiverSecond], overhead_percent: int
) -> Iterator[Check]:
    """Return one line for each step, and the resulting capacity."""
    titles = [f"Rate {percent} %" for percent in _PERCENTS] + [f"Rate 100 % + overhead {overhead_percent} %"]
    checks: list[Check] = []
    for title, step in zip(titles, outcome.sent, strict=False):
        is_beyond = len(checks) == len(_PERCENTS)
        checks.append(_judge(plan, title, step, seconds, worst=CheckVerdict.REMARK if is_beyond else CheckVerdict.FAIL))
    yield from checks
    if len(outcome.sent) < len(titles):
        yield not_measured(f"ended after {len(outcome.sent)} of {len(titles)} steps: {outcome.problem}")
    if checks:
        yield _capacity(outcome.sent, checks)


def not_measured(why: str, verdict: CheckVerdict = CheckVerdict.UNKNOWN) -> Check:
    """Return the line that replaces steps that were not made."""
    return Check("Rate steps", f"{len(_PERCENTS) + 1} steps of {STEP_S:g} s", why, "–", verdict)


def _judge(plan: Plan, title: str, step: SentRate, seconds: Sequence[ReceiverSecond], *, worst: CheckVerdict) -> Check:
    asked, limit = f"{_mbps(step.rate_bps)} for {STEP_S:g} s", "98 % delivered, losses and headroom as in part 2"
    during = [second for second in seconds if step.began_at < second.at <= step.ended_at + 1.0]
    settled = [second for second in during if step.began_at + _SETTLING_S < second.at <= step.ended_at]
    if not settled:
        return Check(title, asked, "the receiver reported no second of this step", limit, CheckVerdict.UNKNOWN)
    delivered_bps = 8 * SRT_PAYLOAD_BYTES * sum(second.packets_unique for second in settled) / _span_s(settled)
    lost = sum(second.packets_lost for second in during)
    headroom = _lowest_headroom_percent(settled)
    resent = 100 * step.resent / step.packets if step.packets else 0.0
    words = [f"{_mbps(delivered_bps)} delivered", f"{lost} packets lost", f"{resent:.1f} % resent"]
    words.append("headroom not known" if headroom is None else f"lowest headroom {headroom:.0f} %")
    if busy := sum(second.is_held_up for second in during):
        words.append(f"the receiving host was too busy in {busy} s")
    verdict = CheckVerdict.PASS
    if lost > plan.limits.lost_packets_max or delivered_bps < _DELIVERED_SHARE_MIN * step.rate_bps:
        verdict = worst
    elif headroom is not None and headroom < plan.limits.headroom_min_percent:
        verdict = CheckVerdict.REMARK
    return Check(title, asked, ", ".join(words), limit, verdict)


def _capacity(sent: Sequence[SentRate], checks: Sequence[Check]) -> Check:
    """Return the capacity: between the highest rate that was delivered and the next step."""
    title, asked = "Capacity", "the highest rate delivered"
    passed = [check.verdict is CheckVerdict.PASS for check in checks]
    count = passed.index(False) if False in passed else len(passed)
    if not count:
        return Check(title, asked, f"below {_mbps(sent[0].rate_bps)}", "–", CheckVerdict.PASS)
    low = _mbps(sent[count - 1].rate_bps)
    got = f"at least {low}" if count == len(sent) else f"between {low} and {_mbps(sent[count].rate_bps)}"
    return Check(title, asked, got, "–", CheckVerdict.PASS)


def _span_s(seconds: Sequence[ReceiverSecond]) -> float:
    """Return the time that these seconds cover; on a busy host they are longer or shorter."""
    return seconds[-1].at - seconds[0].at + 1.0


def _lowest_headroom_percent(seconds: Sequence[ReceiverSecond]) -> float | None:
    shares = [
        100 * each.headroom_ms / each.latency_ms for each in seconds if each.headroom_ms is not None and each.latency_ms
    ]
    return min(shares, default=None)


def _mbps(rate_bps: float) -> str:
    return f"{rate_bps / 1e6:.2f} Mb/s"
