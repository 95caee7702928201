"""The streams and the operations on them. All decisions are made on the supervisor's thread."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

import msgspec

from app.domain.errors import NotFound
from app.domain.events import EventKind, LogEntry
from app.domain.figures.sample import Point
from app.domain.json_value import JsonObject
from app.domain.snapshot import Snapshot
from app.domain.status import Reason, Status
from app.machine.steady_clock import unix_now
from app.protocol import Job, ToWorker
from app.supervisor.account import Report
from app.supervisor.admission import Admission, new_key
from app.supervisor.journal import Journal
from app.supervisor.known import Known
from app.supervisor.launchers.base import Launcher, WorkerHandle, wait_dead
from app.supervisor.receptions import Receptions
from app.supervisor.stream import SupervisedStream
from app.supervisor.thread import SupervisorThread, surprise

T = TypeVar("T")
_LATE_S: Final = 1.0  # a longer turn was delayed by a frozen machine or a stopped process
_STOP_WITHIN_S: Final = 8.0
RESTORABLE_S: Final = 10.0


class _Dismissed(NamedTuple):
    """A dismissed stream, and until when it can be brought back."""

    stream: SupervisedStream
    was_running: bool
    until: float


class Supervisor:
    """Owns the streams. All methods may be called from any thread."""

    def __init__(
        self,
        launcher: Launcher,
        report: Report,
        *,
        journal: Journal,
        admission: Admission,
        clock: Callable[[], float] = unix_now,
    ) -> None:
        self._launcher = launcher
        self._outside = report
        self._admission = admission
        self._clock = clock
        self._streams: dict[str, SupervisedStream] = {}
        self._leaving: list[WorkerHandle] = []
        self._dismissed: dict[str, _Dismissed] = {}
        self._journal = journal
        self._thread = SupervisorThread(self, clock)
        self._ask, self.wait = self._thread.ask, self._thread.wait
        self._thread.start()

    def add(self, job: Job, *, actor: str, for_rehearsal: bool = False) -> str:
        """Add a stream under a new key, and launch its worker. Raises LimitReached or PortInUse."""

        def take_on() -> str:
            others = list(self._streams.values())
            if not for_rehearsal:  # it has its own limit, and does not count among the streams
                self._admission.check_limit(others)
            self._admission.check_port(job.spec, others)
            key = new_key({**self._streams, **self._dismissed}, for_rehearsal=for_rehearsal)
            with contextlib.suppress(
                OSError
            ):  # if it cannot be announced, it cannot be launched either, which is reported
                self._launcher.announce(key)
            stream = SupervisedStream(msgspec.structs.replace(job, key=key), self._launcher, self, self._clock())
            self._streams[key] = stream
            stream.start(self._clock(), actor)
            self._follow(stream, self._clock())
            return key

        return self._ask(take_on)

    def resume(self, job: Job, known: Known) -> None:
        """Take over a stream of an earlier process, with its live worker if there is one. FAILED if it cannot run."""

        def take_on() -> None:
            now = self._clock()
            stream = SupervisedStream(job, self._launcher, self, now)
            self._streams[job.key] = stream
            error = surprise(lambda: stream.resume(known, now), f"stream could not be resumed stream={job.key}")
            if error is not None:
                stream.fail(Reason.ENGINE_ERROR, f"it could not be adopted: {error}", now)

        self._ask(take_on)

    def check_start(self, key: str) -> None:
        """Check whether this stream may run in addition to the others. Raises LimitReached and NotFound."""
        self._ask(lambda: self._admission.check_limit(self._others(key)))

    def complete(self, key: str, job: Job, fault: Reason | None) -> bool:
        """Give a resumed stream the job that it waited for; False if its settings have changed. Raises NotFound."""
        return self._ask(lambda: self._stream(key).complete(job, fault))

    def replace(self, key: str, job: Job) -> None:
        """Set another job, which another host has checked, for the next worker of a stream. Raises NotFound."""
        self._ask(lambda: self._stream(key).renew(job))

    def start(self, key: str, job: Job, *, actor: str, is_admitted: bool = False) -> None:
        """Start a known stream again with a new job, because its file may have changed.

        Raises LimitReached, PortInUse (neither when `is_admitted`) and NotFound; the stream is then unchanged.
        """

        def start_again() -> None:
            stream = self._stream(key)
            if not is_admitted:
                self._admission.check_limit(self._others(key))
                self._admission.check_port(job.spec, self._others(key))
            stream.renew(job)
            stream.start(self._clock(), actor)
            self._follow(stream, self._clock())

        self._ask(start_again)

    def change(self, key: str, job: Job, *, actor: str) -> None:
        """Set another job for the next worker of a stream. Raises as `start`; the stream is then unchanged."""

        def give() -> None:
            self._admission.check_change(stream := self._stream(key), job.spec, self._others(key))
            stream.renew(job)
            stream.note_order(self._clock(), "settings changed", actor)

        self._ask(give)

    def _others(self, key: str) -> list[SupervisedStream]:
        return [stream for stream in self._streams.values() if stream is not self._stream(key)]

    def stop(self, key: str, *, actor: str) -> None:
        """Order a stream to stop. Does not wait for it."""
        self._ask(lambda: self._stream(key).stop(self._clock(), actor))

    def order_worker(self, key: str, message: ToWorker, text: str, *, actor: str, job: Job | None = None) -> None:
        """Send an order to a worker, logged as `text`.

        With `job`, the next worker carries that job. Raises NotFound.
        """
        self._ask(lambda: self._stream(key).note_order(self._clock(), text, actor, message, job=job))

    def forget(self, key: str) -> None:
        """Delete a stream for good, with its worker, if any."""
        self._ask(lambda: self._drop(key))

    def dismiss(self, key: str, *, actor: str, was_running: bool) -> None:
        """Remove a stream so that `restore` can bring it back for some seconds. Raises NotFound."""

        def drop() -> None:
            stream = self._stream(key)
            stream.note_order(self._clock(), "removed", actor)
            self._drop(key)
            self._dismissed[key] = _Dismissed(stream, was_running, self._clock() + RESTORABLE_S)

        self._ask(drop)

    def restore(self, key: str, *, actor: str) -> None:
        """Bring back a stream that was dismissed seconds ago, and start it if it ran.

        Raises NotFound, LimitReached and PortInUse. After the last two, it can still be restored in time.
        """

        def bring_back() -> None:
            dismissed = self._dismissed.get(key)
            if dismissed is None:
                raise NotFound(f"no stream {key} was dismissed in the last {RESTORABLE_S:.0f} s")
            stream, others = dismissed.stream, list(self._streams.values())
            if dismissed.was_running:
                self._admission.check_limit(others)
                self._admission.check_port(stream.spec, others)
            del self._dismissed[key]
            self._streams[key] = stream
            stream.note_order(self._clock(), "dismissal undone", actor)
            if dismissed.was_running:
                stream.start(self._clock(), actor)
            self._follow(stream, self._clock())

        self._ask(bring_back)

    def _drop(self, key: str) -> None:
        stream = self._streams.pop(key, None)
        if stream is not None and stream.worker is not None:
            stream.worker.kill()
            self._leaving.append(stream.worker)
        self._thread.watched.forget(key)

    def snapshots(self) -> list[Snapshot]:
        """Return all streams, oldest first."""
        return self._ask(lambda: [stream.snapshot(self._clock()) for stream in self._streams.values()])

    def snapshot(self, key: str) -> Snapshot:
        """Return a stream. Raises NotFound."""
        return self._ask(lambda: self._stream(key).snapshot(self._clock()))

    def job(self, key: str) -> Job:
        """Return the job of a stream's worker, passphrase included. Raises NotFound."""
        return self._ask(lambda: self._stream(key).job)

    def history(self, key: str) -> list[Point]:
        """Return the stream's points of the last hour. Raises NotFound."""
        return self._ask(lambda: list(self._stream(key).figures.history))

    def reception(self, key: str, read: Callable[[Receptions], T]) -> T:
        """Return the result of `read` on a stream's receptions, on the supervisor's thread. Raises NotFound."""
        return self._ask(lambda: read(self._stream(key).receptions))

    def reset(self, key: str, *, actor: str) -> None:
        """Count a stream's reception from zero. Raises NotFound."""
        self._ask(lambda: self._stream(key).reset(self._clock(), actor))

    def entries(self, *, key: str | None, limit: int) -> list[LogEntry]:
        """Return the newest events first."""
        return self._ask(lambda: self._journal.entries(key=key, limit=limit))

    def debug(self, key: str, *, within_s: float = 1.0) -> JsonObject | None:
        """Return the worker's debug view, None if it does not answer in time. Raises NotFound."""
        self._ask(lambda: self._stream(key).ask_debug())
        self.wait(lambda: self._stream_view(key) is not None, within_s)
        return self._stream_view(key)

    def wait_status(self, key: str, is_settled: Callable[[Status], bool], within_s: float) -> Snapshot:
        """Wait until `is_settled` accepts the stream's status or the time is over. Return the latest status."""
        stream = self._ask(lambda: self._stream(key))
        self.wait(lambda: is_settled(stream.status), within_s)
        return self.snapshot(key)

    def close(self) -> None:
        """Stop every stream in order, wait for the workers, end the thread."""

        def stop_all() -> list[WorkerHandle]:
            for stream in self._streams.values():
                stream.stop(self._clock(), "shutdown")
            return [stream.worker for stream in self._streams.values() if stream.worker is not None]

        workers = self._ask(stop_all)
        self.wait(lambda: all(stream.worker is None for stream in self._streams.values()), _STOP_WITHIN_S)
        self.detach()
        for worker in wait_dead(workers, 0.0):
            worker.kill()

    def detach(self) -> None:
        """End the thread and leave the workers on air, for another process to adopt."""
        self._thread.end()

    def _stream_view(self, key: str) -> JsonObject | None:
        return stream.debug_view if (stream := self._streams.get(key)) is not None else None

    def note(self, key: str, text: str) -> None:
        """Log a warning about something that is not a stream of this host, or not yet."""
        self._ask(lambda: self.entry(LogEntry(at=self._clock(), key=key, name="", kind=EventKind.NOTICE, text=text)))

    # ---- on the supervisor's thread ----
    def entry(self, entry: LogEntry) -> None:
        """Log an event of a stream."""
        if (noted := self._journal.note(entry)) is not None:
            self._outside.entry(noted)

    def status(self, key: str, status: Status) -> None:
        """Pass on a changed phase."""
        self._outside.status(key, status)

    def _stream(self, key: str) -> SupervisedStream:
        if key not in self._streams:
            raise NotFound(f"there is no stream {key}")
        return self._streams[key]

    def tick(self, now: float, late_s: float) -> None:
        """Check every stream: time passes also for those that send nothing."""
        for stream in list(self._streams.values()):
            if late_s > _LATE_S:
                stream.forgive(late_s)
            self._follow(stream, now)
        for line in self._journal.close_minutes(now):
            self._outside.entry(line)
        self._dismissed = {key: each for key, each in self._dismissed.items() if now < each.until}
        self._leaving = [worker for worker in self._leaving if worker.is_alive()]

    def follow_ready(self, keys: set[str], now: float) -> None:
        """Handle the streams with readable descriptors."""
        for stream in [self._streams[key] for key in keys if key in self._streams]:
            self._follow(stream, now)

    def _follow(self, stream: SupervisedStream, now: float) -> None:
        def follow() -> None:
            stream.read(now)
            stream.tick(now)
            self._thread.watched.watch(stream.job.key, stream.watched())

        surprise(follow, f"stream {stream.job.key} could not be followed")
