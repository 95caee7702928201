"""Starts a real or fake worker as the manager does, and communicates with it over its socket."""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from app import protocol
from app.domain.spec import ListenerEndpoint, SendSpec, Source
from app.protocol import Ended, FromWorker, Job, Sample, ToWorker
from tests.instruments.child import Child
from tests.instruments.waiting import wait_for

REAL: Final = (sys.executable, "-m", "app.worker.worker")
FAKE: Final = (sys.executable, "-m", "tests.instruments.fake_worker")
MEMORY_BYTES: Final = 256 * 1024 * 1024
T = TypeVar("T")


def job_for(source: Source, *, port: int, file_path: Path | None = None, **spec: Any) -> Job:
    """Return a job for a listener on `port`. `spec` are fields of SendSpec; an `endpoint` replaces the listener."""
    endpoint = spec.pop("endpoint", None) or ListenerEndpoint(port)
    return Job(
        key="test",
        spec=SendSpec(endpoint=endpoint, source=source, **spec),
        file_path=None if file_path is None else str(file_path),
        bitrate_bps=None if file_path is None else 8_000_000,
        dscp=34,
        memory_bytes=MEMORY_BYTES,
    )


class Conversation:
    """One connection to a worker's socket. `messages` are all messages received so far, oldest first."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(path))
        self._socket.setblocking(False)
        self._rest = b""
        self.is_open = True
        self.messages: list[FromWorker] = []

    def listen(self) -> None:
        """Append the messages that have arrived to `messages`."""
        while self.is_open:
            try:
                received = self._socket.recv(1 << 18)
            except BlockingIOError:
                return
            except ConnectionResetError:
                received = b""
            self.is_open = bool(received)
            *lines, self._rest = (self._rest + received).split(b"\n")
            self.messages += [protocol.decode_from_worker(line) for line in lines]

    def heard(self, kind: type[T]) -> list[T]:
        """Return all messages of a kind so far."""
        self.listen()
        return [message for message in self.messages if isinstance(message, kind)]

    def wait_for(
        self, kind: type[T], condition: Callable[[T], Any] = lambda _: True, *, deadline_s: float = 10, after: int = 0
    ) -> T:
        """Return the first message of a kind that satisfies `condition`, without the first `after` of that kind."""

        def found() -> list[T]:
            return [message for message in self.heard(kind)[after:] if condition(message)]

        try:
            return wait_for(found, deadline_s=deadline_s, what=f"{kind.__name__} from the worker", every_s=0.01)[0]
        except AssertionError as error:
            raise AssertionError(f"{error}; heard last: {repr(self.messages[-3:])[:600]}") from None

    def wait_for_next(self, kind: type[T], condition: Callable[[T], Any] = lambda _: True, **limits: Any) -> T:
        """Return the first message of a kind that arrives from now on and satisfies `condition`."""
        return self.wait_for(kind, condition, after=len(self.heard(kind)), **limits)

    def say(self, message: ToWorker | bytes) -> None:
        """Send an order, or any bytes."""
        self._socket.setblocking(True)
        try:
            self._socket.sendall(message if isinstance(message, bytes) else protocol.encode(message))
        finally:
            self._socket.setblocking(False)

    def close(self) -> None:
        """Close the connection."""
        self.is_open = False
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class RunningWorker:
    """A worker that carries a job: `with RunningWorker(job) as worker: worker.wait_for_sample(…)`."""

    def __init__(self, job: Job, *, argv: Sequence[str] = REAL, within: Sequence[str] = ()) -> None:
        """Start the worker. `within` is a command prefix, for example to enter a network namespace."""
        # A short path: the path of a Unix socket has 108 bytes at most.
        self._folder = tempfile.TemporaryDirectory(prefix="mcr-")
        self.socket_path = Path(self._folder.name) / "worker.sock"
        self.job = job
        self.child = Child([*within, *argv, str(self.socket_path)], first_line=protocol.encode_job(job))
        self._conversations: list[Conversation] = []

    @cached_property
    def link(self) -> Conversation:
        """The first connection, made on first use. The worker then delivers its earlier reports."""
        return self.connect()

    def connect(self) -> Conversation:
        """Open another connection."""

        def connected() -> Conversation | None:
            try:
                return Conversation(self.socket_path)
            except OSError:
                assert self.child.is_running(), f"the worker ended: {self.child.complaints()} {self.last_word()}"
                return None

        made = wait_for(connected, deadline_s=20, what="a worker that serves its socket")
        assert made is not None
        self._conversations.append(made)
        return made

    def wait_for_sample(self, condition: Callable[[Sample], Any], *, deadline_s: float = 10) -> Sample:
        """Return the first sample that arrives from now on and satisfies `condition`."""
        return self.link.wait_for_next(Sample, condition, deadline_s=deadline_s)

    def last_word(self) -> Ended | None:
        """Return the last word that the worker left in its file, None without one."""
        try:
            message = protocol.decode_from_worker(self.socket_path.with_suffix(".ended").read_bytes())
        except FileNotFoundError:
            return None
        assert isinstance(message, Ended)
        return message

    def wait_for_end(self, *, deadline_s: float = 10) -> Ended:
        """Wait until the worker ends by itself, and return its last word."""
        self.child.wait(deadline_s=deadline_s)
        word = self.last_word()
        assert word is not None, f"the worker left no last word: {self.child.complaints()}"
        return word

    def close(self) -> None:
        """End the worker and remove its files."""
        for conversation in self._conversations:
            conversation.close()
        self.child.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
