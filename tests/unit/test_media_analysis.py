"""Analyses in the background: one at a time, with progress, kept while the file stays what it is."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.domain.errors import InvalidInput, LimitReached
from app.media.analysis import (
    WAITING_MAX,
    AnalysisPhase,
    AnalysisState,
    MediaAnalyst,
    ScanFailed,
)
from app.media.library import MediaLibrary
from app.media.patience import PatientLibrary
from app.mpegts.inspect.report import Analysis, Repetition
from app.probes.media_info import MediaDetails
from app.probes.run import CancelSwitch, ProgramMissing
from tests.instruments.ts_maker import Recipe, make_ts
from tests.instruments.waiting import wait_for

SAMPLE = make_ts(Recipe(seconds=1.0))
NOTHING = Analysis(0, 0, 0.0, 0, False, 0.0, 0, 0, 0, Repetition(0, 500.0), (), ())
DETAILS = MediaDetails("ffprobe", ())


class FakeScan:
    """Reads nothing, and waits at half way until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.scanned: list[str] = []
        self.problem: str | None = None

    def __call__(self, path: Path, notify: Callable[[float], None]) -> Analysis:
        self.scanned.append(path.name)
        notify(0.5)
        self.go.acquire(timeout=30)
        if self.problem:
            raise ScanFailed(self.problem)
        return NOTHING


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.ts", "b.ts"):
        (tmp_path / name).write_bytes(SAMPLE)
    return tmp_path


@pytest.fixture
def scan() -> FakeScan:
    return FakeScan()


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def analyst(folder: Path, scan: FakeScan, now: list[float]) -> Iterator[MediaAnalyst]:
    analyst = MediaAnalyst(
        PatientLibrary(MediaLibrary(folder)), scan=scan, details=lambda *_: DETAILS, clock=lambda: now[0]
    )
    yield analyst
    scan.go.release(1000)
    analyst.close()


def reach(analyst: MediaAnalyst, path: str, phase: AnalysisPhase, progress: float = 0.0) -> AnalysisState:
    def reached() -> AnalysisState | None:
        state = analyst.look(path)
        return state if state.phase is phase and state.progress >= progress else None

    state = wait_for(reached, deadline_s=30, what=f"the analysis of {path} {phase}", every_s=0.01)
    assert state is not None
    return state


def test_an_analysis_is_asked_for_by_looking_and_tells_its_progress(analyst: MediaAnalyst, scan: FakeScan) -> None:
    assert analyst.look("a.ts").phase is AnalysisPhase.WAITING
    half = reach(analyst, "a.ts", AnalysisPhase.RUNNING, 0.5)
    assert (half.progress, half.details, half.analysis) == (0.5, DETAILS, None)
    scan.go.release()
    done = reach(analyst, "a.ts", AnalysisPhase.DONE)
    assert (done.progress, done.analysis) == (1.0, NOTHING)


def test_files_are_analysed_one_at_a_time_and_once_each(analyst: MediaAnalyst, scan: FakeScan) -> None:
    analyst.look("a.ts")
    analyst.look("b.ts")
    reach(analyst, "a.ts", AnalysisPhase.RUNNING, 0.5)
    assert analyst.look("b.ts").phase is AnalysisPhase.WAITING
    scan.go.release(2)
    reach(analyst, "b.ts", AnalysisPhase.DONE)
    assert analyst.look("a.ts").phase is AnalysisPhase.DONE
    assert scan.scanned == ["a.ts", "b.ts"]


def test_a_changed_file_is_analysed_anew(analyst: MediaAnalyst, scan: FakeScan, folder: Path) -> None:
    scan.go.release(5)
    analyst.look("a.ts")
    reach(analyst, "a.ts", AnalysisPhase.DONE)
    (folder / "a.ts").write_bytes(SAMPLE * 2)
    assert analyst.look("a.ts").phase is AnalysisPhase.WAITING
    reach(analyst, "a.ts", AnalysisPhase.DONE)
    assert scan.scanned == ["a.ts", "a.ts"]


def test_a_failure_is_told_and_tried_again_after_a_while(
    analyst: MediaAnalyst, scan: FakeScan, now: list[float]
) -> None:
    scan.problem = "the disk hiccuped"
    scan.go.release(5)
    analyst.look("a.ts")
    assert reach(analyst, "a.ts", AnalysisPhase.FAILED).problem == "the disk hiccuped"
    now[0] = 11.0
    scan.problem = None
    assert analyst.look("a.ts").phase is AnalysisPhase.WAITING
    assert reach(analyst, "a.ts", AnalysisPhase.DONE).problem is None


def test_missing_tools_are_named_and_hold_nothing_up(folder: Path, scan: FakeScan) -> None:
    def details(_path: Path, _cancel: CancelSwitch) -> MediaDetails:
        raise ProgramMissing("ffprobe", "neither ffprobe nor mediainfo is installed")

    analyst = MediaAnalyst(PatientLibrary(MediaLibrary(folder)), scan=scan, details=details)
    scan.go.release()
    analyst.look("a.ts")
    done = reach(analyst, "a.ts", AnalysisPhase.DONE)
    analyst.close()
    assert done.details_problem == "neither ffprobe nor mediainfo is installed"
    assert done.analysis is NOTHING


def test_a_path_outside_the_library_is_refused(analyst: MediaAnalyst) -> None:
    with pytest.raises(InvalidInput):
        analyst.look("../a.ts")


def test_too_many_files_at_once_are_refused(analyst: MediaAnalyst, folder: Path) -> None:
    for index in range(WAITING_MAX + 2):
        (folder / f"{index}.ts").write_bytes(SAMPLE[:188])
    analyst.look("a.ts")
    reach(analyst, "a.ts", AnalysisPhase.RUNNING, 0.5)
    for index in range(WAITING_MAX):
        analyst.look(f"{index}.ts")
    with pytest.raises(LimitReached):
        analyst.look(f"{WAITING_MAX}.ts")


@pytest.fixture
def real(folder: Path) -> Iterator[MediaAnalyst]:
    analyst = MediaAnalyst(PatientLibrary(MediaLibrary(folder)))
    yield analyst
    analyst.close()


def test_a_child_process_reads_the_file(real: MediaAnalyst, folder: Path) -> None:
    (folder / "full.ts").write_bytes(make_ts(Recipe(seconds=3.0, sdt_names={1: "Ett"})))
    real.look("full.ts")
    done = reach(real, "full.ts", AnalysisPhase.DONE)
    assert done.analysis is not None
    assert done.analysis.programmes[0].name == "Ett"
    assert done.analysis.bitrate_bps == pytest.approx(3_000_000, abs=100)


def _large(folder: Path) -> None:
    with (folder / "large.ts").open("wb") as file:
        file.write(SAMPLE)
        file.truncate(200 * 10**9)


def test_closing_ends_a_long_analysis_at_once(folder: Path) -> None:
    _large(folder)
    analyst = MediaAnalyst(PatientLibrary(MediaLibrary(folder)), details=lambda *_: DETAILS)
    analyst.look("large.ts")
    reach(analyst, "large.ts", AnalysisPhase.RUNNING, 1e-9)
    (child,) = _children("app.media.scan_ts")
    analyst.close()
    assert analyst.look("large.ts").phase is AnalysisPhase.FAILED
    assert not Path(f"/proc/{child}").exists()


def test_the_child_runs_only_when_the_machine_is_idle(folder: Path) -> None:
    _large(folder)
    analyst = MediaAnalyst(PatientLibrary(MediaLibrary(folder)), details=lambda *_: DETAILS)
    analyst.look("large.ts")
    reach(analyst, "large.ts", AnalysisPhase.RUNNING, 1e-9)
    (child,) = _children("app.media.scan_ts")
    policy = os.sched_getscheduler(child)
    analyst.close()
    assert policy == os.SCHED_IDLE


def _children(module: str) -> list[int]:
    """Children of this process that run a module."""
    own = Path(f"/proc/{os.getpid()}/task")
    pids = {int(pid) for task in own.iterdir() for pid in (task / "children").read_text().split()}
    return [pid for pid in pids if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]
