"""One rehearsal: the record that is stored and shown."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from app.domain.rehearsal.plan import RehearsalPlan
from app.domain.rehearsal.tally import LatencyVerdict, Tally, judge


class RehearsalState(StrEnum):
    """The progress of a rehearsal. FAILED: it could not measure; `problem` says why."""

    STARTING = "starting"
    MEASURING = "measuring"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


UNDER_WAY: Final = frozenset({RehearsalState.STARTING, RehearsalState.MEASURING})


class Attempt(msgspec.Struct, frozen=True):
    """One latency: the keys of its three streams, empty before they are started, and what was measured."""

    latency_ms: int
    receiver: str = ""
    relay: str = ""
    sender: str = ""
    tally: Tally = Tally()

    def keys(self) -> list[str]:
        """Return the keys of the existing streams, the sender first: the order in which to stop them."""
        return [key for key in (self.sender, self.relay, self.receiver) if key]


class Rehearsal(msgspec.Struct, frozen=True):
    """A rehearsal. Times are Unix seconds; `label` names the copied stream."""

    id: str
    plan: RehearsalPlan
    state: RehearsalState
    started_at: float
    attempts: tuple[Attempt, ...]
    label: str = ""
    actor: str = ""
    measured_from: float | None = None
    finished_at: float | None = None
    problem: str = ""

    def ends_at(self) -> float | None:
        """When the measurement ends, None before it has begun."""
        return None if self.measured_from is None else self.measured_from + self.plan.duration_s

    def elapsed_s(self, now: float) -> float:
        """Return how long it has been measuring."""
        if self.measured_from is None:
            return 0.0
        return min(float(self.plan.duration_s), max(0.0, (self.finished_at or now) - self.measured_from))

    def verdict_of(self, attempt: Attempt, now: float) -> LatencyVerdict | None:
        """Return the present verdict of a latency, None before anything was measured."""
        return judge(attempt.tally, elapsed_s=self.elapsed_s(now)) if attempt.tally.seconds else None

    def lowest_held(self, now: float) -> int | None:
        """Return the lowest latency that held together with every higher one; None if the highest did not hold."""
        lowest = None
        for attempt in reversed(self.attempts):
            if self.verdict_of(attempt, now) is not LatencyVerdict.HELD:
                break
            lowest = attempt.latency_ms
        return lowest


_decoder = msgspec.json.Decoder(Rehearsal)


def encode_rehearsal(run: Rehearsal) -> bytes:
    """Encode the rehearsal as canonical JSON."""
    return msgspec.json.encode(run, order="deterministic")


def decode_rehearsal(body: bytes) -> Rehearsal:
    """Read a stored rehearsal. Raises msgspec.DecodeError."""
    return _decoder.decode(body)
