"""What the supervisor knows of a stream at a moment, as one immutable value for everybody above."""

from __future__ import annotations

from typing import Any

import msgspec

from app.domain.spec import StreamSpec
from app.domain.stats import Rates
from app.domain.status import Reason, Status
from app.protocol import Sample


class Refusal(msgspec.Struct, frozen=True):
    """A peer that was turned away, counted per address and reason. Times are Unix."""

    address: str
    reason: Reason | None
    count: int
    first_at: float
    last_at: float


class LogEntry(msgspec.Struct, frozen=True):
    """One event of a stream. A repeated event raises `count` and `at` of its entry instead of adding one."""

    at: float
    key: str
    name: str
    kind: str
    text: str
    count: int = 1
    first_at: float = 0.0
    actor: str = "system"


class Snapshot(msgspec.Struct, frozen=True):
    """A stream at a moment. `status` times and all others are Unix seconds.

    `sample` is None before the first one of the present worker; `sample_age_s` is its age. `rates` sum the stream over
    the last second, `peer_rates` has them by `Peer.id`; both are None or empty until two samples are there.
    `is_other_version` tells that the worker is of another version of this program and cannot be understood in full.
    `totals` are the counters since the stream was ordered to run, earlier workers included (names as in Point).
    `fault` is why the stream will not be started again without an order. `spec` is a stand-in while `is_spec_known` is
    False; `stored_json` is then what the store keeps of it.
    """

    key: str
    spec: StreamSpec
    status: Status
    ordered_at: float
    sample: Sample | None = None
    sample_age_s: float | None = None
    rates: Rates | None = None
    peer_rates: dict[int, Rates] = {}
    totals: dict[str, int] = {}
    retry_in_s: float | None = None
    worker_pid: int | None = None
    worker_started_at: float | None = None
    is_other_version: bool = False
    refusals: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()
    detail: str = ""
    file_bitrate_bps: int | None = None
    applied: dict[str, Any] = {}
    fault: Reason | None = None
    is_spec_known: bool = True
    stored_json: str = ""
