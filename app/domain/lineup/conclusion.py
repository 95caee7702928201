"""Derives the verdict from the measurements: each figure against its limit, with margin, worst second and reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Final

import msgspec

from app.domain.lineup.content import Content, figures_of, loudness_note
from app.domain.lineup.lines import Line, at_least, at_most
from app.domain.lineup.measured import CheckVerdict, Measured, ReceiverSecond, SenderSecond
from app.domain.lineup.plan import Plan

# A sender whose wire rate is this close to its cap cannot resend more (measured: 8.78 of 8.8 Mb/s).
_AT_CAP: Final = 0.97
_AT_CAP_SHARE: Final = 0.2
_MEASURED_SHARE: Final = 0.98
_LATE_ACCOUNT_S: Final = 2.0
_SPOILED_BY_BUSY_HOSTS: Final = {
    "lost_packets_max",
    "output_gap_max_ms",
    "continuity_errors_max",
    "priority_1_error_seconds_max",
    "priority_2_error_seconds_max",
}


class Verdict(StrEnum):
    """The verdict of a run."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    REMARKS = "remarks"
    FAIL = "fail"


class Conclusion(msgspec.Struct, frozen=True):
    """The verdict, its reason in a sentence, and every line."""

    verdict: Verdict
    headline: str
    lines: tuple[Line, ...]


def conclude(plan: Plan, measured: Measured) -> Conclusion:
    """Judge what was measured against the plan's limits. Pure; a run that has not ended can be judged too."""
    lines = (*_receiver_lines(plan, measured), *_rtt_lines(plan, measured), *_sender_lines(plan, measured))
    lines = (*lines, *_content_lines(plan, measured.content or Content()))
    lines = (*lines, _completeness(plan, measured), *_margin_lines(measured))
    verdicts = {line.verdict for line in lines} | {check.verdict for check in measured.checks}
    if CheckVerdict.FAIL in verdicts:
        return Conclusion(Verdict.FAIL, " ".join(_reasons(measured, lines)), lines)
    if verdicts & {CheckVerdict.REMARK, CheckVerdict.UNKNOWN}:
        return Conclusion(Verdict.REMARKS, _remarks(measured, lines), lines)
    return Conclusion(Verdict.PASS, _passed(measured), lines)


def _receiver_lines(plan: Plan, measured: Measured) -> tuple[Line, ...]:
    seconds = measured.receiver
    has_any = bool(seconds)
    lost, gaps = _sum_of(seconds, lambda s: s.packets_lost), _max_of(seconds, lambda s: s.gap_ms)
    errors = _sum_of(seconds, lambda s: s.continuity_errors)
    headroom = _lowest_headroom(seconds)
    return (
        at_most("lost_packets_max", plan, lost[0] if has_any else None, lost[1], _rule_of_three(seconds)),
        at_most("output_gap_max_ms", plan, gaps[0] if has_any else None, gaps[1]),
        at_most("continuity_errors_max", plan, errors[0] if has_any else None, errors[1]),
        _indicator_line("priority_1_error_seconds_max", plan, measured, 1),
        _indicator_line("priority_2_error_seconds_max", plan, measured, 2),
        at_least("headroom_min_percent", plan, *headroom),
        at_most("interruptions_max", plan, _interruptions(measured)),
    )


def _indicator_line(name: str, plan: Plan, measured: Measured, priority: int) -> Line:
    """Return the line of the indicator of that priority with the most error-seconds."""
    if measured.indicators is None:
        return at_most(name, plan, None)
    worst = max(
        (each for each in measured.indicators if each.priority == priority),
        key=lambda each: each.error_seconds,
        default=None,
    )
    if worst is None or not worst.error_seconds:
        return at_most(name, plan, 0)
    return at_most(name, plan, worst.error_seconds, note=f"Worst indicator: {worst.name}.")


def _rtt_lines(plan: Plan, measured: Measured) -> tuple[Line, ...]:
    both: Sequence[ReceiverSecond | SenderSecond] = measured.receiver or measured.sender
    rtts = sorted(second.rtt_ms for second in both if second.rtt_ms is not None)
    latency = next((s.latency_ms for s in reversed(measured.receiver) if s.latency_ms is not None), None)
    p95, p50 = _quantile(rtts, 0.95), _quantile(rtts, 0.5)
    # Below 0.1 ms the ratio has no meaning: both ends are on this host.
    ratio = latency / p95 if latency is not None and p95 is not None and p95 >= 0.1 else None
    lines = [at_most("rtt_spread_max_ms", plan, None if p95 is None or p50 is None else round(p95 - p50, 2))]
    if latency is not None and p95 is not None and p95 < 0.1:
        ratio = 100.0
    return (at_least("latency_rtt_ratio_min", plan, None if ratio is None else round(min(ratio, 100.0), 1)), *lines)


def _sender_lines(plan: Plan, measured: Measured) -> tuple[Line, ...]:
    if plan.stream is None or not measured.sender:
        return ()
    unique, again = (
        sum(second.packets_unique for second in measured.sender),
        sum(second.packets_retransmitted for second in measured.sender),
    )
    percent = round(100 * again / unique, 2) if unique else None
    note = "For information: a retransmitted packet may have arrived in time or too late."
    return (Line("resent_percent", "Resent", percent, None, None, "%", CheckVerdict.PASS, note=note),)


def _content_lines(plan: Plan, content: Content) -> Iterator[Line]:
    """Return the lines on picture and sound, if the receive stream decodes them or the plan limits them."""
    for name, got in figures_of(content):
        note = loudness_note(content) if name == "loudness_deviation_max_lu" else ""
        if got is not None:
            yield at_most(name, plan, got, note=note)
        elif getattr(plan.limits, name) is not None:
            yield at_most(name, plan, None, note=note or "Not measured: the receive stream does not decode it.")


def _completeness(plan: Plan, measured: Measured) -> Line:
    """Count how many seconds of the plan were measured: an unmeasured second proves nothing."""
    counted = min(
        float(plan.seconds()),
        _covered_s([each.at for each in measured.receiver] or [each.at for each in measured.sender]),
    )
    wanted = float(plan.seconds())
    is_whole = counted >= _MEASURED_SHARE * wanted
    verdict = CheckVerdict.PASS if is_whole else CheckVerdict.REMARK
    note = "" if is_whole else "The run ended early, or seconds are missing."
    return Line("seconds_measured", "Seconds measured", counted, wanted, counted - wanted, "s", verdict, note=note)


def _covered_s(ends: Sequence[float]) -> float:
    """Return how much time the accounts that end then cover, in whole seconds.

    The worker on a busy host closes its account late: it then covers more than a second, and counts all of it.
    """
    if not ends:
        return 0.0
    steps = (after - before for before, after in pairwise(ends))
    return float(round(1 + sum(step if step <= _LATE_ACCOUNT_S else 1.0 for step in steps)))


def _margin_lines(measured: Measured) -> tuple[Line, ...]:
    """Compare the lowest latency that held through twice the impairment with that of the line."""
    margin = measured.margin
    if margin is None or not margin.is_over():
        return ()
    lowest, limit = margin.lowest_held(), float(margin.latency_ms) if margin.tried else None
    verdicts = {True: CheckVerdict.PASS, False: CheckVerdict.REMARK, None: CheckVerdict.SKIPPED}
    left = None if lowest is None or limit is None else limit - lowest
    got = None if lowest is None else float(lowest)
    verdict = verdicts[margin.holds()]
    title, note = "Latency for the link × 2", margin.words()
    return (Line("margin_latency_ms", title, got, limit, left, "ms", verdict, note=note),)


def _reasons(measured: Measured, lines: Sequence[Line]) -> list[str]:
    """Return why the test failed, the cause before the consequence."""
    failed = {line.name: line for line in lines if line.verdict is CheckVerdict.FAIL}
    reasons = [*_busy_hosts(measured)] if failed.keys() & _SPOILED_BY_BUSY_HOSTS else []
    if "lost_packets_max" in failed:
        reasons.append(f"The receiver lost {failed['lost_packets_max'].got:.0f} packets for good.")
        if _is_held_back(measured):
            reasons.append("Retransmissions were delayed: the sending cap was reached. Raise the overhead.")
    if "output_gap_max_ms" in failed:
        frozen_ms = max((second.frozen_ms for second in measured.receiver), default=0.0)
        if frozen_ms > 0 and "lost_packets_max" not in failed:
            reasons.append(f"The output froze for {frozen_ms / 1000:.1f} s although no packet was lost.")
        else:
            reasons.append(f"The output paused for {failed['output_gap_max_ms'].got:.0f} ms.")
    if "continuity_errors_max" in failed:
        encoder = sum(_encoder_errors(measured.receiver))
        if encoder:
            reasons.append(
                f"The sender's encoder made {encoder} continuity errors: no packet was lost in those seconds."
            )
    if "interruptions_max" in failed:
        count = failed["interruptions_max"].got or 0
        reasons.append(f"The connection was lost {'once' if count == 1 else f'{count:.0f} times'}.")
    named = {"lost_packets_max", "output_gap_max_ms", "continuity_errors_max", "interruptions_max"}
    reasons += [_exceeded(line) for line in lines if line.name in failed and line.name not in named]
    reasons += [f"{check.title}: {check.got}." for check in measured.checks if check.verdict is CheckVerdict.FAIL]
    return reasons or ["A limit was exceeded."]


def _exceeded(line: Line) -> str:
    words = f"{line.title}: {_figure(line.got)} {line.unit}, limit {_figure(line.limit)}."
    return f"{words} {line.note}" if line.name.startswith("priority_") else words


def _busy_hosts(measured: Measured) -> Iterator[str]:
    """Name a host that was too busy: its pause looks like a fault of the link or of the source."""
    if held_up := sum(second.is_held_up for second in measured.receiver):
        yield f"The receiving host was too busy to receive in {held_up} s. Repeat the test on an idle host."
    if measured.sender_delayed:
        yield "The sending host was too busy and delayed the stream. Repeat the test on an idle host."


def _encoder_errors(seconds: Sequence[ReceiverSecond]) -> Iterator[int]:
    """Return the continuity errors that only the encoder can have made, without seconds around a pause of the host.

    The loss behind a pause is counted when it is given up, perhaps a second after the error.
    """
    for before, second in pairwise((ReceiverSecond(0.0), *seconds)):
        if not (before.is_held_up or second.is_held_up):
            yield second.encoder_errors


def _remarks(measured: Measured, lines: Sequence[Line]) -> str:
    open_lines = [line.title for line in lines if line.verdict is CheckVerdict.UNKNOWN]
    remarks = [
        f"{line.title} ({_figure(line.got)} {line.unit}, limit {_figure(line.limit)})"
        for line in lines
        if line.verdict is CheckVerdict.REMARK
    ]
    remarks += [check.title for check in measured.checks if check.verdict is CheckVerdict.REMARK]
    parts = []
    if remarks:
        parts.append(f"Check: {', '.join(remarks)}.")
    if open_lines:
        parts.append(f"Not measured: {', '.join(open_lines)}.")
    return " ".join(parts) or "Some checks could not be made."


def _passed(measured: Measured) -> str:
    packets = sum(second.packets_unique for second in measured.receiver)
    return f"Every figure is within its limit: {packets} packets received, none lost."


def _is_held_back(measured: Measured) -> bool:
    if measured.cap_mbps is None or not measured.sender:
        return False
    at_cap = sum(
        second.packets_retransmitted > 0 and second.wire_mbps >= _AT_CAP * measured.cap_mbps
        for second in measured.sender
    )
    return at_cap >= _AT_CAP_SHARE * len(measured.sender)


def _rule_of_three(seconds: Sequence[ReceiverSecond]) -> str:
    """With no event in n trials, the rate is below 3/n with 95 % confidence (Hanley and Lippman-Hand, 1983)."""
    packets = sum(second.packets_unique for second in seconds)
    if not packets or any(second.packets_lost for second in seconds):
        return ""
    return f"None of {packets:,}: with 95 % confidence, fewer than 1 in {packets // 3:,} of all packets are lost."


def _lowest_headroom(seconds: Sequence[ReceiverSecond]) -> tuple[float | None, float | None]:
    shares = [
        (100 * second.headroom_ms / second.latency_ms, second.at)
        for second in seconds
        if second.headroom_ms is not None and second.latency_ms
    ]
    lowest = min(shares, default=None)
    return (None, None) if lowest is None else (round(lowest[0], 1), lowest[1])


def _sum_of(seconds: Sequence[ReceiverSecond], read: Callable[[ReceiverSecond], int]) -> tuple[int, float | None]:
    """Return the sum, and the time of the worst second."""
    worst = max(seconds, key=read, default=None)
    return sum(map(read, seconds)), worst.at if worst is not None and read(worst) else None


def _max_of(seconds: Sequence[ReceiverSecond], read: Callable[[ReceiverSecond], float]) -> tuple[float, float | None]:
    worst = max(seconds, key=read, default=None)
    return (0.0, None) if worst is None else (round(read(worst), 1), worst.at if read(worst) else None)


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _interruptions(measured: Measured) -> int | None:
    """Count how often an established connection was lost, at the end that noticed most of it.

    A connection that is back within a second is missing in the seconds of both ends; a worker that restarted has
    forgotten the connection before.
    """
    ends = ([second.is_connected for second in measured.receiver], [second.peers > 0 for second in measured.sender])
    losses = [sum(before and not after for before, after in pairwise(end)) for end in ends if end]
    return max(*losses, len(measured.reconnected)) if losses else None
