"""Runs a decoder: an ffmpeg process that is fed through a pipe, watched, and restarted with a back-off.

`take` never blocks. The decoder has a low priority and bounded resources, and the reception continues whatever happens
to it. When the worker is gone, its standard input ends and so does the decoder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import resource
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from app.domain.figures.watching import DecoderProblem, DecoderReport
from app.engines.receiver.payload_queue import PayloadQueue
from app.probes.run import environment

_PIPE_BYTES: Final = 1024 * 1024
# The queue in front of the pipe. Together they hold two seconds of 8 Mb/s.
_WAITING_BYTES_MAX: Final = 1024 * 1024
_TURN_S: Final = 0.1
_READ_BYTES: Final = 64 * 1024
_LINE_BYTES_MAX: Final = 4096
_MEMORY_BYTES: Final = 384 * 1024 * 1024
_OPEN_FILES: Final = 64
_NICE: Final = 10
# Half a core over its life, and ten seconds more for its start.
_CPU_PART: Final = 0.5
_CPU_MORE_S: Final = 10
_MUTE_S: Final = 30.0
_WAIT_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
_RAN_WELL_S: Final = 60.0
_STOP_WITHIN_S: Final = 2.0
_STREAM_LINE: Final = re.compile(r"Stream #0:\d+\[0x([0-9a-f]+)\].*?: (Video|Audio): ")
# Options that keep ffmpeg to its standard input: a stream cannot make it open anything else.
INPUT: Final = (
    *("ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-loglevel", "info", "-threads", "1"),
    *("-protocol_whitelist", "pipe", "-probesize", "2000000", "-analyzeduration", "3000000", "-f", "mpegts"),
)


class Listener(Protocol):
    """Receives a decoder's messages and output. All calls come from the decoder's thread."""

    def begin(self) -> None:
        """A decoder has started."""

    def hear(self, line: str) -> None:
        """Take one line of its messages."""

    def see(self, data: bytes) -> None:
        """Take a part of its output."""

    def end(self) -> None:
        """The decoder has ended."""


class Decoder:
    """Runs one decoder after the other. The receiver's thread calls `take`; call `stop` once."""

    def __init__(self, argv: Sequence[str], kind: str, listener: Listener, *, mute_s: float = _MUTE_S) -> None:
        """`kind` is Video or Audio. A decoder that is fed and writes nothing for `mute_s` is ended."""
        self._argv = list(argv)
        self._kind = kind
        self._listener = listener
        self._mute_s = mute_s
        self._lock = threading.Lock()
        self._queue = PayloadQueue(_WAITING_BYTES_MAX)
        self._rest = b""
        self._report = DecoderReport()
        self.pid_decoded: int | None = None
        self._wake = threading.Event()
        self._is_stopping = self._is_again_asked = False
        self._complaint = ""
        self._has_match = True
        self._thread = threading.Thread(target=self._run, name=f"decoder-{kind.lower()}", daemon=True)
        self._thread.start()

    def take(self, payloads: Sequence[bytes]) -> None:
        """Queue payloads for the decoder. Payloads that do not fit are left out and counted."""
        if self._report.is_running:
            self._queue.put(payloads)

    def report(self) -> DecoderReport:
        """Return the state of the decoder."""
        with self._lock:
            return msgspec.structs.replace(self._report, bytes_missing=self._queue.bytes_left_out)

    def again(self) -> None:
        """Start a new decoder in place of the present one. This does not count as a failure."""
        self._is_again_asked = True
        self._wake.set()

    def stop(self) -> None:
        """End the decoder."""
        self._is_stopping = True
        self._wake.set()
        self._thread.join(_STOP_WITHIN_S)

    def _run(self) -> None:
        failures = 0
        while not self._is_stopping:
            self._is_again_asked = False
            self._wake.clear()
            began = time.monotonic()
            problem, detail = self._carry_one()
            if self._is_stopping or self._is_again_asked:
                continue
            failures = 0 if time.monotonic() - began >= _RAN_WELL_S else failures + 1
            self._note(problem=problem, detail=detail)
            self._wake.wait(_WAIT_S[min(failures, len(_WAIT_S)) - 1] if failures else _WAIT_S[0])
            with self._lock:
                self._report = msgspec.structs.replace(self._report, restarts=self._report.restarts + 1)

    def _note(self, *, problem: DecoderProblem | None, detail: str) -> None:
        with self._lock:
            self._report = msgspec.structs.replace(self._report, problem=problem, detail=detail)

    def _carry_one(self) -> tuple[DecoderProblem, str]:
        self._complaint, self._has_match = "", True
        try:
            child = _spawn(self._argv)
        except FileNotFoundError:
            return DecoderProblem.NOT_INSTALLED, ""
        except OSError as error:
            return DecoderProblem.NOT_STARTED, error.strerror or str(error)
        self._set_running(is_running=True)
        self._listener.begin()
        try:
            problem = self._serve(child)
        except OSError as error:
            problem, self._complaint = DecoderProblem.ENDED, error.strerror or str(error)
        finally:
            self._set_running(is_running=False)
            _kill(child)
            self._listener.end()
        return self._judge(problem, child.returncode)

    def _judge(self, problem: DecoderProblem, status: int) -> tuple[DecoderProblem, str]:
        if status == -signal.SIGXCPU:
            return DecoderProblem.TOO_BUSY, ""
        if not self._has_match:
            return DecoderProblem.NOTHING_TO_DECODE, ""
        return problem, self._complaint

    def _set_running(self, *, is_running: bool) -> None:
        with self._lock:
            self._queue.take()  # a new decoder begins with new payloads
            self._rest = b""
            self._report = msgspec.structs.replace(self._report, is_running=is_running)

    def _serve(self, child: subprocess.Popen[bytes]) -> DecoderProblem:
        """Feed the decoder and read its output until it ends or must be ended."""
        assert child.stdin is not None  # noqa: S101 - made with pipes
        assert child.stdout is not None  # noqa: S101
        assert child.stderr is not None  # noqa: S101
        stdin, stdout, stderr = child.stdin.fileno(), child.stdout.fileno(), child.stderr.fileno()
        lines = _Lines()
        began = spoke_at = time.monotonic()
        with selectors.DefaultSelector() as selector:
            for fd in (stdout, stderr):
                os.set_blocking(fd, False)
                selector.register(fd, selectors.EVENT_READ)
            while not self._is_stopping and not self._is_again_asked:
                now = time.monotonic()
                _allow_cpu(child.pid, now - began)
                has_fed = self._feed(stdin)
                for key, _ in selector.select(_TURN_S):
                    data = os.read(key.fd, _READ_BYTES)
                    if not data and key.fd == stderr:
                        return DecoderProblem.ENDED
                    if not data:
                        selector.unregister(key.fd)
                    elif key.fd == stdout:
                        self._listener.see(data)
                    else:
                        self._hear(lines.split(data))
                        spoke_at = now
                if not has_fed and not self._queue.bytes_waiting:
                    spoke_at = max(spoke_at, now - self._mute_s / 2)  # without input it may be silent
                if now - spoke_at > self._mute_s:
                    return DecoderProblem.HUNG
        return DecoderProblem.ENDED

    def _hear(self, lines: list[str]) -> None:
        for line in lines:
            if (found := _STREAM_LINE.search(line)) and found[2] == self._kind and self.pid_decoded is None:
                self.pid_decoded = int(found[1], 16)
            if line.strip() and not line.startswith(("[Parsed_", " ")):
                self._complaint = "".join(letter for letter in line if letter.isprintable())[:200]
            self._has_match = self._has_match and "matches no streams" not in line
            self._listener.hear(line)
        if lines:
            self._note(problem=None, detail="")

    def _feed(self, fd: int) -> bool:
        """Write as much as the pipe accepts now. Return whether it accepted anything."""
        has_fed = False
        while True:
            self._rest = self._rest or self._queue.take()
            if not self._rest:
                return has_fed
            try:
                written = os.write(fd, self._rest)
            except BlockingIOError:
                return has_fed
            except BrokenPipeError:  # it ends; its last messages must still be read
                self._rest = b""
                return has_fed
            self._rest, has_fed = self._rest[written:], True


class _Lines:
    """Splits text into lines. A line that is too long is cut."""

    def __init__(self) -> None:
        self._begun = b""

    def split(self, data: bytes) -> list[str]:
        """Return the lines that are now complete."""
        *whole, self._begun = (self._begun + data).split(b"\n")
        self._begun = self._begun[-_LINE_BYTES_MAX:]
        return [line[:_LINE_BYTES_MAX].decode(errors="replace") for line in whole]


def _spawn(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a bounded process. Limits are set from outside: code between fork and exec is unsafe with threads."""
    child = subprocess.Popen(
        list(argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd="/",
        start_new_session=True,
        bufsize=0,
    )
    try:
        os.setpriority(os.PRIO_PROCESS, child.pid, _NICE)
        for limit, value in (
            (resource.RLIMIT_DATA, _MEMORY_BYTES),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_NOFILE, _OPEN_FILES),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.prlimit(child.pid, limit, (value, value))
        if child.stdin is not None:
            os.set_blocking(child.stdin.fileno(), False)
            with contextlib.suppress(OSError):  # the system's limit for all pipes of a user may be reached
                fcntl.fcntl(child.stdin.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except OSError:
        _kill(child)
        raise
    return child


def _allow_cpu(pid: int, age_s: float) -> None:
    """Let a process use its share of the time since its start; the kernel ends it beyond that."""
    allowed_s = int(_CPU_MORE_S + age_s * _CPU_PART)
    with contextlib.suppress(ProcessLookupError):
        _, hard = resource.prlimit(pid, resource.RLIMIT_CPU)
        resource.prlimit(pid, resource.RLIMIT_CPU, (allowed_s, hard))


def _kill(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
