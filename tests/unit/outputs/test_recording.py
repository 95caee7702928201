"""Recording to files: every byte, never over another file, and an end with its reason."""

from __future__ import annotations

import errno
import os
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.domain.figures.outputs import RecordingEnd
from app.engines.receiver.outputs import recording
from app.engines.receiver.outputs.recording import Recording, RecordingPlan
from tests.instruments.ts_maker import Recipe, make_ts
from tests.instruments.waiting import wait_for

STREAM = make_ts(Recipe(seconds=4.0))
PAYLOADS = [STREAM[at : at + 1316] for at in range(0, len(STREAM), 1316)]


def plan(folder: Path, **more: Any) -> RecordingPlan:
    """Return a plan without a floor, unless asked."""
    settings: dict[str, Any] = {"folder": folder, "name": "news", "floor_bytes": 0, **more}
    return RecordingPlan(**settings)


def test_what_is_recorded_is_what_was_received(tmp_path: Path) -> None:
    recorded = Recording(plan(tmp_path))
    for at in range(0, len(PAYLOADS), 8):
        recorded.take(PAYLOADS[at : at + 8])
    recorded.stop()
    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == STREAM
    report = recorded.report()
    assert (report.file, report.file_bytes, report.bytes_total) == (file.name, len(STREAM), len(STREAM))
    assert (report.end, report.bytes_missing) == (RecordingEnd.STOPPED, 0)


def test_a_file_that_exists_is_never_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "gmtime", lambda: time.struct_time((2026, 11, 24, 18, 45, 0, 1, 328, 0)))
    taken = tmp_path / "news_20261124T184500Z.ts"
    taken.write_bytes(b"older")
    (tmp_path / "news_20261124T184500Z_2.ts").symlink_to(taken)
    recorded = Recording(plan(tmp_path))
    recorded.take(PAYLOADS)
    recorded.stop()
    assert taken.read_bytes() == b"older"
    assert recorded.report().file == "news_20261124T184500Z_3.ts"


def has_written(recorded: Recording, wanted: int) -> bool:
    return recorded.report().bytes_total == wanted


def has_more_than(recorded: Recording, before: int) -> bool:
    return recorded.report().bytes_total > before


def test_files_end_at_their_size_and_lose_nothing_between_them(tmp_path: Path) -> None:
    recorded = Recording(plan(tmp_path, file_bytes_max=400_000))
    for at in range(0, len(PAYLOADS), 100):
        recorded.take(PAYLOADS[at : at + 100])
        wanted = min(at + 100, len(PAYLOADS)) * 1316
        written = min(wanted, len(STREAM))
        wait_for(partial(has_written, recorded, written), deadline_s=10, what="written", every_s=0.01)
    recorded.stop()
    report = recorded.report()
    assert report.files_total == len(list(tmp_path.iterdir())) == 3
    ordered = sorted(tmp_path.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    assert b"".join(file.read_bytes() for file in ordered) == STREAM


def test_a_file_ends_after_its_time(tmp_path: Path) -> None:
    recorded = Recording(plan(tmp_path, file_seconds_max=0.0))
    for payload in PAYLOADS[:3]:
        before = recorded.report().bytes_total
        recorded.take([payload])
        wait_for(partial(has_more_than, recorded, before), deadline_s=10, what="written")
    recorded.stop()
    assert recorded.report().files_total == 3


def test_the_floor_of_free_space_ends_the_recording_before_the_first_byte(tmp_path: Path) -> None:
    recorded = Recording(plan(tmp_path, floor_bytes=1 << 62))
    recorded.take(PAYLOADS)
    wait_for(lambda: recorded.report().end, deadline_s=10, what="an end")
    recorded.take(PAYLOADS)
    recorded.stop()
    assert recorded.report().end is RecordingEnd.NO_SPACE
    assert "free" in recorded.report().detail
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_ends_the_recording_with_whole_packets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, room = os.write, [100_000]

    def limited(fd: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = write(fd, data[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", limited)
    recorded = Recording(plan(tmp_path))
    recorded.take(PAYLOADS)
    wait_for(lambda: recorded.report().end, deadline_s=10, what="an end")
    report = recorded.report()
    recorded.stop()
    (file,) = tmp_path.iterdir()
    assert (report.end, report.detail) == (RecordingEnd.NO_SPACE, "No space left on device")
    assert file.read_bytes() == STREAM[: 100_000 // 188 * 188]
    assert report.bytes_total == report.file_bytes == 100_000 // 188 * 188
    assert report.bytes_total + report.bytes_missing == len(STREAM)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    recorded = Recording(plan(tmp_path / "missing"))
    recorded.take(PAYLOADS)
    wait_for(lambda: recorded.report().end, deadline_s=10, what="an end")
    recorded.stop()
    assert recorded.report().end is RecordingEnd.NO_FOLDER


def test_a_disk_that_hangs_costs_bytes_and_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()
    write = os.write

    def hanging(fd: int, data: bytes) -> int:
        goes_on.wait(60)
        return write(fd, data)

    monkeypatch.setattr(os, "write", hanging)
    monkeypatch.setattr(recording, "_WAITING_BYTES_MAX", len(STREAM) // 2)
    recorded = Recording(plan(tmp_path))
    for payload in PAYLOADS:
        recorded.take([payload])  # returns, although nothing is written
    wait_for(lambda: recorded.report().bytes_missing > 0, deadline_s=10, what="bytes left out")
    goes_on.set()
    recorded.stop()
    report = recorded.report()
    assert report.bytes_total + report.bytes_missing == len(STREAM)
    assert report.bytes_total > 0
