"""Workers as child processes of this host. This is the only module that knows that they are."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from app import protocol
from app.domain.status import Reason
from app.protocol import Ended, Job
from app.settings import PROJECT_FOLDER
from app.supervisor.launchers.base import WorkerHandle

# What a worker may inherit. Secrets of the web process (SECRET_KEY, API_KEY, DATABASE_URL) are not among it.
_INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "XDG_RUNTIME_DIR", "GST_PLUGIN_PATH")
_SUFFIX: Final = ".sock"
_LEFT_BEHIND: Final = (_SUFFIX, ".ended", ".log")
_ANNOUNCED: Final = ".new"
# -S: what other packages hook into the start of every Python would cost each worker memory and time.
WORKER_COMMAND: Final = (sys.executable, "-S", "-m", "app.worker.worker")


class LocalLauncher:
    """Workers as child processes in sessions of their own, so that they outlive the web process."""

    def __init__(
        self,
        runtime_folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = WORKER_COMMAND,
    ) -> None:
        """Keep sockets in `runtime_folder`; `command` starts a worker."""
        self._folder = runtime_folder
        self._command = command
        inherited = os.environ if environment is None else environment
        self._environment = {name: inherited[name] for name in _INHERITED if name in inherited}
        self._environment |= {
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "GST_REGISTRY_1_0": str(runtime_folder / "gstreamer-registry.bin"),
            # Two heaps instead of eight a core: less memory. One would be less still, but the threads that send would
            # then wait for the one that reads: 20 % more CPU.
            "MALLOC_ARENA_MAX": "2",
        }

    def launch(self, job: Job) -> WorkerHandle:
        """Start a worker that serves a socket of the runtime folder, and hand it the job on its standard input."""
        path = self._path(job.key)
        self._remove(job.key, _LEFT_BEHIND)
        log = os.open(path.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            process = subprocess.Popen(
                [*self._command, str(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=PROJECT_FOLDER,
                env=self._environment,
                # A process group of its own: Ctrl-C in the manager's terminal does not end it. Not a session: of each
                # session the kernel makes a scheduling group (autogroup), and every packet wakes three threads, so
                # that a group for each stream costs a tenth more CPU.
                process_group=0,
            )
        finally:
            os.close(log)
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it is dead already; is_alive will say so
                process.stdin.write(protocol.encode_job(job))
                process.stdin.flush()
        return _Child(process, path)

    def adopt(self, key: str) -> WorkerHandle | None:
        """Connect to the socket of that key, and ask the kernel who serves it."""
        path = self._path(key)
        connection = _connect(path)
        if connection is None:
            return None
        with contextlib.closing(connection):
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid, _, _ = struct.unpack("3i", credentials)
        try:
            return _Adopted(pid, os.pidfd_open(pid), path)
        except ProcessLookupError:
            return None

    def last_word(self, key: str) -> Ended | None:
        """What lies beside the socket of that key."""
        return _last_word(self._path(key))

    def keys(self) -> list[str]:
        """The keys of which anything lies in the runtime folder: a worker that was killed early leaves no socket."""
        left_behind = (*_LEFT_BEHIND, _ANNOUNCED)
        return sorted({path.stem for path in self._folder.iterdir() if path.suffix in left_behind})

    def announce(self, key: str) -> None:
        """Leave a file that says so: a web process that dies now must not leave a stream that no one ordered."""
        self._path(key).with_suffix(_ANNOUNCED).touch(mode=0o600)

    def acknowledge(self, key: str) -> None:
        """Remove that file."""
        self._remove(key, (_ANNOUNCED,))

    def is_announced(self, key: str) -> bool:
        """Whether that file is there."""
        return self._path(key).with_suffix(_ANNOUNCED).exists()

    def discard(self, key: str) -> None:
        """Remove what lies in the runtime folder of a worker that is gone."""
        self._remove(key, (*_LEFT_BEHIND, _ANNOUNCED))

    def _remove(self, key: str, suffixes: Sequence[str]) -> None:
        for suffix in suffixes:
            self._path(key).with_suffix(suffix).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"


class _Local:
    """What every worker on this host has: a socket, and files beside it."""

    def __init__(self, pid: int, path: Path) -> None:
        self.pid = pid
        self._path = path

    def connect(self) -> socket.socket | None:
        """Try its Unix socket."""
        return _connect(self._path)

    def last_word(self) -> Ended | None:
        """What it left beside its socket."""
        return _last_word(self._path)

    def end(self) -> Ended:
        """Its last word from the runtime folder, else a guess from exit status and error output."""
        return self.last_word() or self._crash()

    def _crash(self) -> Ended:
        text = f"{self._how_it_ended()} {_tail(self._path.with_suffix('.log'))}".strip()
        out_of_memory = "failed to allocate" in text or "MemoryError" in text
        return Ended(0.0, Reason.OUT_OF_MEMORY if out_of_memory else Reason.WORKER_CRASHED, text)

    def _how_it_ended(self) -> str:
        return "it left no word"


class _Child(_Local):
    """A worker that this process started. Its standard input stays open: it shows the worker that we live."""

    def __init__(self, process: subprocess.Popen[bytes], path: Path) -> None:
        super().__init__(process.pid, path)
        self._process = process

    def is_alive(self) -> bool:
        """Reap it if it is dead."""
        if self._process.poll() is None:
            return True
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # what it never read is still in the buffer
                self._process.stdin.close()
        return False

    def _how_it_ended(self) -> str:
        status = self._process.returncode
        return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"

    def terminate(self) -> None:
        """SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()


class _Adopted(_Local):
    """A worker that an earlier process started; its descriptor names it even if its number were given anew."""

    def __init__(self, pid: int, descriptor: int, path: Path) -> None:
        super().__init__(pid, path)
        self._descriptor = descriptor

    def is_alive(self) -> bool:
        """Reap it if it is dead and our own child, as after a re-execution."""
        if self._descriptor < 0:
            return False
        readable, _, _ = select.select([self._descriptor], [], [], 0)
        if not readable:
            return True
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        os.close(self._descriptor)
        self._descriptor = -1
        return False

    def terminate(self) -> None:
        """SIGTERM."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)


def _last_word(path: Path) -> Ended | None:
    try:
        message = protocol.decode_from_worker(path.with_suffix(".ended").read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    return message if isinstance(message, Ended) else None


def _connect(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    connection.setblocking(False)
    return connection


def _tail(path: Path, size: int = 2000) -> str:
    try:
        text = path.read_bytes()[-size:].decode(errors="replace")
    except OSError:
        return ""
    return " / ".join(line.strip() for line in text.splitlines() if line.strip())
