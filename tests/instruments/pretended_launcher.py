"""A launcher without processes, and a simulated clock: a test runs hours of a stream in milliseconds."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass, field

from app import protocol
from app.domain.events import LogEntry
from app.domain.spec import Endpoint, FileSource, Source
from app.domain.status import Phase, Reason, Status
from app.protocol import Ended, FromWorker, Hello, Input, Job, Peer, Point, Ready, Sample, ToWorker
from app.supervisor.launchers.base import OneHost
from app.supervisor.stream import SupervisedStream
from tests.instruments.worker import job_for

BYTES_PER_S = 1_000_000


class PretendedWorker:
    """A WorkerHandle whose other end the test controls."""

    is_here = True

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.serves = True
        self.signals: list[str] = []
        self.obeys = {"TERM", "KILL"}
        self._alive = True
        self._left_word: Ended | None = None
        self._far: socket.socket | None = None
        self._heard = b""
        self.connections = 0

    # ---- the methods of WorkerHandle ----

    def connect(self) -> socket.socket | None:
        """Return the manager's end of a new connection, or None while the worker does not serve."""
        if not self.serves:
            return None
        self.hang_up()
        near, self._far = socket.socketpair()
        near.setblocking(False)
        self._far.setblocking(False)
        self.connections += 1
        return near

    def can_be_heard(self) -> bool:
        """Return True: the link can be reached."""
        return True

    def exit_descriptor(self) -> None:
        """Return None: there is no process."""

    def is_alive(self) -> bool:
        """Whether the worker has not ended yet."""
        return self._alive

    def last_word(self) -> Ended | None:
        """Return the last word that the worker has left so far, None without one."""
        return self._left_word

    def end(self) -> Ended:
        """Return the last word that the worker left, or a crash by SIGSEGV without one."""
        return self._left_word or Ended(0.0, Reason.WORKER_CRASHED, "signal SIGSEGV")

    def terminate(self) -> None:
        """Record a SIGTERM, and end if the worker obeys it."""
        self._signal("TERM")

    def kill(self) -> None:
        """Record a SIGKILL, and end if the worker obeys it."""
        self._signal("KILL")

    def _signal(self, name: str) -> None:
        self.signals.append(name)
        if name in self.obeys:
            self._alive = False

    # ---- the methods for tests ----

    def say(self, *messages: FromWorker | bytes) -> None:
        """Send messages to the manager. Raises AssertionError if it is not connected."""
        assert self._far is not None, "the manager is not connected"
        for message in messages:
            self._far.send(message if isinstance(message, bytes) else protocol.encode(message))

    def orders(self) -> list[ToWorker]:
        """Return the orders that the manager has sent so far."""
        if self._far is not None:
            with contextlib.suppress(BlockingIOError):
                while part := self._far.recv(1 << 16):
                    self._heard += part
        return [protocol.decode_to_worker(line) for line in self._heard.splitlines()]

    def hang_up(self) -> None:
        """Break the connection."""
        if self._far is not None:
            self._far.close()
            self._far = None

    def linger(self, word: Ended) -> None:
        """Leave a last word without ending."""
        self._left_word = word

    def die(self, word: Ended | None = None) -> None:
        """End and break the connection, with or without a last word."""
        self._left_word = word
        self._alive = False
        self.hang_up()


@dataclass
class PretendedLauncher(OneHost):
    """Implements app.supervisor.launchers.base.Launcher. While `fails` is set, each launch raises it."""

    workers: list[PretendedWorker] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    announced: set[str] = field(default_factory=set)
    fails: OSError | None = None
    _newest: dict[str, PretendedWorker] = field(default_factory=dict)

    def launch(self, job: Job) -> PretendedWorker:
        """Return a worker that serves immediately."""
        if self.fails is not None:
            raise self.fails
        self.workers.append(PretendedWorker(1000 + len(self.workers)))
        self._newest[job.key] = self.workers[-1]
        return self.workers[-1]

    def adopt(self, key: str) -> PretendedWorker | None:
        """Return the newest worker of this key if it is alive, else None."""
        worker = self._newest.get(key)
        return worker if worker is not None and worker.is_alive() else None

    def keys(self) -> list[str]:
        """Return the keys of the live workers."""
        return [key for key, worker in self._newest.items() if worker.is_alive()]

    def last_word(self, key: str) -> Ended | None:
        """Return None: no earlier manager launched a worker."""
        return None

    def announce(self, key: str) -> None:
        """Record the announcement of a key."""
        self.announced.add(key)

    def acknowledge(self, key: str) -> None:
        """Delete the announcement of a key."""
        self.announced.discard(key)

    def is_announced(self, key: str) -> bool:
        """Whether the key was announced and not acknowledged."""
        return key in self.announced

    def problem(self) -> str | None:
        """Return None: this launcher has no problem."""
        return None

    def discard(self, key: str) -> None:
        """Record the key that was discarded."""
        self.discarded.append(key)


class Stage:
    """A supervised stream with pretended workers. The test advances its clock."""

    def __init__(self, source: Source | None = None, *, endpoint: Endpoint | None = None) -> None:
        self.now = 1_000_000.0
        self.launcher = PretendedLauncher()
        self.entries: list[LogEntry] = []
        self.statuses: list[Status] = []
        job = job_for(source or FileSource("bars.ts"), port=10001, endpoint=endpoint)
        self.stream = SupervisedStream(job, self.launcher, self, self.now)
        self._sent = 0

    def entry(self, entry: LogEntry) -> None:
        """Record a log entry (Report.entry)."""
        self.entries.append(entry)

    def status(self, key: str, status: Status) -> None:
        """Record a status (Report.status)."""
        self.statuses.append(status)

    @property
    def worker(self) -> PretendedWorker:
        """The newest worker."""
        return self.launcher.workers[-1]

    def order_start(self) -> None:
        """Order the stream to run, and start its worker."""
        self.stream.start(self.now, "operator")
        self.pass_time(0)

    def pass_time(self, seconds: float, step_s: float = 0.1) -> None:
        """Advance the clock by `seconds`, with one turn of the supervisor every `step_s`."""
        for _ in range(max(1, round(seconds / step_s))):
            self.now += step_s if seconds else 0
            self.stream.read(self.now)
            self.stream.tick(self.now)

    def come_up(self) -> None:
        """Make the newest worker report that it plays."""
        self.pass_time(0)  # the supervisor connects in the turn after the launch
        self.worker.say(self.hello(), Ready())
        self.pass_time(0)

    def hello(self) -> Hello:
        """Return the newest worker's first message."""
        return Hello(key="test", pid=self.worker.pid, started_at=self.now, spec={}, engine="pretended")

    def deliver(self, seconds: int, *, acknowledged: bool = True, age_s: float = 0.0) -> None:
        """Advance the clock by `seconds` of delivery, with one sample each second."""
        for _ in range(seconds):
            self.pass_time(1)
            self._sent += BYTES_PER_S
            self.worker.say(self.sample(acknowledged=acknowledged, age_s=age_s))
            self.pass_time(0)

    def sample(self, *, acknowledged: bool = True, age_s: float = 0.0, peers: int = 1, is_last: bool = False) -> Sample:
        """Return a sample of the present time. Its counters begin at 0 with each new worker."""
        sent = self._sent
        acks = sent // 10_000 if acknowledged else 0
        point = Point(at=self.now, peers=peers, payload_bytes_total=sent, wire_bytes_total=sent, acks_total=acks)
        one = Peer(
            id=1,
            address="192.0.2.7:41234",
            connected_at=self.now,
            payload_bytes_total=sent,
            wire_bytes_total=sent,
            packets_sent_unique_total=sent // 1316,
            packets_retransmitted_total=0,
            packets_dropped_total=0,
            acks_total=acks,
            naks_total=0,
            rtt_ms=1.0,
            link_capacity_mbps=100.0,
        )
        source = Input(bytes_total=sent, last_packet_age_s=age_s)
        return Sample(point=point, peers=[one] * peers, input=source, is_last=is_last)

    def end_worker(self, reason: Reason | None, *, says: bool = True) -> None:
        """End the newest worker for a reason. It leaves a last word; with `says`, it also sends it first."""
        word = Ended(self.now, reason, "as pretended")
        if says:
            self.worker.say(word)
        self.worker.die(word)
        self._sent = 0
        self.pass_time(0)


def phase(stage: Stage) -> tuple[Phase, Reason | None]:
    """Return the phase of the stage's stream and its reason."""
    return stage.stream.status.phase, stage.stream.status.reason
