"""The verdict's fields in the views of a stream: severities of single figures, and expected receivers."""

from __future__ import annotations

from typing import Annotated

from app.domain.verdict import Severity
from app.web.presenters.counter_views import View, described


class LossView(View, frozen=True):
    """The estimated loss at the far end, with its severity."""

    ratio_severity: Annotated[Severity, described("Severity of latency / RTT")]
    lost_at_receiver: Annotated[
        float | None,
        described("Lost at receiver: estimated fraction of packets that never arrive in time, within a factor of 3"),
    ]
    lost_text: Annotated[str, described("The same for people")]
    loss_severity: Annotated[Severity, described("Severity of that loss: a fault above 1 in 10,000")]


class JudgedView(LossView, frozen=True):
    """A stream that was judged."""

    is_stale: Annotated[bool, described("Whether the figures are old")]
    is_ordered: Annotated[bool, described("Whether it is on air or starting: it can be stopped")]
    receivers_expected: Annotated[int, described("Expected receivers: set, or counted after one minute")]
    receivers_missing: Annotated[int, described("Expected receivers that are missing")]
