"""Explains a recommendation in sentences: the row, the edition, the assumptions and the consequences."""

from __future__ import annotations

from typing import Final

from app.domain.advice.recommendation import (
    LATENCY_MS_FLOOR,
    SHORT_RTT_MS,
    TABLES,
    Advice,
    Basis,
    Expectation,
    Figure,
    Settings,
    Verdict,
)
from app.domain.constants import (
    LATENCY_MS_HIGHEST,
    LATENCY_MS_LOWEST,
    OVERHEAD_PERCENT_HIGHEST,
    OVERHEAD_PERCENT_LOWEST,
)

NO_LOSS: Final = "no loss expected"
_UNSTEADY_RTT: Final = 1.5
_UNITS: Final = (("a second", 1), ("a minute", 60), ("an hour", 3600), ("a day", 86_400), ("a year", 31_557_600))


def working(advice: Advice) -> tuple[str, ...]:
    """Explain how the recommendation was reached, one sentence per step, every figure with its basis."""
    return (
        f"RTT {_ms(advice.link.rtt_ms.value)} ({_basis(advice.link.rtt_ms)}).",
        _loss_sentence(advice),
        _row_sentence(advice),
        _latency_sentence(advice),
        _overhead_sentence(advice),
        expectation_sentence(advice.recommended, advice),
        bandwidth_sentence(advice.recommended.expected, advice),
    )


def assumptions(advice: Advice) -> tuple[str, ...]:
    """Name every figure behind the recommendation that was not measured."""
    figures = {"RTT": advice.link.rtt_ms, "loss": advice.link.loss, "bandwidth": advice.link.bandwidth_bps}
    return tuple(
        f"{name} is {figure.basis.value}: {figure.source}"
        for name, figure in figures.items()
        if figure is not None and figure.basis is not Basis.MEASURED
    )


def warnings(advice: Advice) -> tuple[str, ...]:
    """Name what could make the recommendation wrong on this link."""
    link = advice.link
    found = []
    if advice.outside_guide:
        limit = TABLES[advice.edition][-1].loss_percent_max
        found.append(
            f"{_percent(link.loss.value)} loss is outside the guide, which ends at {limit:g} %. "
            "The value is the formula's; fix the path first."
        )
    if 2 * link.loss.value > OVERHEAD_PERCENT_HIGHEST:
        found.append(
            f"This loss needs more overhead than the {OVERHEAD_PERCENT_HIGHEST} % that can be set: "
            "retransmissions will be delayed."
        )
    if link.rtt_ms_max is not None and link.rtt_ms_max > max(_UNSTEADY_RTT * link.rtt_ms.value, SHORT_RTT_MS):
        found.append(
            f"The RTT went up to {_ms(link.rtt_ms_max)}: with {advice.k:g} × that, the latency would be "
            f"{_ms(advice.k * link.rtt_ms_max)}."
        )
    if advice.recommended.latency_ms == LATENCY_MS_HIGHEST:
        found.append(f"The latency is held at {LATENCY_MS_HIGHEST} ms, the highest value that can be set.")
    return tuple(found)


def rarity(lost_per_hour: float) -> str:
    """Express a rate of lost packets in a readable unit: `3 lost packets an hour`."""
    if lost_per_hour <= 0:
        return NO_LOSS
    for unit, seconds in _UNITS:
        # 59.99 an hour would round to 60 an hour: show 1 a minute.
        if (count := lost_per_hour * seconds / 3600) >= 0.95:
            return f"{count:.0f} lost packet{'s' if round(count) != 1 else ''} {unit}"
    years = 3600 / (lost_per_hour * _UNITS[-1][1])
    return NO_LOSS if years > 100 else f"one lost packet in {years:.0f} years"


def multiple(k: float) -> str:
    """Return latency / RTT as text; above 99 the exact value has no meaning."""
    return "more than 99" if k > 99 else f"{k:.1f}"


def expected_loss(lost_per_hour: float, *, promise: str = "") -> str:
    """Say what to expect of random losses: `expect 3 lost packets an hour if losses are random`."""
    rate = rarity(lost_per_hour)
    return f"{NO_LOSS if rate == NO_LOSS else f'expect {promise}{rate}'} if losses are random"


def expectation_sentence(settings: Settings, advice: Advice) -> str:
    """Say what remains lost at these settings, and the longest outage that is repaired."""
    expected = settings.expected
    promise = "at most " if advice.loss_percent_planned > advice.link.loss.value else ""
    return (
        f"Latency {settings.latency_ms} ms is {multiple(expected.k)} × RTT: "
        f"{expected_loss(expected.lost_per_hour, promise=promise)} at {_mbps(advice.link.bitrate_bps)}; "
        f"repairs outages of up to {_ms(expected.burst_ms)}."
    )


def bandwidth_sentence(expected: Expectation, advice: Advice) -> str:
    """Compare the bandwidth needed, with overhead, with the one measured."""
    needed = f"Needed with overhead: {_mbps(expected.bandwidth_needed_bps)}"
    figure = advice.link.bandwidth_bps
    if figure is None:
        return f"{needed}; the bandwidth was not measured."
    found = f"{needed}; {_mbps(figure.value)} {_basis(figure)}"
    match expected.bandwidth:
        case Verdict.ENOUGH:
            return f"{found}: enough."
        case Verdict.UNPROVEN:
            return f"{found}, and no more was offered: not proven. Test with TCP, or UDP at the bitrate needed."
        case Verdict.TIGHT:
            return f"{found}: enough for the stream, too little for its retransmissions."
        case _:
            return f"{found}: too little for the stream."


def _loss_sentence(advice: Advice) -> str:
    link = advice.link
    if advice.loss_percent_planned > link.loss.value:
        return (
            f"Loss 0 % ({_basis(link.loss)}): none of {link.loss_packets} packets, so the true loss is probably under "
            f"{_percent(advice.loss_percent_planned)} (95 % sure); the expectation assumes that."
        )
    return f"Loss {_percent(link.loss.value)} ({_basis(link.loss)})."


def _row_sentence(advice: Advice) -> str:
    if advice.row is None:
        last = TABLES[advice.edition][-1]
        return (
            f"Outside the Haivision guide, edition {advice.edition.value}: its last row ends at "
            f"{last.loss_percent_max:g} % loss. {advice.k:g} × RTT has the same residual loss as {last.k} × RTT there."
        )
    row = advice.row
    return (
        f"Haivision SRT Deployment Guide, edition {advice.edition.value}, row up to {row.loss_percent_max:g} % loss: "
        f"{row.k} × RTT, and at least {row.latency_ms_min} ms when the RTT is {SHORT_RTT_MS} ms or less."
    )


def _latency_sentence(advice: Advice) -> str:
    product = advice.k * advice.link.rtt_ms.value
    latency_ms = advice.recommended.latency_ms
    sum_ = f"{advice.k:g} × {_ms(advice.link.rtt_ms.value)} = {_ms(product)}"
    if latency_ms - product < 1 and product <= latency_ms:
        return f"Latency: {sum_}, set {latency_ms} ms."
    if product > latency_ms:
        return f"Latency: {sum_}, held at {latency_ms} ms, the highest value that can be set."
    minimum = advice.row.latency_ms_min if advice.row and advice.link.rtt_ms.value <= SHORT_RTT_MS else 0
    if latency_ms == minimum:
        return f"Latency: {sum_}, raised to the row's minimum of {latency_ms} ms."
    if latency_ms == LATENCY_MS_LOWEST:
        return f"Latency: {sum_}, raised to {latency_ms} ms, the lowest value that can be set."
    floor = "the guide's floor" if latency_ms == LATENCY_MS_FLOOR else "the requested floor"
    return f"Latency: {sum_}, raised to {latency_ms} ms, {floor}."


def _overhead_sentence(advice: Advice) -> str:
    percent = advice.recommended.overhead_percent
    if advice.link.loss.basis is Basis.ASSUMED:
        return f"Overhead: {percent} %, the usual value when nothing is known of the loss."
    rule = (
        f"Overhead: the largest of {OVERHEAD_PERCENT_LOWEST} %, 100 / {advice.k:g} = {_percent(100 / advice.k)} "
        f"(a burst of one RTT) and 2 × {_percent(advice.link.loss.value)} loss, set {percent} %"
    )
    if advice.row and advice.row.overhead_percent < percent:
        return f"{rule}; the guide's row says {advice.row.overhead_percent} %, too little for losses in bursts."
    return f"{rule}."


def _basis(figure: Figure) -> str:
    return f"{figure.basis.value}: {figure.source}"


def _ms(value: float) -> str:
    if value < 1:
        return f"{value:.2f} ms"
    return f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"


def _percent(value: float) -> str:
    return f"{value:.3g} %"


def _mbps(bits_per_second: float) -> str:
    value = bits_per_second / 1e6
    return f"{value:.0f} Mb/s" if value >= 1000 else f"{round(value, 2):g} Mb/s"
