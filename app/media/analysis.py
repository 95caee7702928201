"""Analyses media files in the background, on request, one at a time. A result is kept while the file is unchanged.

A child process at idle priority reads the file, so that neither streams nor pages are delayed.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from app.domain.errors import LimitReached
from app.jobs.runner import JobRunner
from app.machine.straight_open import open_straight
from app.media.library import FileIdentity
from app.media.patience import PatientLibrary
from app.media.scan_ts import Failed, Line, Progress, Scanned
from app.mpegts.inspect.report import Analysis
from app.probes.media_info import MediaDetails, read_details
from app.probes.run import CancelSwitch, ProbeFailed, environment
from app.settings import PROJECT_FOLDER

WAITING_MAX: Final = 50
_KEPT_MAX: Final = 200
# A failure may have been temporary. After this time, the next request reads the file again.
_FAILURE_KEPT_S: Final = 10.0


class AnalysisPhase(StrEnum):
    """The progress of an analysis."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class AnalysisState(msgspec.Struct, frozen=True):
    """An analysis at one moment. `progress` runs from 0 to 1.

    `details` come before `analysis`. `details_problem` says why there are none (a tool is missing, or found nothing).
    `problem` says why the analysis failed.
    """

    phase: AnalysisPhase
    progress: float = 0.0
    details: MediaDetails | None = None
    details_problem: str | None = None
    analysis: Analysis | None = None
    problem: str | None = None


# A function that reads a file to its end and reports its progress, 0 to 1. Raises ScanFailed.
Scan = Callable[[Path, Callable[[float], None]], Analysis]


class ScanFailed(Exception):
    """The file could not be read to its end; the message says why, for the operator."""


class MediaAnalyst:
    """Analyses the files of a library in order of request. Safe to use from several threads; ends with `close`."""

    def __init__(
        self,
        library: PatientLibrary,
        *,
        scan: Scan | None = None,
        details: Callable[[Path, CancelSwitch], MediaDetails] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._library = library
        self._child = _ChildScan()
        self._cancel = CancelSwitch()
        self._scan = scan or self._child.scan
        self._details = details or _details_of
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs = JobRunner("media-analysis")
        # Newest last, so that the oldest can be dropped.
        self._states: dict[FileIdentity, AnalysisState] = {}
        self._failed_at: dict[FileIdentity, float] = {}

    def look(self, path: str) -> AnalysisState:
        """Return the state of a file's analysis, and request one if there is none. Never waits.

        Raises InvalidInput on `source.path` if there is no such file, LimitReached if too many are waiting.
        """
        real, identity = self._library.identify(path)
        with self._lock:
            state = self._states.get(identity)
            if state is None or self._is_worth_another_try(identity, state):
                state = self._ask_for(identity, real)
            return state

    def close(self) -> None:
        """End the child process and the job that waits for it; drop the waiting files."""
        self._child.stop()
        self._cancel.throw()
        self._jobs.close()

    def _is_worth_another_try(self, identity: FileIdentity, state: AnalysisState) -> bool:
        failed_at = self._failed_at.get(identity)
        return state.problem is not None and failed_at is not None and self._clock() - failed_at > _FAILURE_KEPT_S

    def _ask_for(self, identity: FileIdentity, real: Path) -> AnalysisState:
        if self._jobs.waiting() >= WAITING_MAX:
            raise LimitReached("many files are waiting for analysis; try again later")
        state = AnalysisState(AnalysisPhase.WAITING)
        self._keep(identity, state)
        self._failed_at.pop(identity, None)
        self._jobs.submit(partial(self._analyse, identity, real))
        return state

    def _analyse(self, identity: FileIdentity, real: Path) -> None:
        state = AnalysisState(AnalysisPhase.RUNNING)
        self._publish(identity, state)
        try:
            state = msgspec.structs.replace(state, details=self._details(real, self._cancel))
        except ProbeFailed as problem:
            state = msgspec.structs.replace(state, details_problem=problem.message)
        self._publish(identity, state)

        def notify(progress: float) -> None:
            self._publish(identity, msgspec.structs.replace(state, progress=progress))

        try:
            analysis = self._scan(real, notify)
        except ScanFailed as problem:
            self._failed_at[identity] = self._clock()
            self._publish(identity, msgspec.structs.replace(state, phase=AnalysisPhase.FAILED, problem=str(problem)))
        else:
            done = msgspec.structs.replace(state, phase=AnalysisPhase.DONE, progress=1.0, analysis=analysis)
            self._publish(identity, done)

    def _publish(self, identity: FileIdentity, state: AnalysisState) -> None:
        with self._lock:
            self._keep(identity, state)

    def _keep(self, identity: FileIdentity, state: AnalysisState) -> None:
        self._states.pop(identity, None)
        self._states[identity] = state
        for old in list(self._states)[: max(0, len(self._states) - _KEPT_MAX)]:
            del self._states[old]
            self._failed_at.pop(old, None)


def _details_of(path: Path, cancel: CancelSwitch) -> MediaDetails:
    try:
        file = open_straight(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise ProbeFailed("ffprobe", f"the file cannot be read: {error.strerror}") from None
    try:
        return read_details(file, cancel)
    finally:
        os.close(file)


class _ChildScan:
    """Runs `app.media.scan_ts` and reads its lines."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopped = False
        self._process: subprocess.Popen[bytes] | None = None
        self._decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)

    def scan(self, path: Path, notify: Callable[[float], None]) -> Analysis:
        """Analyse a file in a child process. Raises ScanFailed."""
        with self._start(path) as process:
            assert process.stdout is not None  # noqa: S101 - made with a pipe
            for text in process.stdout:
                match self._decode(text):
                    case Progress(bytes_read, size_bytes):
                        notify(bytes_read / size_bytes)
                    case Scanned(analysis):
                        return analysis
                    case Failed(problem):
                        raise ScanFailed(f"the file cannot be read: {problem}")
        raise ScanFailed("the analysis ended before it was complete")

    def _decode(self, text: bytes) -> Line:
        try:
            return self._decoder.decode(text)
        except msgspec.DecodeError:
            raise ScanFailed("the analysis ended in the middle of a line") from None

    def stop(self) -> None:
        """End the running child process, and start no other."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    @contextlib.contextmanager
    def _start(self, path: Path) -> Iterator[subprocess.Popen[bytes]]:
        with self._lock:
            if self._stopped:
                raise ScanFailed("the analysis was ended before it began")
            process = self._process = _spawn(path)
        try:
            yield process
        finally:
            with self._lock:
                self._process = None
                process.kill()
            process.communicate()


def _spawn(path: Path) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "app.media.scan_ts", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=PROJECT_FOLDER,
            env=dict(environment()),
            start_new_session=True,
        )
    except OSError as error:
        raise ScanFailed(f"the analysis cannot be started: {error.strerror}") from None
