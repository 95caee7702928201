"""Runs workers as child processes of this host. Only this module knows that they are child processes."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from app import protocol
from app.protocol import Ended, Job
from app.settings import PROJECT_FOLDER
from app.supervisor.launchers.base import NoRuntime, OneHost, WorkerHandle
from app.supervisor.launchers.local_worker import ChildWorker, adopted_worker, connect_socket, read_last_word
from app.supervisor.launchers.own_workers import WORKER_MODULES, own_workers

log = logging.getLogger(__name__)

# The variables that a worker may inherit: no secrets of the web process (SECRET_KEY, API_KEY, DATABASE_URL).
_INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "XDG_RUNTIME_DIR", "GST_PLUGIN_PATH")
_SUFFIX: Final = ".sock"
_LEFT_BEHIND: Final = (_SUFFIX, ".ended", ".log")
_ANNOUNCED: Final = ".new"
# -S: hooks of other packages at the start of Python would cost each worker memory and time.
WORKER_COMMAND: Final = (sys.executable, "-S", "-m", "app.worker.worker")


class LocalLauncher(OneHost):
    """Workers as child processes that outlive the web process."""

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
        self._modules = (*WORKER_MODULES, command[-1])
        inherited = os.environ if environment is None else environment
        self._environment = {name: inherited[name] for name in _INHERITED if name in inherited}
        self._environment |= {
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "GST_REGISTRY_1_0": str(runtime_folder / "gstreamer-registry.bin"),
            # Limit glibc to two malloc arenas (default: 8 per core) to save memory. With one, the senders contend
            # with the reader: 20 % more CPU.
            "MALLOC_ARENA_MAX": "2",
        }

    def launch(self, job: Job) -> WorkerHandle:
        """Start a worker that serves a socket in the runtime folder, and write the job to its standard input."""
        path = self._path(job.key)
        log = self._open_log(job.key, path)
        try:
            process = subprocess.Popen(
                [*self._command, str(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=PROJECT_FOLDER,
                env=self._environment,
                # A separate process group: Ctrl-C in the manager's terminal does not end it. Not a session: of each
                # session the kernel makes a scheduling group (autogroup), and every packet wakes three threads, so
                # that a group for each stream costs a tenth more CPU.
                process_group=0,
            )
        finally:
            os.close(log)
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it is already dead, as is_alive will show
                process.stdin.write(protocol.encode_job(job))
                process.stdin.flush()
        return ChildWorker(process, path)

    def _open_log(self, key: str, path: Path) -> int:
        """Make the runtime folder if it is missing, and the worker's error log in it. Raises NoRuntime."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._remove(key, _LEFT_BEHIND)
            return os.open(path.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        except OSError as error:
            raise NoRuntime(error.errno, error.strerror, str(self._folder)) from None

    def problem(self) -> str | None:
        """Return what is wrong with the runtime folder. A missing folder is made again."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            state = os.statvfs(self._folder)
        except OSError as error:
            return f"{self._folder}: {error.strerror}"
        if not os.access(self._folder, os.W_OK | os.X_OK):
            return f"{self._folder} cannot be written"
        if state.f_files and not state.f_favail:
            return f"the file system of {self._folder} has no inodes left"
        return None

    def adopt(self, key: str) -> WorkerHandle | None:
        """Connect to the socket of that key and ask the kernel for its process; otherwise search the processes."""
        path = self._path(key)
        connection = connect_socket(path)
        if connection is None:
            return self._adopt_unreachable(key)
        with contextlib.closing(connection):
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid, uid, _ = struct.unpack("3i", credentials)
        if uid != os.geteuid():
            log.warning("socket of another user not adopted stream=%s pid=%d uid=%d", key, pid, uid)
            return None
        return adopted_worker(pid, path)

    def _adopt_unreachable(self, key: str) -> WorkerHandle | None:
        """Find a worker with a removed socket or without free connections. Its key identifies it, not its folder."""
        found = [worker for worker in own_workers(self._modules) if worker.path.name == f"{key}{_SUFFIX}"]
        return adopted_worker(found[0].pid, found[0].path) if found else None

    def last_word(self, key: str) -> Ended | None:
        """Read the report next to the socket of that key."""
        return read_last_word(self._path(key))

    def keys(self) -> list[str]:
        """Return the keys that have a file in the runtime folder, or had one and still have a process."""
        left_behind = (*_LEFT_BEHIND, _ANNOUNCED)
        lying = {path.stem for path in self._folder.iterdir() if path.suffix in left_behind}
        served = {worker.path for worker in own_workers(self._modules)}
        return sorted(lying | {path.stem for path in served if path.parent == self._folder and path.suffix == _SUFFIX})

    def announce(self, key: str) -> None:
        """Write a file for it: if the web process dies now, no stream may remain that was not ordered."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path(key).with_suffix(_ANNOUNCED).touch(mode=0o600)

    def acknowledge(self, key: str) -> None:
        """Remove that file."""
        self._remove(key, (_ANNOUNCED,))

    def is_announced(self, key: str) -> bool:
        """Whether that file exists."""
        return self._path(key).with_suffix(_ANNOUNCED).exists()

    def discard(self, key: str) -> None:
        """Remove the files of a dead worker in the runtime folder."""
        self._remove(key, (*_LEFT_BEHIND, _ANNOUNCED))

    def _remove(self, key: str, suffixes: Sequence[str]) -> None:
        for suffix in suffixes:
            with contextlib.suppress(OSError):  # the folder is gone, and its files with it
                self._path(key).with_suffix(suffix).unlink()

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"
