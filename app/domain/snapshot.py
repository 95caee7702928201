"""The state of a stream at one moment, as one immutable value for all code above the supervisor."""

from __future__ import annotations

import msgspec

from app.domain.attendance import Attendance
from app.domain.events import Refusal
from app.domain.figures.counters import Counters
from app.domain.figures.live_report import LiveReport
from app.domain.figures.outputs import OutputsReport
from app.domain.figures.rates import Rates
from app.domain.figures.reception import Reception
from app.domain.figures.sample import NOTHING_APPLIED, Applied, Sample
from app.domain.spec import JobSpec
from app.domain.status import Reason, Status


class Snapshot(msgspec.Struct, frozen=True):
    """A stream at a moment. `status` times and all others are Unix seconds.

    `sample` is None before the first one of the present worker; `sample_age_s` is its age. `rates` sum the stream over
    the last second, `peer_rates` has them by `Peer.id`; both are None or empty until two samples exist.
    `is_other_version`: the worker is of another version of this program and cannot be understood in full. `totals` are
    the counters since the stream was ordered to run, earlier workers included. `source_errors_at` is when the source
    last had continuity errors. `fault` is why the stream will not be started again without an order. `spec` is a
    stand-in while `is_spec_known` is False; `stored_json` is then what the store keeps of it. `reception`, `analysis`
    and `outputs` are those of a receive stream. `impaired_by` is the key of the relay of this host that it runs
    through, a relay's own key for itself. `host` is the host of the cluster that carries it, empty for this one.
    """

    key: str
    spec: JobSpec
    status: Status
    ordered_at: float
    sample: Sample | None = None
    sample_age_s: float | None = None
    rates: Rates | None = None
    peer_rates: dict[int, Rates] = {}
    totals: Counters = Counters()
    retry_in_s: float | None = None
    worker_pid: int | None = None
    worker_started_at: float | None = None
    is_other_version: bool = False
    refusals: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()
    detail: str = ""
    file_bitrate_bps: int | None = None
    applied: Applied = NOTHING_APPLIED
    attendance: Attendance = Attendance()
    source_errors_at: float | None = None
    fault: Reason | None = None
    is_spec_known: bool = True
    stored_json: str = ""
    reception: Reception | None = None
    analysis: LiveReport | None = None
    outputs: OutputsReport = OutputsReport()
    impaired_by: str = ""
    host: str = ""
