"""The worker: one process that carries one job. Run as `python -m app.worker.worker SOCKET`, job on standard input.

It reads the job and builds the sender. It then samples once a second and reports to every manager that is connected to
its socket, until a stop is ordered or the sender ends. It leaves `<socket>.ended` behind, so that its reason outlives a
manager's absence.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # msgspec imports it if it is installed. It imports inspect, ast and tokenize: 1.3 MB that no worker uses.
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]

import contextlib
import faulthandler
import os
import queue
import resource
import select
import selectors
import signal
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final, assert_never

import msgspec

from app import protocol
from app.domain.endings import CannotSend, Finished
from app.domain.events import PeerChange
from app.domain.figures.sample import NOTHING_APPLIED
from app.domain.spec import public_spec
from app.domain.status import Reason
from app.machine.steady_clock import steady_now, unix_now
from app.protocol import (
    NEW_CONTENTS,
    Cut,
    Debug,
    Ended,
    FromWorker,
    Hello,
    History,
    Impair,
    Job,
    Notice,
    Notify,
    PeerEvent,
    Ready,
    Report,
    Reset,
    Stop,
    ToWorker,
)
from app.worker.engine import Halting, Relaying, Sender
from app.worker.engines import build_engine
from app.worker.guard import RateGuard
from app.worker.ledger import Ledger
from app.worker.link import WorkerLink
from app.worker.pauses import pause_notice
from app.worker.reception import ReceptionDesk

_SAMPLE_EVERY_S: Final = 1.0
_SAMPLE_APART_S: Final = 0.3  # two samples this close still make a rate
_FOLLOW_EVERY_S: Final = 0.2
_POLL_SOON_S: Final = 0.05
_SETTINGS_EVERY_SAMPLES: Final = 10
_PAGE_BYTES: Final = resource.getpagesize()
_LINE_BYTES: Final = 256  # of /proc/self/statm
_FILE_BYTES_MAX: Final = 16 * 1024 * 1024  # the worker writes nothing else except its error log
_OPEN_FILES_MAX: Final = 1024

Build = Callable[[Job, Notify], Sender]


class Worker:
    """The worker's loop, all in one thread except `notify`, which the engine calls from its own threads."""

    def __init__(self, job: Job, socket_path: Path, build: Build) -> None:
        self._job = job
        self._build = build
        self._selector = selectors.DefaultSelector()
        self._ledger = Ledger()
        self._reception = ReceptionDesk()
        self._guard = RateGuard(job.spec, job.bitrate_bps)
        self._events: queue.SimpleQueue[PeerEvent | Notice] = queue.SimpleQueue()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._wake_fd, selectors.EVENT_READ, self._pass_on)
        self._started_at = unix_now()
        self._applied = NOTHING_APPLIED
        self._memory_fd = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        self._is_ready = False
        self._is_stopping = False
        self._is_sample_urgent = False
        self._sampled_at = 0.0
        self._sender: Sender | None = None
        self._link = WorkerLink(socket_path, self._selector, greeting=self._greeting, on_order=self._obey)

    def run(self) -> Ended:
        """Carry the stream to its end and return the reason; None means that a stop was ordered."""
        ended = self._carry()
        self._pass_on()
        self._link.say(ended)
        self._link.close()
        return ended

    def _carry(self) -> Ended:
        try:
            self._sender = self._build(self._job, self.notify)
            self._sender.start()
            self._selector.register(self._sender.wake_fd(), selectors.EVENT_READ, lambda: None)
            self._reception.follow(self._sender)
            self._is_ready = True
            self._link.say(Ready(), keep=False)
            self._loop(self._sender)
        except (CannotSend, Finished) as end:
            return Ended(unix_now(), end.reason, end.detail)
        finally:
            self._close()
        return Ended(unix_now(), None)

    def _close(self) -> None:
        if self._sender is None:
            return
        if isinstance(self._sender, Halting):
            self._sender.halt()
        if self._is_ready:
            self._sample(self._sender, is_last=True)  # the totals must include what was sent since the last full second
        self._sender.stop()

    def _loop(self, sender: Sender) -> None:
        turn_at = time.monotonic()
        due = turn_at + _SAMPLE_EVERY_S
        while not self._is_stopping:
            wait_s = min(max(0.0, due - time.monotonic()), _POLL_SOON_S if sender.is_on_its_way() else _FOLLOW_EVERY_S)
            for key, _ in self._selector.select(wait_s):
                key.data()
            if (notice := pause_notice(self._job.spec, time.monotonic() - turn_at - wait_s)) is not None:
                self.notify(notice)
            turn_at = time.monotonic()
            sender.poll()
            if self._is_sample_urgent:
                due = min(due, self._sampled_at + _SAMPLE_APART_S)
            if time.monotonic() >= due:
                due = max(due + _SAMPLE_EVERY_S, time.monotonic())
                self._sample(sender)
                self._check_memory()
                self._link.serve_again()
            else:
                self._ledger.follow(sender.read_peers())
                self._check_rate(sender.read_input().bytes_total if self._guard.needs_input else None)

    def _sample(self, sender: Sender, *, is_last: bool = False) -> None:
        self._sampled_at, self._is_sample_urgent = time.monotonic(), False
        sample = self._ledger.sample(unix_now(), sender.read_peers(), sender.read_input(), steady_at=steady_now())
        if self._ledger.count % _SETTINGS_EVERY_SAMPLES == 1:
            self._applied = sender.read_applied()
        relay = sender.read_relay() if isinstance(sender, Relaying) else None
        self._link.say(msgspec.structs.replace(sample, applied=self._applied, is_last=is_last, relay=relay), keep=False)
        for message in self._reception.account(is_last=is_last):
            self._link.say(message, keep=False)
        if not is_last:
            self._check_rate(sample.input.bytes_total)

    def _check_rate(self, input_bytes_total: int | None) -> None:
        self._guard.check(
            time.monotonic(),
            output_bytes_total=self._ledger.busiest_bytes_total,
            input_bytes_total=input_bytes_total,
        )

    def _check_memory(self) -> None:
        used = int(os.pread(self._memory_fd, _LINE_BYTES, 0).split()[1]) * _PAGE_BYTES
        if self._job.memory_bytes and used > self._job.memory_bytes:
            raise Finished(Reason.OUT_OF_MEMORY, f"{used >> 20} MB of {self._job.memory_bytes >> 20} MB")

    def notify(self, event: PeerEvent | Notice) -> None:
        """Queue an event; safe in any thread. A peer that left must leave the list at once, not a second later."""
        self._events.put(event)
        if isinstance(event, Notice) and event.code in NEW_CONTENTS:
            self._guard.forget_declared()
        if isinstance(event, PeerEvent) and event.change is PeerChange.DISCONNECTED:
            self._is_sample_urgent = True
        os.eventfd_write(self._wake_fd, 1)

    def stop(self) -> None:
        """End the loop at the next turn; safe in a signal handler."""
        self._is_stopping = True
        os.eventfd_write(self._wake_fd, 1)

    def _pass_on(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake_fd)
        with contextlib.suppress(queue.Empty):
            while True:
                self._link.say(self._events.get_nowait())

    def _greeting(self) -> list[FromWorker]:
        hello = Hello(
            key=self._job.key,
            pid=os.getpid(),
            started_at=self._started_at,
            spec=public_spec(self._job.spec),
            engine=self._sender.engine_name() if self._sender is not None else "",
        )
        ready: list[FromWorker] = [Ready()] if self._is_ready else []
        return [hello, History.of(self._ledger.points()), *self._reception.past(), *ready]

    def _obey(self, message: ToWorker) -> None:
        match message:
            case Stop():
                self.stop()
            case Report():
                view = None if self._sender is None else self._sender.read_debug()
                self._link.say(Debug.of(view), keep=False)
            case Reset():
                self._reception.reset()
            case Impair(impairment):
                if isinstance(self._sender, Relaying):
                    self._sender.impair(impairment)
            case Cut(for_ms, direction):
                if isinstance(self._sender, Relaying):
                    self._sender.cut(direction, for_ms)
            case _:
                assert_never(message)


def main(build: Build | None = None) -> int:
    """Read the job, carry it out, and leave the reason. Exit status 0 for a normal end, 1 otherwise.

    `build` makes the engine; by default, the one for the job's spec.
    """
    faulthandler.enable()
    job = protocol.decode_job(sys.stdin.buffer.readline(protocol.LINE_BYTES_MAX))
    socket_path = Path(sys.argv[1])
    _limit_resources(job.memory_bytes, writes_recordings=job.record_folder is not None)
    # A manager that died while this worker was starting cannot be found by it, nor it by the next manager: until the
    # socket is there the worker lives no longer than the manager that holds the other end of its standard input.
    if _is_abandoned():
        return 1
    try:
        worker = Worker(job, socket_path, build or build_engine)
    except OSError as error:
        print(f"{protocol.NO_SOCKET}: {socket_path}: {error}", file=sys.stderr)  # noqa: T201 - its error log
        return 1
    if _is_abandoned():
        worker.stop()
    sys.stdin.close()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    try:
        ended = worker.run()
    except Exception as error:  # noqa: BLE001 - the worker's last line of defence: its end must have a reason
        # Not raised: a normal exit of Python would run libsrt's destructors, which can hang.
        traceback.print_exc()
        ended = Ended(unix_now(), Reason.ENGINE_ERROR, f"{type(error).__name__}: {error}")
    _leave_reason(socket_path, ended)
    return 0 if ended.reason in (None, Reason.END_OF_FILE) else 1


def _is_abandoned() -> bool:
    """Whether the other end of standard input is closed."""
    poll = select.poll()
    poll.register(sys.stdin.fileno(), 0)
    return any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))


def _limit_resources(memory_bytes: int, *, writes_recordings: bool) -> None:
    """Hard limits that a healthy worker never reaches.

    RLIMIT_DATA backs up the memory ceiling that is checked every second.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the passphrase
    if not writes_recordings:
        resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES_MAX, _FILE_BYTES_MAX))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _OPEN_FILES_MAX if hard == resource.RLIM_INFINITY else min(_OPEN_FILES_MAX, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    if memory_bytes:
        resource.setrlimit(resource.RLIMIT_DATA, (3 * memory_bytes, 3 * memory_bytes))


def _leave_reason(socket_path: Path, ended: Ended) -> None:
    target = socket_path.with_suffix(".ended")
    with contextlib.suppress(OSError):  # a full disk must not turn a good end into a crash
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(protocol.encode(ended))


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    # libsrt's threads race its static destructors: a worker that had reported its end aborted there with "double free".
    os._exit(status)
