"""Runs an external program with limits: argument list, separate session, time limit, output limit, nothing left behind.

No shell, no inherited environment (this process holds secrets), standard input empty. The whole process group is killed
when the program ends, hangs, writes too much or is cancelled. Only a child that opened its own session could outlive
it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

OUTPUT_BYTES_MAX: Final = 1024 * 1024
_READ_BYTES: Final = 64 * 1024
# The variables that a program may need: paths of programs, proxies, certificates. Never a secret.
_ENVIRONMENT_PASSED: Final = (
    "PATH",
    "HOME",
    "TMPDIR",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
# Debian's packages; RPM systems name some of them otherwise (iputils).
_PACKAGES: Final = {"ping": "iputils-ping", "iperf3": "iperf3", "ffprobe": "ffmpeg", "mediainfo": "mediainfo"}
_PATH_DEFAULT: Final = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


class Outcome(msgspec.Struct, frozen=True):
    """A program that ended by itself. `returncode` is negative when a signal ended it."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes
    seconds: float

    def text(self) -> str:
        """Return standard output as text; bytes that are not UTF-8 become U+FFFD."""
        return self.stdout.decode(errors="replace")

    def complaint(self) -> str:
        """Return the last line of standard error, at most 300 printable characters; empty without one."""
        lines = [line.strip() for line in self.stderr.decode(errors="replace").splitlines() if line.strip()]
        return "".join(c for c in lines[-1] if c.isprintable())[:300] if lines else ""


class ProbeFailed(Exception):
    """A program gave no result. `program` is its name without the folder."""

    def __init__(self, program: str, message: str) -> None:
        super().__init__(message)
        self.program = program
        self.message = message


class ProgramMissing(ProbeFailed):
    """The program is not installed, or could not be started."""


class TimedOut(ProbeFailed):
    """The program had not ended within its time limit and was killed."""


class TooMuchOutput(ProbeFailed):
    """The program wrote more than allowed and was killed."""


class Cancelled(Exception):
    """The cancel switch was set. The program was killed or not started. Not a failure, so not a ProbeFailed."""


class CancelSwitch:
    """A switch that another thread can set, once, to end a run at once."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thrown = False

    def throw(self) -> None:
        """Cancel the present run with this switch, and every later one."""
        self._thrown = True
        os.eventfd_write(self._fd, 1)

    def is_thrown(self) -> bool:
        """Return whether the switch is set."""
        return self._thrown

    def fileno(self) -> int:
        """Return a descriptor that stays readable once the switch is set."""
        return self._fd

    def __del__(self) -> None:
        os.close(self._fd)


def run(
    argv: Sequence[str],
    *,
    timeout_s: float,
    output_bytes_max: int = OUTPUT_BYTES_MAX,
    memory_bytes_max: int | None = None,
    cancel: CancelSwitch | None = None,
    files: Sequence[int] = (),
) -> Outcome:
    """Run a program to its end and return its output. The caller must check the return code.

    The program inherits the descriptors in `files` and no others.
    `output_bytes_max` limits standard output and standard error together. Raises ProgramMissing, TimedOut,
    TooMuchOutput or Cancelled, and then the program and its process group are gone and reaped.
    """
    name = os.path.basename(argv[0])  # noqa: PTH119 - a name, not a path to open
    if cancel is not None and cancel.is_thrown():
        raise Cancelled(f"{name} was cancelled")
    started = time.monotonic()
    child = _spawn(name, argv, files)
    try:
        if memory_bytes_max is not None:
            # Set from outside: code between fork and exec is not safe in a process with threads.
            resource.prlimit(child.pid, resource.RLIMIT_AS, (memory_bytes_max, memory_bytes_max))
        output = _Output(name, child, output_bytes_max)
        with _watching(child, output, cancel) as selector:
            while not output.program_ended:
                remaining_s = started + timeout_s - time.monotonic()
                if remaining_s <= 0:
                    raise TimedOut(name, f"{name} returned no result within {timeout_s:g} s")
                for key, _ in selector.select(remaining_s):
                    key.data()
    finally:
        _end(child)
    return Outcome(tuple(argv), child.returncode, output.stdout(), output.stderr(), time.monotonic() - started)


def environment() -> Mapping[str, str]:
    """Return the environment for programs: C locale, so that their output can be parsed, and nothing secret."""
    passed = {name: os.environ[name] for name in _ENVIRONMENT_PASSED if name in os.environ}
    return {"PATH": _PATH_DEFAULT, **passed, "LC_ALL": "C.UTF-8", "LANGUAGE": "C"}


def _spawn(name: str, argv: Sequence[str], files: Sequence[int]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            cwd="/",
            start_new_session=True,
            pass_fds=tuple(files),
        )
    except FileNotFoundError as error:
        where = f"; it comes with the package {_PACKAGES[name]}" if name in _PACKAGES else ""
        raise ProgramMissing(name, f"{name} is not installed{where}") from error
    except OSError as error:
        raise ProgramMissing(name, f"{name} cannot be started: {error.strerror}") from error


class _Output:
    """The output of a program so far. Both its outputs together are limited to `bytes_max`."""

    def __init__(self, name: str, child: subprocess.Popen[bytes], bytes_max: int) -> None:
        assert child.stdout is not None  # noqa: S101 - made with pipes
        assert child.stderr is not None  # noqa: S101
        self.fds = (child.stdout.fileno(), child.stderr.fileno())
        self.program_ended = False
        self._name = name
        self._bytes_max = bytes_max
        self._texts = {fd: bytearray() for fd in self.fds}
        for fd in self.fds:
            os.set_blocking(fd, False)

    def stdout(self) -> bytes:
        return bytes(self._texts[self.fds[0]])

    def stderr(self) -> bytes:
        return bytes(self._texts[self.fds[1]])

    def read(self, fd: int) -> bool:
        """Read the present contents of the pipe. Return False at its end."""
        while True:
            try:
                block = os.read(fd, _READ_BYTES)
            except BlockingIOError:
                return True
            if not block:
                return False
            self._texts[fd] += block
            if sum(map(len, self._texts.values())) > self._bytes_max:
                raise TooMuchOutput(self._name, f"{self._name} wrote more than {self._bytes_max} bytes")

    def finish(self) -> None:
        """Read the rest once the program itself has ended, even if another process still holds the pipes."""
        for fd in self.fds:
            self.read(fd)
        self.program_ended = True

    def cancel(self) -> None:
        raise Cancelled(f"{self._name} was cancelled")


@contextlib.contextmanager
def _watching(
    child: subprocess.Popen[bytes], output: _Output, cancel: CancelSwitch | None
) -> Iterator[selectors.BaseSelector]:
    """Return a selector with an action per key: read, finish at the program's end, cancel."""
    pid_fd = os.pidfd_open(child.pid)
    try:
        with selectors.DefaultSelector() as selector:

            def read(fd: int) -> None:
                if not output.read(fd):
                    selector.unregister(fd)

            for fd in output.fds:
                selector.register(fd, selectors.EVENT_READ, functools.partial(read, fd))
            selector.register(pid_fd, selectors.EVENT_READ, output.finish)
            if cancel is not None:
                selector.register(cancel.fileno(), selectors.EVENT_READ, output.cancel)
            yield selector
    finally:
        os.close(pid_fd)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the group and reap its leader. Until it is reaped, no other group can have its number."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()
