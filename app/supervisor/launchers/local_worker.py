"""A worker that runs as a process on this host: its socket, its signals, and the reason of its end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
from pathlib import Path

import msgspec

from app import protocol
from app.domain.status import Reason
from app.protocol import NO_SOCKET, Ended
from app.supervisor.launchers.base import WorkerHandle


class LocalWorker:
    """The common part of workers on this host: a socket, and files next to it."""

    is_here = True

    def __init__(self, pid: int, path: Path, descriptor: int) -> None:
        """`descriptor` is the process descriptor: it identifies the process even if its number is used again."""
        self.pid = pid
        self._path = path
        self._descriptor = descriptor

    def __del__(self) -> None:
        self._close()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def exit_descriptor(self) -> int | None:
        """The process descriptor, None once the process has ended."""
        return self._descriptor if self._descriptor >= 0 else None

    def connect(self) -> socket.socket | None:
        """Try to connect to its Unix socket."""
        return connect_socket(self._path)

    def can_be_heard(self) -> bool:
        """Whether its socket exists."""
        return self._path.exists()

    def last_word(self) -> Ended | None:
        """Read the report that it left next to its socket."""
        return read_last_word(self._path)

    def end(self) -> Ended:
        """Return its own report, else a guess from exit status and error output."""
        return self.last_word() or self._crash()

    def _crash(self) -> Ended:
        text = f"{self._how_it_ended()} {_tail(self._path.with_suffix('.log'))}".strip()
        return Ended(0.0, self._reason_of(text), text)

    def _reason_of(self, text: str) -> Reason:
        if "failed to allocate" in text or "MemoryError" in text:
            return Reason.OUT_OF_MEMORY
        return Reason.NO_RUNTIME if NO_SOCKET in text else Reason.WORKER_CRASHED

    def _how_it_ended(self) -> str:
        return "it left no report"


class ChildWorker(LocalWorker):
    """A worker that this process started.

    Its standard input stays open: it shows the worker that this process is alive.
    """

    def __init__(self, process: subprocess.Popen[bytes], path: Path) -> None:
        super().__init__(process.pid, path, os.pidfd_open(process.pid))
        self._process = process

    def can_be_heard(self) -> bool:
        """Always: a worker that never makes its socket hangs."""
        return True

    def is_alive(self) -> bool:
        """Whether it is alive. A dead one is reaped."""
        if self._process.poll() is None:
            return True
        self._close()
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # closing fails if the worker never read its input
                self._process.stdin.close()
        return False

    def _how_it_ended(self) -> str:
        status = self._process.returncode
        return f"signal {_signal_name(-status)}" if status < 0 else f"exit status {status}"

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL."""
        self._process.kill()


class AdoptedWorker(LocalWorker):
    """A worker that an earlier process started."""

    def is_alive(self) -> bool:
        """Whether it is alive. A dead one is reaped if it is our child, as after a re-execution."""
        if self._descriptor < 0:
            return False
        poll = select.poll()  # not select(2), which is limited to descriptor 1023
        poll.register(self._descriptor, select.POLLIN)
        if not poll.poll(0):
            return True
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        self._close()
        return False

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)


def read_last_word(path: Path) -> Ended | None:
    """Read why the worker of a socket ended, by its own report; None without one."""
    try:
        message = protocol.decode_from_worker(path.with_suffix(".ended").read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    return message if isinstance(message, Ended) else None


def adopted_worker(pid: int, path: Path) -> WorkerHandle | None:
    """Return the worker with that process id, None if it is gone."""
    try:
        return AdoptedWorker(pid, path, os.pidfd_open(pid))
    except ProcessLookupError:
        return None


def connect_socket(path: Path) -> socket.socket | None:
    """Return a connection, None if none is made at once: a hanging worker has a full backlog and must not block us."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have no name
        return str(number)


def _tail(path: Path, size: int = 2000) -> str:
    try:
        text = path.read_bytes()[-size:].decode(errors="replace")
    except OSError:
        return ""
    return " / ".join(line.strip() for line in text.splitlines() if line.strip())
