"""Detects pauses of the host in the loop of a send stream's worker. A receiver has its own account of pauses."""

from __future__ import annotations

from typing import Final

from app.domain.events import HOST_DELAYED_STREAM, NoticeCode
from app.domain.spec import JobSpec, SendSpec
from app.machine.steady_clock import unix_now
from app.protocol import Notice

_REPORTED_S: Final = 0.5


def pause_notice(spec: JobSpec, late_s: float) -> Notice | None:
    """Return the notice for a loop that continues this much later than planned; None for a short delay."""
    if late_s < _REPORTED_S or not isinstance(spec, SendSpec):
        return None
    return Notice(unix_now(), NoticeCode.MACHINE_PAUSED, f"{HOST_DELAYED_STREAM} {late_s:.1f} s")
