"""One supervised stream: its worker, its status, and what its worker has said. Lives on the supervisor's thread."""

from __future__ import annotations

import random
import socket
from collections import deque
from typing import Any, Final, Protocol

import msgspec

from app import protocol
from app.domain import status as life
from app.domain.events import EventKind, LogEntry, NoticeCode, PeerChange
from app.domain.snapshot import Snapshot
from app.domain.status import Order, Phase, Reason, Status
from app.protocol import (
    UNDERSTOOD,
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
    Stop,
    ToWorker,
)
from app.supervisor.figures import Figures
from app.supervisor.health import FlowWatch
from app.supervisor.known import Known
from app.supervisor.launchers.base import Launcher, WorkerHandle
from app.supervisor.notes import note_peer, note_phase
from app.supervisor.refusals import Refusals

_HELLO_WITHIN_S: Final = 15.0
_SAMPLE_WITHIN_S: Final = 5.0
_TERMINATE_AFTER_S: Final = 2.0
_KILL_AFTER_S: Final = 4.0
_LEAVE_WITHIN_S: Final = 1.0
_NOTICES_KEPT: Final = 20
_OTHER_VERSION: Final = (
    "the worker is of another version of this program: it stays on air, its figures are not complete; "
    "restart the stream when that suits"
)


class Report(Protocol):
    """Who is told of what a stream does. Called on the supervisor's thread; must not block."""

    def entry(self, entry: LogEntry) -> None:
        """Something happened."""

    def status(self, key: str, status: Status) -> None:
        """A phase changed."""


class SupervisedStream:
    """Follows the orders given and the events that come; `tick` at least a few times a second."""

    def __init__(self, job: Job, launcher: Launcher, report: Report, now: float) -> None:
        self.job = job
        self._launcher = launcher
        self._report = report
        self.status: Status = life.new_status(now)
        self.ordered_at = now
        self.figures = Figures()
        self.debug_view: dict[str, Any] | None = None
        self._refusals = Refusals()
        self._notices: deque[tuple[NoticeCode | None, str]] = deque(maxlen=_NOTICES_KEPT)
        self._detail = ""
        self._launch_not_before = 0.0
        self._fault: Reason | None = None
        self._unknown: Known | None = None  # while the settings are not known
        self._forget_worker()

    def _forget_worker(self) -> None:
        self.worker: WorkerHandle | None = None
        self.connection: socket.socket | None = None
        self._received = b""
        self._hello: Hello | None = None
        self._ended: Ended | None = None
        self._heard_at = 0.0
        self._launched_at = 0.0
        self._stop_asked_at: float | None = None
        self._hung = False
        self._is_other_version = False
        self._flow = FlowWatch(self.job.spec)

    def resume(self, known: Known, now: float) -> None:
        """Go on from what an earlier process knew: with its worker where that lives, else from its order."""
        self.ordered_at = known.ordered_at
        self._fault = known.fault
        if known.lacks_spec():
            self._unknown = known
            self._warn(now, None, known.words())
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

    def _adopt(self, worker: WorkerHandle, known: Known, now: float) -> None:
        self.worker = worker
        self._launched_at = self._heard_at = now
        if known.status is not None and known.status.phase in life.ALIVE - {Phase.STOPPING}:
            self.status = known.status
        self._note(now, EventKind.ADOPTED, f"on air all along, worker {worker.pid}")
        if known.order is Order.STOP:
            self.stop(now, "system")

    # ---- orders ----

    def stop(self, now: float, actor: str) -> None:
        """Take the stream off air."""
        if self.status.order is Order.RUN:
            self._note(now, EventKind.ORDER, "stop ordered", actor)
        self._step(life.StopOrdered(), now)
        self._ask_to_stop(now)

    def start(self, now: float, actor: str) -> None:
        """Put the stream on air (again)."""
        self._note(now, EventKind.ORDER, "start ordered", actor)
        self._fault = self._unknown = None
        if self.status.phase not in life.ALIVE:
            self.ordered_at = now
            self.figures.open_account()
        self._step(life.StartOrdered(), now)

    def note_dismissed(self, now: float, actor: str) -> None:
        """Tell that the stream is to be forgotten: the event log outlives it."""
        self._note(now, EventKind.ORDER, "dismissed", actor)

    def _ask_to_stop(self, now: float) -> None:
        if self.worker is not None and self._stop_asked_at is None:
            self._stop_asked_at = now
            self._say(Stop())

    def ask_debug(self) -> None:
        """Ask the worker for its debug view; it comes into `debug_view`."""
        self.debug_view = None
        self._say(protocol.Report())

    # ---- events ----

    def tick(self, now: float) -> None:
        """Launch what is due, notice what died or hangs, climb the stop ladder."""
        if self.worker is None:
            is_due = self.status.phase is Phase.BACKING_OFF and now >= (self.status.retry_at or 0)
            if is_due or (self.status.phase is Phase.STARTING and now >= self._launch_not_before):
                self._launch(now)
            return
        if not self.worker.is_alive():
            self.read(now)
            self._bury(self._ended or self.worker.end(), now)
            return
        if self.connection is None:
            self._received = b""  # a line that broke off with the old connection does not go on in the new one
            self.connection = self.worker.connect()
        self._check_lingers(now)
        self._check_hung(now)
        self._climb_stop_ladder(now)

    def _launch(self, now: float) -> None:
        self._step(life.Launched(), now)
        if self._fault is not None:
            self._step(life.Ended(self._fault), now)
            return
        self._launched_at = self._heard_at = now
        try:
            self.worker = self._launcher.launch(self.job)
        except OSError as error:
            self._detail = f"no worker could be started: {error}"
            self._step(life.Ended(Reason.WORKER_CRASHED, random.random()), now)  # noqa: S311 - spreads retries only

    def _bury(self, ended: Ended, now: float) -> None:
        reason = Reason.WORKER_HUNG if self._hung else ended.reason
        self._detail = ended.detail
        self.figures.end_worker()
        self._notices.clear()  # they describe the worker that left; the event log has them
        if self.connection is not None:
            self.connection.close()
        self._launcher.discard(self.job.key)
        self._forget_worker()
        self._step(life.Ended(reason or Reason.WORKER_CRASHED, random.random()), now)  # noqa: S311

    def _check_lingers(self, now: float) -> None:
        """Kill a worker that gave its last word and does not leave: some hang in their exit, and hold their port."""
        if self.worker is None or now - self._heard_at <= _LEAVE_WITHIN_S:
            return
        self._ended = self._ended or self.worker.last_word()
        if self._ended is not None:
            self.worker.kill()

    def _check_hung(self, now: float) -> None:
        limit_s = _SAMPLE_WITHIN_S if self._hello is not None else _HELLO_WITHIN_S
        if self._stop_asked_at is None and now - self._heard_at > limit_s and self.worker is not None:
            self._hung = True
            self.worker.kill()

    def forgive(self, late_s: float) -> None:
        """Take back so much of the worker's silence: it was we who could not listen."""
        self._heard_at += late_s

    def _climb_stop_ladder(self, now: float) -> None:
        if self._stop_asked_at is None or self.worker is None:
            return
        if now - self._stop_asked_at > _KILL_AFTER_S:
            self.worker.kill()
        elif now - self._stop_asked_at > _TERMINATE_AFTER_S:
            self.worker.terminate()

    def read(self, now: float) -> None:
        """Take what the worker has sent. Never blocks."""
        while self.connection is not None:
            try:
                received = self.connection.recv(1 << 18)
            except BlockingIOError:
                return
            except OSError:
                received = b""
            if not received:
                self.connection.close()
                self.connection = None
                return
            *lines, self._received = (self._received + received).split(b"\n")
            for line in lines:
                try:
                    self._take(protocol.decode_from_worker(line), now)
                except msgspec.DecodeError:
                    self._hear_stranger(now)

    def _hear_stranger(self, now: float) -> None:
        """A worker of another version keeps its stream on air; it just cannot be understood in full."""
        self._heard_at = now
        if not self._is_other_version:
            self._is_other_version = True
            self._warn(now, None, _OTHER_VERSION)

    def _take(self, message: FromWorker, now: float) -> None:
        self._heard_at = now
        match message:
            case Hello():
                self._take_hello(message, now)
            case History():
                self.figures.recall(message.readings())
            case Ready():
                self._step(life.Ready(), now)
            case Sample():
                self._take_sample(message, now)
            case PeerEvent():
                self._take_peer_event(message, now)
            case Notice(_, code, text):
                self._take_notice(code, text, now)
            case Debug(values):
                self.debug_view = values
            case Ended():
                self._ended = message

    def _take_hello(self, hello: Hello, now: float) -> None:
        self._hello = hello
        if hello.protocol not in UNDERSTOOD:
            self._hear_stranger(now)
        if self._unknown is not None and (spec := self._unknown.learn(hello.spec)) is not None:
            self._unknown = None
            self.job = msgspec.structs.replace(self.job, spec=spec)
            self._flow = FlowWatch(spec)
        if self._stop_asked_at is not None:
            self._say(Stop())  # it was asked before it could hear

    def _take_sample(self, sample: Sample, now: float) -> None:
        self.figures.take(sample, now)
        if not sample.is_last:
            self._step(life.Sampled(self._flow.health(sample)), now)

    def _take_notice(self, code: NoticeCode, text: str, now: float) -> None:
        if not text:
            self._notices = deque((kept for kept in self._notices if kept[0] is not code), _NOTICES_KEPT)
            return
        self._warn(now, code, text)

    def _take_peer_event(self, event: PeerEvent, now: float) -> None:
        if event.change is PeerChange.REFUSED:
            self._refusals.count(event.address.rpartition(":")[0], event.reason, now)
        self._note(now, *note_peer(event))

    def _step(self, event: life.Event, now: float) -> None:
        before = self.status
        self.status = life.step(before, event, now)
        if self.status.phase is not before.phase:
            if (note := note_phase(self.status, self.job.spec)) is not None:
                self._note(now, *note)
            self._report.status(self.job.key, self.status)

    def _say(self, message: ToWorker) -> None:
        if self.connection is not None:
            try:
                self.connection.send(protocol.encode(message))
            except OSError:
                self.connection.close()
                self.connection = None

    def _warn(self, now: float, code: NoticeCode | None, text: str) -> None:
        self._notices.append((code, text))
        self._note(now, EventKind.NOTICE, text)

    def _note(self, now: float, kind: EventKind, text: str, actor: str = "system") -> None:
        name = self.job.spec.label()
        self._report.entry(LogEntry(at=now, key=self.job.key, name=name, kind=kind, text=text, actor=actor))

    # ---- views ----

    def snapshot(self, now: float) -> Snapshot:
        """The stream at this moment."""
        sample = self.figures.sample
        retry_at = self.status.retry_at
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
            worker_started_at=None if self._hello is None else self._hello.started_at,
            is_other_version=self._is_other_version,
            refusals=self._refusals.newest_first(),
            notices=tuple(text for _, text in self._notices),
            detail=self._detail,
            file_bitrate_bps=self.job.bitrate_bps if self.job.file_path is not None else None,
            applied=self.figures.applied,
            fault=self._fault,
            is_spec_known=self._unknown is None,
            stored_json=self._unknown.stored_json if self._unknown is not None else "",
        )
