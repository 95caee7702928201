"""The posted report of a probe as the receiving end of a run. The run covers the past time of the probe."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.errors import InvalidInput, NotFound
from app.domain.lineup.content import Content
from app.domain.lineup.measured import Check, CheckVerdict, IndicatorSeconds, ReceiverSecond
from app.domain.probe_report import KeptReport
from app.lineup.clocks import ClockDifference, check_clock
from app.lineup.ends import CLOCKS_AGREE_S
from app.lineup.probe_reports import ProbeReports

_POSTED_WITHIN_S: Final = 1.0  # of the probe's end, because the report is made and sent at once
_WITHIN_S: Final = 0.001  # keeps the last second inside the run despite rounded sums


class ProbeEnd:
    """The measurements of a probe at another host, with its times converted to this host's."""

    def __init__(self, reports: ProbeReports, report_id: str) -> None:
        """Read the report. Raises InvalidInput if it does not exist or has no seconds."""
        self._kept = _found(reports, report_id)
        history = reports.history(report_id)
        if not history:
            raise InvalidInput.of({"receiver.report": _without_seconds(self._kept)})
        self.clock_ahead_s = self._kept.report.ended_at - self._kept.received_at
        shift_s = 0.0 if abs(self.clock_ahead_s) < CLOCKS_AGREE_S else self.clock_ahead_s
        self._seconds = [_second(each, shift_s) for each in history]

    @property
    def begins_at(self) -> float:
        """When the run begins, by this host's clock. Its last second is the last one of the report."""
        return self._seconds[-1].at - self.duration_s + _WITHIN_S

    @property
    def duration_s(self) -> int:
        """How long the probe measured. On a busy host, a second may be longer or shorter than one."""
        return round(self._seconds[-1].at - self._seconds[0].at) + 1

    def check(self) -> str:
        """Return the prober's host and the address that it received from."""
        return f"probe at {self._kept.report.host}, received from {self._kept.report.target}"

    def checks(self) -> list[Check]:
        """Make the one check that is possible after a probe: its clock. The other checks need the connection."""
        skipped = Check("Connection", "during the probe", "the probe is over", "–", CheckVerdict.SKIPPED)
        found = ClockDifference(self.clock_ahead_s, _POSTED_WITHIN_S)
        return [check_clock(self._kept.report.host, found, limit_s=CLOCKS_AGREE_S), skipped]

    def read(self, seconds: int) -> list[ReceiverSecond]:
        """Return the seconds of the report."""
        return self._seconds[-seconds:] if seconds < len(self._seconds) else self._seconds

    def indicators(self) -> tuple[IndicatorSeconds, ...] | None:
        """Return the error-seconds that the probe counted."""
        found = self._kept.report.indicators
        if found is None:
            return None
        return tuple(IndicatorSeconds(name, each.priority, each.error_seconds) for name, each in found.items())

    def content(self) -> Content:
        """Return nothing: a probe decodes neither picture nor sound."""
        return Content()


def _found(reports: ProbeReports, report_id: str) -> KeptReport:
    try:
        return reports.get(report_id)
    except NotFound:
        text = f"there is no probe report {report_id[:40]}; run `mcr probe --report` at the far end"
        raise InvalidInput.of({"receiver.report": text}) from None


def _without_seconds(kept: KeptReport) -> str:
    if kept.report.severity == "none":
        return f"this probe measured nothing ({kept.report.text}); run it again"
    return "this report has no seconds; run `mcr probe --report` of the present version"


def _second(second: ReceiverSecond, shift_s: float) -> ReceiverSecond:
    return msgspec.structs.replace(second, at=second.at - shift_s)
