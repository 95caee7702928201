"""Starts a worker, real or pretended, as the manager would, and communicates with it over its socket."""

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
    """A job for a listener on `port`; `spec` are fields of SendSpec, `endpoint` among them."""
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
    """One connection to a worker's socket; `messages` is all that was heard, oldest first."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(path))
        self._socket.setblocking(False)
        self._rest = b""
        self.is_open = True
        self.messages: list[FromWorker] = []

    def listen(self) -> None:
        """Take what has come so far into `messages`."""
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
        """All messages of a kind so far."""
        self.listen()
        return [message for message in self.messages if isinstance(message, kind)]

    def wait_for(
        self, kind: type[T], condition: Callable[[T], Any] = lambda _: True, *, deadline_s: float = 10, after: int = 0
    ) -> T:
        """Wait for a message of a kind that satisfies `condition`, beyond the first `after` of that kind."""

        def found() -> list[T]:
            return [message for message in self.heard(kind)[after:] if condition(message)]

        try:
            return wait_for(found, deadline_s=deadline_s, what=f"{kind.__name__} from the worker", every_s=0.01)[0]
        except AssertionError as error:
            raise AssertionError(f"{error}; heard last: {repr(self.messages[-3:])[:600]}") from None

    def wait_for_next(self, kind: type[T], condition: Callable[[T], Any] = lambda _: True, **limits: Any) -> T:
        """Wait for a message that comes from now on."""
        return self.wait_for(kind, condition, after=len(self.heard(kind)), **limits)

    def say(self, message: ToWorker | bytes) -> None:
        """Send an order, or any bytes."""
        self._socket.setblocking(True)
        try:
            self._socket.sendall(message if isinstance(message, bytes) else protocol.encode(message))
        finally:
            self._socket.setblocking(False)

    def close(self) -> None:
        """Hang up."""
        self.is_open = False
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class RunningWorker:
    """A worker that carries a job: `with RunningWorker(job) as worker: worker.wait_for_sample(…)`."""

    def __init__(self, job: Job, *, argv: Sequence[str] = REAL, within: Sequence[str] = ()) -> None:
        """Start it; `within` goes before the command, to run it in a network namespace."""
        # A short path: a Unix socket's name has 108 bytes at most.
        self._folder = tempfile.TemporaryDirectory(prefix="mcr-")
        self.socket_path = Path(self._folder.name) / "worker.sock"
        self.job = job
        self.child = Child([*within, *argv, str(self.socket_path)], first_line=protocol.encode_job(job))
        self._conversations: list[Conversation] = []

    @cached_property
    def link(self) -> Conversation:
        """The first connection, made when it is first asked for; earlier reports are delivered then."""
        return self.connect()

    def connect(self) -> Conversation:
        """Open a further connection."""

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
        """Wait for a sample from now on that satisfies `condition`."""
        return self.link.wait_for_next(Sample, condition, deadline_s=deadline_s)

    def last_word(self) -> Ended | None:
        """What it left behind at its end."""
        try:
            message = protocol.decode_from_worker(self.socket_path.with_suffix(".ended").read_bytes())
        except FileNotFoundError:
            return None
        assert isinstance(message, Ended)
        return message

    def wait_for_end(self, *, deadline_s: float = 10) -> Ended:
        """Wait until it ended by itself, and give its last word."""
        self.child.wait(deadline_s=deadline_s)
        word = self.last_word()
        assert word is not None, f"it left no word: {self.child.complaints()}"
        return word

    def close(self) -> None:
        """End it and remove its files."""
        for conversation in self._conversations:
            conversation.close()
        self.child.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
