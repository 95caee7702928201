"""Derives from a stream's samples what its phase does not show: missing receivers, errors of the source."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from app.domain.attendance import Attendance, follow, learnt
from app.domain.events import EventKind
from app.domain.figures.counters import growth
from app.domain.figures.sample import Peer, Point, Sample
from app.domain.spec import JobSpec, SendSpec
from app.supervisor.health import SILENCE_S
from app.supervisor.notes import Note, note_missing, note_source_errors


class StreamWatch:
    """Follows the samples of one stream over all its workers. Methods return the events to log."""

    def __init__(self) -> None:
        self.attendance = Attendance()
        self.source_errors_at: float | None = None
        self._errors_total: int | None = None  # of the present worker; None before its first reading
        # By address: the last reading of a peer with a new acknowledgement, and its time.
        self._heard: dict[str, tuple[Peer, float]] = {}

    def forget(self) -> None:
        """Start again: the stream was ordered to run, and the earlier number of receivers does not count."""
        self.attendance = Attendance()
        self.source_errors_at = None

    def recall(self, points: Sequence[Point], spec: JobSpec) -> None:
        """Learn the number of receivers, and the errors so far, of an adopted worker from its history."""
        if self._errors_total is None and points:
            self._errors_total = points[-1].continuity_errors_total
        if isinstance(spec, SendSpec) and not spec.is_call and spec.receivers_expected is None:
            expected = max(self.attendance.expected, learnt((point.at, point.peers) for point in points))
            self.attendance = msgspec.structs.replace(self.attendance, expected=expected)

    def follow(self, sample: Sample, spec: JobSpec, now: float) -> list[Note]:
        """Take a sample."""
        notes: list[Note] = []
        errors = growth(self._errors_total or 0, sample.point.continuity_errors_total)
        self._errors_total = sample.point.continuity_errors_total
        if errors:
            self.source_errors_at = now
            notes.append(note_source_errors())
        return notes + self._attend(spec, self._present(sample, now), now)

    def _present(self, sample: Sample, now: float) -> dict[str, float]:
        """Return the connected receivers with their seconds since connecting.

        A receiver that was killed stays connected for some seconds. One that acknowledges none of the packets sent to
        it counts as absent.
        """
        earlier, self._heard = self._heard, {}
        for peer in sample.peers:
            before = earlier.get(peer.address)
            is_silent = (
                before is not None
                and growth(before[0].packets_sent_unique_total, peer.packets_sent_unique_total) > 0
                and growth(before[0].acks_total, peer.acks_total) == 0
            )
            self._heard[peer.address] = before if before is not None and is_silent else (peer, now)
        return {
            peer.address: sample.point.at - peer.connected_at
            for peer in sample.peers
            if now - self._heard[peer.address][1] < SILENCE_S
        }

    def end_worker(self, spec: JobSpec, now: float) -> list[Note]:
        """Note that the worker left, and every connection with it."""
        self._errors_total = 0
        return self._attend(spec, {}, now)

    def _attend(self, spec: JobSpec, connected_s: dict[str, float], now: float) -> list[Note]:
        if not isinstance(spec, SendSpec) or spec.is_call:
            return []
        before = self.attendance
        self.attendance = follow(before, connected_s, now, wanted=spec.receivers_expected)
        if self.attendance.missing > before.missing:
            return [note_missing(self.attendance)]
        if before.missing and not self.attendance.missing:
            return [(EventKind.PRESENT, f"all {self.attendance.expected} expected receivers are back")]
        return []
