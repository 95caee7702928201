"""How a stream comes to its end: a file played to its last packet, a file without a clock, too much memory."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from app.domain.spec import BarsSource, CallerEndpoint, FileSource
from app.domain.status import Reason
from app.protocol import Sample
from tests.instruments.engines import on_both_engines
from tests.instruments.receivers import Receiver
from tests.instruments.sample import make_sample
from tests.instruments.ts_maker import NULL_PACKET
from tests.instruments.waiting import free_port, wait_for
from tests.instruments.worker import RunningWorker, job_for

TS_BYTES = 188


def packets_of(data: bytes) -> list[bytes]:
    """Return the packets of a stream, without null packets: the sender fills its last SRT packet with those."""
    packets = [data[at : at + TS_BYTES] for at in range(0, len(data), TS_BYTES)]
    return [packet for packet in packets if packet[1:3] != NULL_PACKET[1:3]]


def without_clock(data: bytes) -> bytes:
    """Return the packets without their PCRs."""
    changed = bytearray(data)
    for at in range(0, len(changed), TS_BYTES):
        if changed[at + 3] & 0x20 and changed[at + 4]:
            changed[at + 5] &= ~0x10
    return bytes(changed)


@pytest.mark.parametrize("latency_ms", [120, 1000])
def test_a_file_that_plays_once_arrives_whole_before_its_stream_ends(tmp_path: Path, latency_ms: int) -> None:
    file, port = make_sample(tmp_path / "short.ts", seconds=3), free_port()
    job = job_for(
        FileSource("short.ts", loop=False),
        port=port,
        file_path=file,
        endpoint=CallerEndpoint("127.0.0.1", port),
        latency_ms=latency_ms,
    )
    with Receiver.listening(port, latency_ms=latency_ms) as receiver, RunningWorker(job) as worker:
        assert worker.wait_for_end(deadline_s=20).reason is Reason.END_OF_FILE
        receiver.wait_for_state("lost", "closed")
        assert packets_of(receiver.payload.read_bytes()) == packets_of(file.read_bytes())
        assert worker.child.process.returncode == 0


@on_both_engines
def test_a_listener_plays_a_file_once_from_the_call_of_its_first_receiver_on(engine: str, tmp_path: Path) -> None:
    seconds = 2
    file, port = make_sample(tmp_path / "short.ts", seconds=seconds), free_port()
    job = job_for(FileSource("short.ts", loop=False), port=port, file_path=file, engine=engine)
    with RunningWorker(job) as worker:
        first = worker.link.wait_for(Sample, deadline_s=20)
        waiting = worker.link.wait_for(Sample, lambda seen: seen.point.at > first.point.at + seconds + 1, deadline_s=20)
        assert (waiting.input.bytes_total, waiting.peers) == (0, [])
        with Receiver.calling(port) as receiver:
            assert worker.wait_for_end(deadline_s=20).reason is Reason.END_OF_FILE
            receiver.wait_for_state("lost", "closed")
            assert packets_of(receiver.payload.read_bytes()) == packets_of(file.read_bytes())


def test_a_file_without_a_clock_that_got_this_far_ends_with_its_reason_in_bounded_memory(
    sample: Path, tmp_path: Path
) -> None:
    file = tmp_path / "no-clock.ts"
    file.write_bytes(without_clock(sample.read_bytes()))
    peak_kb = [0]

    def has_ended() -> bool:
        status = Path(f"/proc/{worker.child.pid}/status").read_text()
        peak = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
        peak_kb.extend(peak)
        return not worker.child.is_running()

    with RunningWorker(job_for(FileSource(file.name), port=free_port(), file_path=file)) as worker:
        wait_for(has_ended, deadline_s=30, what="the end of a worker that cannot time its packets", every_s=0.02)
        assert worker.wait_for_end().reason is Reason.NO_PCR
    assert 1_000 < max(peak_kb) < 200 * 1024


def test_a_worker_over_its_memory_ceiling_ends_itself_with_the_reason(sample: Path) -> None:
    job = job_for(FileSource("bars.ts"), port=free_port(), file_path=sample)
    with RunningWorker(msgspec.structs.replace(job, memory_bytes=30 * 2**20)) as worker:
        end = worker.wait_for_end(deadline_s=20)
    assert end.reason is Reason.OUT_OF_MEMORY
    assert "MB" in end.detail


def test_a_stream_of_usual_size_stays_far_below_its_ceiling(sample: Path) -> None:
    port = free_port()
    with (
        RunningWorker(job_for(FileSource("bars.ts"), port=port, file_path=sample)) as worker,
        Receiver.calling(port) as receiver,
    ):
        receiver.wait_for_bytes(3_000_000)
        resident_kb = next(
            int(line.split()[1])
            for line in Path(f"/proc/{worker.child.pid}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        )
    assert resident_kb * 1024 < worker.job.memory_bytes / 2


def test_bars_never_end_by_themselves() -> None:
    with RunningWorker(job_for(BarsSource(), port=free_port())) as worker:
        first = worker.link.wait_for(Sample, lambda seen: seen.input.bytes_total, deadline_s=20)
        worker.link.wait_for(Sample, lambda seen: seen.input.bytes_total > first.input.bytes_total, deadline_s=20)
        assert worker.child.is_running()
