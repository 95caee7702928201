"""The present worker of a stream: its link, its messages, its silence, and its stop.

A stream makes a new CurrentWorker for each worker. `stream` decides what the messages mean for the stream.
"""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.spec import JobSpec
from app.domain.status import Reason
from app.protocol import UNDERSTOOD, Ended, FromWorker, Hello, Stop
from app.supervisor.health import FlowWatch
from app.supervisor.launchers.base import WorkerHandle
from app.supervisor.stop_ladder import StopLadder
from app.supervisor.worker_link import LinkAbused, NotUnderstood, WorkerLink

_HELLO_WITHIN_S: Final = 15.0
_SAMPLE_WITHIN_S: Final = 5.0
_LEAVE_WITHIN_S: Final = 1.0


class CurrentWorker:
    """At most one worker process; `handle` is None before it is launched or adopted."""

    def __init__(self, spec: JobSpec) -> None:
        self.handle: WorkerHandle | None = None
        self.link = WorkerLink()
        self.flow = FlowWatch(spec)
        self.hello: Hello | None = None
        self.is_other_version = False
        self.is_unreachable = False
        self._stopping = StopLadder()
        self._ended: Ended | None = None
        self._heard_at = 0.0
        self._verdict: Ended | None = None  # our reason, for a worker that had to be killed

    def heard(self, now: float) -> None:
        """Note that a message came, or that the worker was launched, just now."""
        self._heard_at = now

    def forgive(self, late_s: float) -> None:
        """Extend the silence timeout by `late_s`: the supervisor itself was delayed."""
        self._heard_at += late_s

    # ---- its words ----

    def read(self, now: float) -> list[FromWorker | NotUnderstood]:
        """Return its messages. Note its greeting and its reason to end. Never blocks; a flood ends the worker."""
        try:
            messages = self.link.read(now)
        except LinkAbused as abuse:
            self.link.close()
            self._condemn(str(abuse), now)
            return []
        for message in messages:
            self._heard_at = now
            match message:
                case Hello():
                    self._greet(message)
                case Ended():
                    self._ended = message
                case _:
                    pass  # the stream handles the other messages
        return messages

    def _greet(self, hello: Hello) -> None:
        self.hello = hello
        if self._stopping.asked_at is not None:
            self.link.say(Stop())  # it was asked to stop before it was connected

    def is_stranger(self, message: FromWorker | NotUnderstood) -> bool:
        """Whether a message shows for the first time that the worker is of another version."""
        is_strange = isinstance(message, NotUnderstood) or (
            isinstance(message, Hello) and message.protocol not in UNDERSTOOD
        )
        is_first = is_strange and not self.is_other_version
        self.is_other_version = self.is_other_version or is_strange
        return is_first

    def end(self) -> Ended | None:
        """Return why the worker is gone; None while it exists, or if there never was one."""
        if self.handle is None or self.handle.is_alive():
            return None
        ended = self._ended or self.handle.end()
        if self._verdict is None:
            return ended
        return msgspec.structs.replace(self._verdict, detail=self._verdict.detail or ended.detail)

    # ---- its leaving ----

    def ask_to_stop(self, now: float) -> None:
        """Ask it to end; `follow` then enforces this."""
        if self.handle is not None and self._stopping.ask(now):
            self.link.say(Stop())

    def follow(self, worker: WorkerHandle, now: float) -> bool:
        """Connect, and kill a worker that lingers or hangs. Return whether it has just become unreachable."""
        if not worker.is_here:
            self._heard_at = now  # its silence counts from its arrival on this host
        self.link.open(worker)
        self._check_lingers(worker, now)
        is_out_of_reach = self._check_hung(worker, now)
        self._stopping.climb(worker, now)
        return is_out_of_reach

    def _check_lingers(self, worker: WorkerHandle, now: float) -> None:
        """Kill a worker that reported its end and does not exit: some hang in their exit and keep their port."""
        if now - self._heard_at <= _LEAVE_WITHIN_S:
            return
        self._ended = self._ended or worker.last_word()
        if self._ended is not None:
            worker.kill()

    def _check_hung(self, worker: WorkerHandle, now: float) -> bool:
        """Kill a worker that is silent, unless it cannot be reached: then its silence proves nothing."""
        limit_s = _SAMPLE_WITHIN_S if self.hello is not None else _HELLO_WITHIN_S
        if self._stopping.asked_at is not None or now - self._heard_at <= limit_s:
            return False
        if worker.can_be_heard():
            self._condemn("", now)
            return False
        is_news, self.is_unreachable = not self.is_unreachable, True
        return is_news

    def _condemn(self, detail: str, now: float) -> None:
        if self.handle is not None:
            self._verdict = self._verdict or Ended(now, Reason.WORKER_HUNG, detail)
            self.handle.kill()

    def watched(self) -> list[tuple[object, int]]:
        """Return the link and the process with their descriptors, which are readable when there is work."""
        sources: list[tuple[object, int]] = []
        if self.link.connection is not None:
            sources.append((self.link.connection, self.link.connection.fileno()))
        if self.handle is not None and (descriptor := self.handle.exit_descriptor()) is not None:
            sources.append((self.handle, descriptor))
        return sources
