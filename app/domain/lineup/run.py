"""One run of a line-up test: the record that is stored, shown and turned into a report."""

from __future__ import annotations

import hashlib
from enum import StrEnum

import msgspec

from app.domain.lineup.conclusion import Conclusion, conclude
from app.domain.lineup.content import Content
from app.domain.lineup.measured import IndicatorSeconds, Measured
from app.domain.lineup.plan import Plan


class RunState(StrEnum):
    """The progress of a run. FAILED: it could not measure; `problem` says why, and its measurements so far are kept."""

    CONFIGURATION = "configuration"
    PERFORMANCE = "performance"
    MARGIN = "margin"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


RUNNING = frozenset({RunState.CONFIGURATION, RunState.PERFORMANCE, RunState.MARGIN})


class SettingFact(msgspec.Struct, frozen=True):
    """A setting as it was requested, applied, and negotiated with the far end."""

    title: str
    requested: str
    applied: str
    negotiated: str


class Facts(msgspec.Struct, frozen=True):
    """What the report says about the two ends."""

    hostname: str = ""
    version: str = ""
    stream: str = ""
    receiver: str = ""
    far_end_version: str = ""
    settings: tuple[SettingFact, ...] = ()


class RunEvent(msgspec.Struct, frozen=True):
    """Something that happened to either end during the run. `at` is Unix time."""

    at: float
    text: str


class Run(msgspec.Struct, frozen=True):
    """A run. Times are Unix seconds; `performance_at` is the beginning of the performance test.

    `baseline` and `content_before` have the receive stream's counts from before that; `counted_at` is when they were
    last compared with its present ones.
    """

    id: str
    plan: Plan
    state: RunState
    started_at: float
    actor: str = ""
    performance_at: float | None = None
    finished_at: float | None = None
    problem: str = ""
    facts: Facts = Facts()
    baseline: tuple[IndicatorSeconds, ...] = ()
    content_before: Content = Content()
    counted_at: float | None = None
    measured: Measured = Measured()
    events: tuple[RunEvent, ...] = ()
    conclusion: Conclusion | None = None

    def judged(self) -> Run:
        """Return the run with a conclusion from its measurements so far."""
        return msgspec.structs.replace(self, conclusion=conclude(self.plan, self.measured))

    def ends_at(self) -> float | None:
        """When the performance test ends, None before it has begun."""
        return None if self.performance_at is None else self.performance_at + self.plan.seconds()

    def part_ends_at(self) -> float | None:
        """When the present part ends, the performance test or the margin test. None before it has begun."""
        if self.state is not RunState.MARGIN:
            return self.ends_at()
        return None if self.measured.margin is None else self.measured.margin.ends_at

    def progress(self, now: float) -> float:
        """The progress of the present part, 0 to 1: the performance test, and after it the margin test."""
        if (ends_at := self.part_ends_at()) is None:
            return 0.0
        length_s = self.plan.margin_s if self.state is RunState.MARGIN else self.plan.seconds()
        return min(1.0, max(0.0, 1 - (ends_at - (self.finished_at or now)) / length_s))


_decoder = msgspec.json.Decoder(Run)


def encode_run(run: Run) -> bytes:
    """Encode the run as canonical JSON, which is stored and whose digest the report carries."""
    return msgspec.json.encode(run, order="deterministic")


def decode_run(body: bytes) -> Run:
    """Read a stored run. Raises msgspec.DecodeError."""
    return _decoder.decode(body)


def digest(run: Run) -> str:
    """Return the SHA-256 of the run's canonical JSON, in hexadecimal."""
    return hashlib.sha256(encode_run(run)).hexdigest()
