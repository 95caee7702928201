"""What a link must carry and survives at given settings, for the form while it is filled in."""

from __future__ import annotations

from typing import Annotated

from app.domain.link_budget import (
    applied_overhead_percent,
    bandwidth_needed_bps,
    burst_repaired_ms,
    outage_survived_ms,
    shown_mbps,
)
from app.web.presenters.counter_views import View, described


class LinkBudgetView(View, frozen=True):
    """The link budget of given settings."""

    overhead_percent_applied: Annotated[int, described("Overhead that libsrt uses: at least 5 %")]
    burst_repaired_ms: Annotated[float, described("Longest run of lost packets that the overhead can repair")]
    outage_survived_ms: Annotated[
        float | None, described("Longest complete outage that does not delay the output; null without an RTT")
    ]
    needed_mbps: Annotated[
        float | None, described("Payload, headers, and libsrt's cap for retransmissions; null without a bitrate")
    ]
    text: Annotated[str, described("The same as sentences")]


def present_link_budget(
    *, latency_ms: int, overhead_percent: int, bitrate_bps: int | None, rtt_ms: int | None
) -> LinkBudgetView:
    """Return the link budget of settings. `bitrate_bps` and `rtt_ms` are None where they are not known."""
    applied = applied_overhead_percent(overhead_percent)
    burst_ms = burst_repaired_ms(latency_ms, overhead_percent)
    outage_ms = None if rtt_ms is None else outage_survived_ms(latency_ms, rtt_ms)
    needed = shown_mbps(bandwidth_needed_bps(bitrate_bps, overhead_percent)) if bitrate_bps else None
    sentences = [f"Repairs bursts of up to {burst_ms:.0f} ms."]
    if applied != overhead_percent:
        sentences.append(f"SRT applies at least {applied} %.")
    if needed is not None:
        sentences.append(f"Needs {needed:.2f} Mb/s.")
    return LinkBudgetView(
        overhead_percent_applied=applied,
        burst_repaired_ms=round(burst_ms, 1),
        outage_survived_ms=outage_ms,
        needed_mbps=needed,
        text=" ".join(sentences),
    )
