"""Takes over the streams of an earlier process: adopts live workers, and starts again what was ordered.

No stream on air is taken off because the store is lost, new, damaged or of another version.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Collection
from typing import Final

from app.domain.errors import InvalidInput, NotFound, StreamsDoNotAnswer
from app.domain.events import LogEntry
from app.domain.spec import JobSpec
from app.domain.status import Order, Reason
from app.domain.stored_spec import salvage_spec
from app.machine.steady_clock import unix_now
from app.media.patience import MediaDoesNotAnswer
from app.protocol import Job
from app.store.recorder import Recorder
from app.store.spare import SpareOrders
from app.store.store import Store, StoredStream, Unreadable
from app.store.unavailable import StoreUnavailable
from app.streams.jobs import JobMaker
from app.supervisor.journal import EVENTS_KEPT
from app.supervisor.known import Known
from app.supervisor.launchers.base import Launcher, wait_dead
from app.supervisor.supervisor import Supervisor

log = logging.getLogger(__name__)
_STAGGER_S: Final = 0.25
_ASK_AGAIN_S: Final = 1.0
_STOP_WITHIN_S: Final = 6.0


class Inheritance:
    """What the store knows of an earlier process, as far as it can be read. `problem` says what cannot be read."""

    def __init__(self, store: Store, spare: SpareOrders) -> None:
        self.problem: str | None = None
        self.owed = spare.streams()
        self.events = self._read_events(store)
        self.streams = _merged(self._read_streams(store), self.owed)
        self.unreadable: dict[str, Unreadable] = {
            stream.key: stream.unreadable for stream in self.streams if stream.unreadable is not None
        }

    def _read_events(self, store: Store) -> list[LogEntry]:
        try:
            return store.events(EVENTS_KEPT)
        except StoreUnavailable as error:
            log.error("event log not readable, starting an empty one: %s", error)
            self.problem = f"the earlier event log cannot be read ({error})"
            return []

    def _read_streams(self, store: Store) -> list[StoredStream]:
        try:
            return store.streams()
        except StoreUnavailable as error:
            log.error("orders not readable, running streams are adopted: %s", error)
            self.problem = f"the orders cannot be read ({error}), streams that were off air are not listed"
            return []


class Takeover:
    """Passes an inheritance to the supervisor, once, at the start."""

    def __init__(
        self, launcher: Launcher, supervisor: Supervisor, recorder: Recorder, jobs: JobMaker, store: Store
    ) -> None:
        self._launcher = launcher
        self._supervisor = supervisor
        self._recorder = recorder
        self._jobs = jobs
        self._store = store
        self._waiting: list[StoredStream] = []

    def run(self, inheritance: Inheritance) -> None:
        """Adopt every live worker, start again what was ordered, and list the others."""
        self._recorder.take_over(inheritance.owed)
        for key in set(self._launcher.keys()) - {stream.key for stream in inheritance.streams}:
            self._take_unknown(key)
        for position, stream in enumerate(inheritance.streams):
            job, known = self._known(stream, unix_now() + position * _STAGGER_S)
            self._supervisor.resume(job, known)
        if self._waiting:
            log.warning("the media folder does not answer, streams are waiting for it count=%d", len(self._waiting))
            threading.Thread(target=self._complete_later, name="media-wait", daemon=True).start()

    def _take_unknown(self, key: str) -> None:
        """Keep a worker that the store does not know on air, unless its order was never acknowledged."""
        if self._launcher.is_announced(key):
            log.warning("worker ended, its order was never acknowledged stream=%s", key)
            self._dispose(key)
            self._supervisor.note(key, "a worker whose order was never acknowledged was ended")
        elif self._launcher.adopt(key) is None:
            self._launcher.discard(key)
        else:
            log.warning("order lost, the stream stays on air stream=%s", key)
            job = self._jobs.bare_job(key, salvage_spec("", key))
            self._supervisor.resume(job, Known(Order.RUN, unix_now(), fault=Reason.ORDER_LOST))

    def _dispose(self, key: str) -> None:
        worker = self._launcher.adopt(key)
        if worker is not None:
            worker.terminate()
            for left in wait_dead([worker], _STOP_WITHIN_S):
                left.kill()
        self._launcher.discard(key)

    def _known(self, stream: StoredStream, start_at: float) -> tuple[Job, Known]:
        if stream.unreadable is not None:
            return self._jobs.bare_job(stream.key, stream.spec), Known(
                stream.order,
                stream.ordered_at,
                status=stream.status,
                fault=Reason.SPEC_UNREADABLE,
                passphrase=self._store.passphrase(stream.unreadable.passphrase_token)[0],
                stored_json=stream.unreadable.spec_json,
                why=stream.unreadable.why,
            )
        fault = Reason.PASSPHRASE_LOST if stream.passphrase_lost else None
        job, media_fault = self._complete_job(stream.key, stream.spec)
        if job is None:
            self._waiting.append(stream)
            job, start_at = self._jobs.bare_job(stream.key, stream.spec), math.inf
        return job, Known(stream.order, stream.ordered_at, start_at, stream.status, fault or media_fault)

    def _complete_job(self, key: str, spec: JobSpec) -> tuple[Job | None, Reason | None]:
        """Return the job of a stream and what prevents its start; no job while the media folder does not answer."""
        try:
            return self._jobs.job_for(key, spec), None
        except MediaDoesNotAnswer:
            return None, None
        except InvalidInput:
            return self._jobs.bare_job(key, spec), Reason.FILE_MISSING

    def _complete_later(self) -> None:
        """Query the media folder until it answers, then complete the jobs that wait for it."""
        while self._waiting:
            time.sleep(_ASK_AGAIN_S)
            for stream in list(self._waiting):
                try:
                    is_over = self._complete(stream)
                except NotFound:  # dismissed meanwhile
                    is_over = True
                except StreamsDoNotAnswer:
                    is_over = False
                if not is_over:
                    break
                self._waiting.remove(stream)

    def _complete(self, stream: StoredStream) -> bool:
        """Complete the job of a stream that waits, with its present settings: they may have been changed meanwhile.

        Returns False if it still has to wait. Raises NotFound and StreamsDoNotAnswer.
        """
        spec = self._supervisor.job(stream.key).spec
        job, fault = self._complete_job(stream.key, spec)
        if job is None:
            return False
        if stream.passphrase_lost and spec.encryption == stream.spec.encryption:
            fault = Reason.PASSPHRASE_LOST
        return self._supervisor.complete(stream.key, job, fault)


def _merged(kept: Collection[StoredStream], owed: Collection[StoredStream]) -> list[StoredStream]:
    """Return the streams, with newer orders that the store has not accepted yet, oldest order first."""
    by_key = {stream.key: stream for stream in (*kept, *owed)}
    return sorted(by_key.values(), key=lambda stream: (stream.ordered_at, stream.key))
