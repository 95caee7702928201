"""Packets that GStreamer discards are counted and reported, and never reported as a missing clock."""

from __future__ import annotations

from pathlib import Path

from app.domain.events import NoticeCode
from app.domain.spec import FileSource
from app.domain.status import Reason
from app.protocol import Notice
from tests.instruments.receivers import Receiver
from tests.instruments.ts_maker import Programme, Recipe, make_ts
from tests.instruments.ts_reader import read_ts
from tests.instruments.waiting import free_port, wait_for
from tests.instruments.worker import RunningWorker, job_for

SECONDS = 2.0


def write(path: Path, *programmes: Programme) -> Path:
    path.write_bytes(make_ts(Recipe(seconds=SECONDS, programmes=list(programmes))))
    return path


def test_scrambled_packets_of_a_file_are_counted_and_reported(tmp_path: Path) -> None:
    file, port = write(tmp_path / "half.ts", Programme(1), Programme(2, scrambled=True)), free_port()
    data = file.read_bytes()
    scrambled = sum(bool(data[at + 3] & 0xC0) for at in range(0, len(data), 188))
    with RunningWorker(job_for(FileSource(file.name), port=port, file_path=file)) as worker:
        with Receiver.calling(port) as receiver:
            sample = worker.wait_for_sample(lambda sample: sample.input.loops_total >= 2, deadline_s=20)
            received = wait_for(
                lambda: (len(received := receiver.payload.read_bytes()) > 500_000) and received,
                deadline_s=20,
                what="half a megabyte received",
            )
        counted = sample.input
        assert counted.packets_scrambled_total == counted.packets_discarded_total >= 2 * scrambled
        assert (counted.packets_scrambled_total - 2 * scrambled) <= scrambled + 10
        notice = worker.link.wait_for(Notice, lambda notice: notice.code is NoticeCode.PACKETS_DISCARDED)
        assert "513" in notice.text
        # The witness: what is counted as discarded is what does not arrive.
        pids = read_ts(received[: len(received) // 188 * 188]).pids
        assert 0x101 in pids
        assert 0x201 not in pids


def test_a_clock_in_scrambled_packets_is_the_reason_and_not_a_missing_clock(tmp_path: Path) -> None:
    file = write(tmp_path / "scrambled.ts", Programme(scrambled=True))
    with RunningWorker(job_for(FileSource(file.name), port=free_port(), file_path=file)) as worker:
        end = worker.wait_for_end(deadline_s=40)
        assert end.reason is Reason.SCRAMBLED
        assert "PID 257" in end.detail
