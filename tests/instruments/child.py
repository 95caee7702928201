"""Programs that a test starts. Their output is kept. A program that does not end on SIGTERM is killed."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.instruments.waiting import wait_for

ROOT = Path(__file__).parents[2]


class Child:
    """A running program. Standard output and error go to files, so that a full pipe cannot stop it."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        first_line: bytes | None = None,
    ) -> None:
        """Start `argv`. With `first_line`, standard input is a pipe that begins with it and stays open."""
        self._folder = tempfile.TemporaryDirectory(prefix="child-")
        folder = Path(self._folder.name)
        self.stdout, self.stderr = folder / "stdout", folder / "stderr"
        with self.stdout.open("wb") as out, self.stderr.open("wb") as err:
            self.process = subprocess.Popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL if first_line is None else subprocess.PIPE,
                stdout=out,
                stderr=err,
                env=None if env is None else dict(env),
                cwd=cwd,
            )
        if first_line is not None:
            self.notify(first_line)

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self.process.pid

    def notify(self, line: bytes) -> None:
        """Write to the program's standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def is_running(self) -> bool:
        """Whether the program is still running."""
        return self.process.poll() is None

    def output(self) -> str:
        """Return the standard output so far."""
        return self.stdout.read_text(errors="replace")

    def complaints(self) -> str:
        """Return the standard error so far."""
        return self.stderr.read_text(errors="replace")

    def wait(self, *, deadline_s: float) -> int:
        """Wait until the program ends by itself. Return its exit status."""
        try:
            return self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.process.args!r} did not end in {deadline_s:g} s: {self.complaints()}"
            ) from None

    def kill(self) -> None:
        """End the program with SIGKILL, so that it cannot close its connections."""
        self.process.kill()
        self.process.wait(10)

    def close(self, *, deadline_s: float = 5) -> None:
        """Close standard input, send SIGTERM, and SIGKILL after `deadline_s`. Remove the files of the output."""
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        if self.is_running():
            self.process.terminate()
            try:
                self.process.wait(deadline_s)
            except subprocess.TimeoutExpired:
                self.kill()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class JsonChild(Child):
    """An instrument that reads JSON lines on standard input and writes JSON lines on standard output."""

    def __init__(
        self, module: str, *arguments: str, first: Mapping[str, Any] | None = None, within: Sequence[str] = ()
    ) -> None:
        """Start a module of this project. `within` is a command prefix, for example to enter a network namespace."""
        argv = [*within, sys.executable, "-m", module, *arguments]
        super().__init__(argv, first_line=_line(first) if first else b"")
        self._questions = 0

    def last(self) -> dict[str, Any]:
        """Return the newest complete line of the output, or an empty dictionary before the first line."""
        lines = self.output().split("\n")[:-1]
        return dict(json.loads(lines[-1])) if lines else {}

    def wait_for_line(self, key: str, *, deadline_s: float) -> dict[str, Any]:
        """Wait until the newest line has a true value for `key`, and return the line."""

        def seen() -> dict[str, Any]:
            line = self.last()
            if not line.get(key) and not self.is_running():
                raise AssertionError(f"{self.process.args!r} ended: {self.complaints()}")
            return line if line.get(key) else {}

        return wait_for(seen, deadline_s=deadline_s, what=f"{key} from {self.process.args!r}")

    def ask(self, **question: Any) -> dict[str, Any]:
        """Send a line with a number and return the answer, which has the same number."""
        self._questions += 1
        self.notify(_line({**question, "number": self._questions}))

        def answer() -> dict[str, Any]:
            line = self.last()
            return line if line.get("number") == self._questions else {}

        return wait_for(answer, deadline_s=5, what=f"an answer to {question}", every_s=0.01)


def _line(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"


def say(**document: Any) -> None:
    """Report to the test that started this instrument: write a JSON line to standard output."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def be_punctual() -> None:
    """Raise the priority of this process if that is allowed, so that the instrument does not delay its measurement."""
    with contextlib.suppress(PermissionError):
        os.nice(-10)


def is_alive(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def open_files(pid: int) -> int:
    """Return the number of file descriptors that a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
