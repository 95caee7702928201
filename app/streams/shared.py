"""Streams that several hosts share: passes the orders of other hosts to the supervisor, and shows the carrying host."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Final

import msgspec

from app.domain.errors import NotFound
from app.domain.snapshot import Snapshot
from app.domain.status import Order
from app.machine.steady_clock import unix_now
from app.protocol import Job
from app.store.recorder import Recorder
from app.streams.stored_form import stored_form
from app.supervisor.known import Known
from app.supervisor.launchers.base import Launcher
from app.supervisor.supervisor import Supervisor

_ACTOR: Final = "cluster"


class Shared:
    """Fulfils launchers.base.SharedStreams."""

    def __init__(self, supervisor: Supervisor, recorder: Recorder) -> None:
        self._supervisor = supervisor
        self._recorder = recorder

    def jobs(self) -> dict[str, tuple[Job, bool]]:
        """Return the job of each stream and whether it is ordered to run."""
        found = {}
        for snapshot in self._supervisor.snapshots():
            with contextlib.suppress(NotFound):  # removed meanwhile
                found[snapshot.key] = self._supervisor.job(snapshot.key), snapshot.status.order is Order.RUN
        return found

    def take_on(self, job: Job, *, is_wanted: bool) -> None:
        """List a stream that another host ordered."""
        self._supervisor.resume(job, Known(Order.RUN if is_wanted else Order.STOP, unix_now()))
        self._keep(job.key)

    def follow(self, job: Job, *, is_wanted: bool) -> None:
        """Follow an order that another host gave."""
        try:
            is_running = self._supervisor.snapshot(job.key).status.order is Order.RUN
            if is_wanted and not is_running:
                # The host that ordered it has checked it. Here the agent's worker may hold its port already.
                self._supervisor.start(job.key, job, actor=_ACTOR, is_admitted=True)
            else:
                self._supervisor.replace(job.key, job)
            if is_running and not is_wanted:
                self._supervisor.stop(job.key, actor=_ACTOR)
            self._keep(job.key)
        except NotFound:
            return  # removed meanwhile

    def let_go(self, key: str) -> None:
        """Delete a stream that another host removed."""
        self._supervisor.forget(key)
        self._recorder.remove(key)

    def note(self, key: str, text: str) -> None:
        """Log an event of a stream."""
        self._supervisor.note(key, text)

    def _keep(self, key: str) -> None:
        self._recorder.keep(stored_form(self._supervisor.snapshot(key)))


def mark_elsewhere(snapshots: Sequence[Snapshot], launcher: Launcher) -> list[Snapshot]:
    """Return the snapshots. Those of streams on another host have its name and its report."""
    marked = []
    for snapshot in snapshots:
        place = launcher.elsewhere(snapshot.key) if snapshot.status.order is Order.RUN else None
        if place is None:
            marked.append(snapshot)
            continue
        status = msgspec.structs.replace(snapshot.status, phase=place.phase, reason=None, retry_at=None)
        if place.host:
            where = f"The cluster carries this stream on {place.host}."
        else:
            where = f"No host carries this stream. {place.why}" if place.why else "No host carries this stream yet."
        marked.append(
            Snapshot(
                snapshot.key,
                snapshot.spec,
                status,
                snapshot.ordered_at,
                notices=(where,),
                detail=place.why,
                is_spec_known=snapshot.is_spec_known,
                stored_json=snapshot.stored_json,
                host=place.host,
            )
        )
    return marked
