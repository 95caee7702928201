"""One supervised stream: its life cycle, from orders and events to phases. Used on the supervisor's thread only.

`current_worker` follows the process and its link, `figures` adds up its samples.
"""

from __future__ import annotations

import random
from typing import assert_never

import msgspec

from app import protocol
from app.domain import status as life
from app.domain.events import EventKind
from app.domain.json_value import JsonObject
from app.domain.snapshot import Snapshot
from app.domain.spec import JobSpec
from app.domain.status import Order, Phase, Reason, Status
from app.protocol import (
    Debug,
    Ended,
    FromWorker,
    Hello,
    History,
    Job,
    Notice,
    PeerEvent,
    Ready,
    Sample,
)
from app.supervisor.account import OTHER_VERSION, UNREACHABLE, Account, Report
from app.supervisor.current_worker import CurrentWorker
from app.supervisor.figures import Figures
from app.supervisor.health import FlowWatch
from app.supervisor.known import Known
from app.supervisor.launchers.base import Launcher, NoRuntime, WorkerHandle
from app.supervisor.receptions import Receptions
from app.supervisor.watch import StreamWatch
from app.supervisor.worker_link import NotUnderstood, WorkerLink


class SupervisedStream:
    """Follows orders and events. Call `tick` at least a few times a second."""

    def __init__(self, job: Job, launcher: Launcher, report: Report, now: float) -> None:
        self.job, self.key = job, job.key
        self._launcher = launcher
        self._account = Account(job.key, job.spec, report)
        self.status: Status = life.new_status(now)
        self.ordered_at = now
        self.figures = Figures()
        self.receptions = Receptions()
        self.debug_view: JsonObject | None = None
        self._watch = StreamWatch()
        self._detail = ""
        self._launch_not_before = 0.0
        self._fault: Reason | None = None
        self._unknown: Known | None = None  # while the settings are not known
        self._current = CurrentWorker(job.spec)

    @property
    def worker(self) -> WorkerHandle | None:
        """Its worker process, None without one."""
        return self._current.handle

    @property
    def link(self) -> WorkerLink:
        """The link to its worker."""
        return self._current.link

    def resume(self, known: Known, now: float) -> None:
        """Continue from what an earlier process knew: with its live worker if there is one, else from its order."""
        self.ordered_at = known.ordered_at
        self._fault = known.fault
        if known.lacks_spec():
            self._unknown = known
            self._account.warn(now, known.words())
        last_word = self._launcher.last_word(self.job.key)
        if (worker := self._launcher.adopt(self.job.key)) is not None:
            self._adopt(worker, known, now)
        elif known.order is Order.STOP or known.fault is not None:
            fault = known.fault if known.order is Order.RUN or known.lacks_spec() else None
            self.status = msgspec.structs.replace(life.at_rest(known.status, fault, now), order=known.order)
        elif last_word is not None and last_word.reason is not None and known.status is not None:
            self.status = known.status
            self._detail = last_word.detail
            self._step(life.Ended(last_word.reason), now)
        self._launch_not_before = known.start_at

    def fail(self, reason: Reason, detail: str, now: float) -> None:
        """Set the stream to FAILED before it has started."""
        self._detail = detail
        self.status = life.at_rest(None, reason, now)

    def _adopt(self, worker: WorkerHandle, known: Known, now: float) -> None:
        self._current.handle = worker
        self._current.heard(now)
        if known.status is not None and known.status.phase in life.ALIVE - {Phase.STOPPING}:
            self.status = known.status
        self._account.note(now, EventKind.ADOPTED, f"stayed on air, worker {worker.pid}")
        if known.order is Order.STOP:
            self.stop(now, "system")

    # ---- orders ----

    def stop(self, now: float, actor: str) -> None:
        """Take the stream off air."""
        if self.status.order is Order.RUN:
            self._account.note(now, EventKind.ORDER, "stop requested", actor)
        self._watch.forget()
        self._step(life.StopOrdered(), now)
        self._current.ask_to_stop(now)

    def complete(self, job: Job, fault: Reason | None) -> bool:
        """Continue with the completed job. Returns False, and does nothing, if the settings are no longer those."""
        if job.spec != self.spec:
            return False
        self.renew(job, fault)
        return True

    def renew(self, job: Job, fault: Reason | None = None) -> None:
        """Continue with a new job for the same stream, or with the completed one; `fault` prevents its start."""
        self.job, self._account.spec = job, job.spec
        self._fault, self._launch_not_before = fault, 0.0

    def start(self, now: float, actor: str) -> None:
        """Put the stream on air (again)."""
        self._account.note(now, EventKind.ORDER, "start requested", actor)
        self._fault = self._unknown = None
        if self.status.phase not in life.ALIVE:
            self.ordered_at = now
            self.figures.open_account()
            self.receptions.reset()
            self._account.begin_again()
            self._watch.forget()
        self._step(life.StartOrdered(), now)

    def note_order(self, now: float, text: str, actor: str, *orders: protocol.ToWorker, job: Job | None = None) -> None:
        """Log an order and pass on what the worker is to do. With `job`, the next worker carries that job."""
        self.job = job or self.job
        for order in orders:
            self.link.say(order)
        self._account.note(now, EventKind.ORDER, text, actor)

    def reset(self, now: float, actor: str) -> None:
        """Count the reception from zero."""
        self._account.note(now, EventKind.ORDER, "figures reset", actor)
        self.receptions.reset()
        self.link.say(protocol.Reset())

    def ask_debug(self) -> None:
        """Request the worker's debug view, which is stored in `debug_view`."""
        self.debug_view = None
        self.link.say(protocol.Report())

    # ---- events ----

    def tick(self, now: float) -> None:
        """Launch what is due, notice what died or hangs, continue a stop."""
        if self.worker is None:
            is_due = self.status.phase is Phase.BACKING_OFF and now >= (self.status.retry_at or 0)
            if (is_due or self.status.phase is Phase.STARTING) and now >= self._launch_not_before:
                self._launch(now)
            return
        if not self.worker.is_alive():
            self.read(now)
        if (ended := self._current.end()) is not None:
            self._bury(ended, now)
        elif self._current.follow(self.worker, now):
            self._account.warn(now, UNREACHABLE)

    def _launch(self, now: float) -> None:
        self._step(life.Launched(), now)
        if self._fault is not None:
            self._step(life.Ended(self._fault), now)
            return
        self._current.heard(now)
        try:
            self._current.handle = self._launcher.launch(self.job)
        except OSError as error:
            self._detail = f"no worker could be started: {error}"
            reason = Reason.NO_RUNTIME if isinstance(error, NoRuntime) else Reason.WORKER_CRASHED
            self._step(life.Ended(reason, random.random()), now)  # noqa: S311 - spreads retries only

    def _bury(self, ended: Ended, now: float) -> None:
        self._detail = ended.detail
        self.figures.end_worker()
        self.receptions.end_worker()
        if self.status.order is Order.RUN:
            for note in self._watch.end_worker(self.spec, now):
                self._account.note(now, *note)
        self._account.begin_again(None if self._unknown is None else self._unknown.words())
        self.link.close()
        reason = ended.reason or self._launcher.silent_end(self.job.key)
        self._launcher.discard(self.job.key)
        self._current = CurrentWorker(self.spec)
        self._step(life.Ended(reason, random.random()), now)  # noqa: S311

    def forgive(self, late_s: float) -> None:
        """Extend the silence timeout by `late_s`: the supervisor itself was delayed."""
        self._current.forgive(late_s)

    def read(self, now: float) -> None:
        """Handle the messages that the worker has sent. Never blocks."""
        for message in self._current.read(now):
            if self._current.is_stranger(message):
                self._account.warn(now, OTHER_VERSION)
            if not isinstance(message, NotUnderstood):
                self._take(message, now)

    def _take(self, message: FromWorker, now: float) -> None:
        match message:
            case Hello():
                self._learn_settings(message)
            case History():
                points = message.readings()
                self.figures.recall(points)
                self._watch.recall(points, self.spec)
            case protocol.ReceivedHistory() | protocol.Received() | protocol.Picture():
                self.receptions.take(message)
            case Ready():
                self._step(life.Ready(), now)
            case Sample():
                self._take_sample(message, now)
            case PeerEvent():
                self._account.note_peer(message, now)
            case Notice(_, code, text):
                self._account.warn(now, text, code)
            case Debug(values):
                self.debug_view = values
            case Ended():
                pass  # its reason takes effect once the process is gone
            case _:
                assert_never(message)

    def _learn_settings(self, hello: Hello) -> None:
        if self._unknown is not None and (spec := self._unknown.learn(hello.spec)) is not None:
            self._unknown = None
            self.renew(msgspec.structs.replace(self.job, spec=spec), self._fault)
            self._current.flow = FlowWatch(spec)

    def _take_sample(self, sample: Sample, now: float) -> None:
        self.figures.take(sample, now)
        if not sample.is_last:
            self._step(life.Sampled(self._current.flow.health(sample)), now)
            if self.status.order is Order.RUN and self.figures.sample is not None:
                for note in self._watch.follow(self.figures.sample, self.spec, now):
                    self._account.note(now, *note)

    def _step(self, event: life.Event, now: float) -> None:
        before = self.status
        self.status = life.step(before, event, now)
        if self.status.phase is not before.phase:
            self._account.note_phase(self.status, now)

    # ---- views ----

    @property
    def spec(self) -> JobSpec:
        """The settings with which it runs."""
        return self.job.spec

    def watched(self) -> list[tuple[object, int]]:
        """Return the link and the process with their descriptors, which are readable when there is work."""
        return self._current.watched()

    def snapshot(self, now: float) -> Snapshot:
        """Return the state of the stream at this moment."""
        sample = self.figures.sample
        retry_at = self.status.retry_at
        hello = self._current.hello
        return Snapshot(
            key=self.job.key,
            spec=self.job.spec,
            status=self.status,
            ordered_at=self.ordered_at,
            sample=sample,
            sample_age_s=None if sample is None else max(0.0, now - sample.point.at),
            rates=self.figures.rates(),
            peer_rates=self.figures.peer_rates(),
            totals=self.figures.totals(),
            retry_in_s=None if retry_at is None else max(0.0, retry_at - now),
            worker_pid=None if self.worker is None else self.worker.pid,
            worker_started_at=None if hello is None else hello.started_at,
            is_other_version=self._current.is_other_version,
            refusals=self._account.refusals(),
            notices=self._account.notices(),
            detail=self._detail,
            file_bitrate_bps=self.job.bitrate_bps if self.job.file_path is not None else None,
            applied=self.figures.applied,
            attendance=self._watch.attendance,
            source_errors_at=self._watch.source_errors_at,
            reception=self.receptions.account(),
            analysis=self.receptions.analysis,
            outputs=self.receptions.outputs,
            fault=self._fault,
            is_spec_known=self._unknown is None,
            stored_json=self._unknown.stored_json if self._unknown is not None else "",
        )
