"""The direct engine at its limits: a crowd of streams, a fast stream, and many laps of one file."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from app.domain.spec import FileSource
from app.protocol import Sample
from benchmarks.crowd import Crowd
from tests.instruments.processes import cpu_s
from tests.instruments.receivers import Ffmpeg, GStreamer, ProgramReceiver, Receiver, SrtLiveTransmit
from tests.instruments.sample import make_sample
from tests.instruments.ts_maker import Programme, Recipe, make_ts
from tests.instruments.ts_reader import WRAP_27, read_ts
from tests.instruments.waiting import free_port, free_ports, stays
from tests.instruments.worker import RunningWorker, job_for

Note = Callable[[str, object], None]  # pytest's record_property: figures for --junitxml
MINUTE_S = 60
STREAMS = 50
LAPS = 20


def worker_of(file: Path, port: int, bitrate_bps: int, **spec: object) -> RunningWorker:
    """Return a worker of the direct engine that loops a file of that rate."""
    job = job_for(FileSource(file.name), port=port, file_path=file, engine="direct", **spec)
    return RunningWorker(msgspec.structs.replace(job, bitrate_bps=bitrate_bps, is_constant_bitrate=True))


def test_fifty_streams_of_two_megabits_lose_nothing_in_half_a_minute(tmp_path: Path, record_property: Note) -> None:
    file = make_sample(tmp_path / "light.ts", seconds=20, bitrate_bps=2_000_000)
    ports = list(free_ports(STREAMS))
    with ExitStack() as running:
        workers = [running.enter_context(worker_of(file, port, 2_000_000, latency_ms=1000)) for port in ports]
        for worker in workers:
            worker.link.wait_for(Sample, deadline_s=60)
        crowd = running.enter_context(Crowd(ports, latency_ms=1000))
        crowd.wait_for_all()
        stays(lambda: crowd.figures()["connected"] == STREAMS, for_s=30, what="all receivers", every_s=1)
        figures = crowd.figures()
        samples = [worker.wait_for_sample(lambda seen: seen.peers) for worker in workers]
    record_property("figures", figures)
    assert figures["dropped"] == 0
    assert sum(peer.packets_dropped_total for sample in samples for peer in sample.peers) == 0
    assert figures["bytes"] * 8 >= 0.95 * 30 * STREAMS * 2_000_000


def test_ten_streams_of_eight_megabits_need_a_third_of_a_core(tmp_path: Path, record_property: Note) -> None:
    file = make_sample(tmp_path / "full.ts", seconds=30, bitrate_bps=8_000_000, is_full=True)
    ports = list(free_ports(10))
    with ExitStack() as running:
        workers = [running.enter_context(worker_of(file, port, 8_000_000)) for port in ports]
        crowd = running.enter_context(Crowd(ports))
        crowd.wait_for_all()
        pids = [worker.child.pid for worker in workers]
        before, before_s, began_at = crowd.figures(), sum(map(cpu_s, pids)), time.monotonic()
        stays(lambda: crowd.figures()["connected"] == len(ports), for_s=20, what="all receivers", every_s=1)
        cores = (sum(map(cpu_s, pids)) - before_s) / (time.monotonic() - began_at)
        after = crowd.figures()
    received_mbps = 8 * (after["bytes"] - before["bytes"]) / (after["at_us"] - before["at_us"])
    record_property("cores", cores)
    assert (after["dropped"], round(received_mbps)) == (0, 80)
    assert cores <= 0.35


def test_fifty_megabits_for_a_minute_arrive_whole(tmp_path: Path, record_property: Note) -> None:
    file = make_sample(tmp_path / "fast.ts", seconds=20, bitrate_bps=50_000_000)
    port = free_port()
    with worker_of(file, port, 50_000_000, latency_ms=500) as worker:
        worker.link.wait_for(Sample)
        with Receiver.following(port, latency_ms=500) as receiver:
            figures = receiver.wait_for_bytes(60 * 50_000_000 // 8, deadline_s=90)
    record_property("figures", figures)
    assert (figures.packets_dropped, figures.gaps, figures.continuity_errors) == (0, 0, 0)


@pytest.mark.timeout(300)
def test_twenty_loops_of_ten_seconds_have_no_continuity_error(tmp_path: Path, record_property: Note) -> None:
    file = make_sample(tmp_path / "lap.ts", seconds=10, bitrate_bps=2_000_000)
    port = free_port()
    with worker_of(file, port, 2_000_000) as worker:
        worker.link.wait_for(Sample)
        with Receiver.calling(port, latency_ms=500) as receiver:
            worker.link.wait_for(Sample, lambda seen: seen.input.loops_total > LAPS, deadline_s=10 * (LAPS + 3))
            figures = receiver.finish()
            report = read_ts(receiver.payload.read_bytes())
    record_property("figures", figures.packets_unique)
    assert (figures.packets_dropped, report.continuity_errors(), report.sync_errors) == (0, 0, 0)


@pytest.mark.timeout(300)
def test_a_minute_of_two_programmes_whose_clock_wraps_is_the_file_byte_by_byte(tmp_path: Path) -> None:
    rate, wraps_after_s = 3_000_000, 30
    programmes = [
        Programme(start_pcr=WRAP_27 - wraps_after_s * 27_000_000, video_kbps=900),
        Programme(number=2, video_kbps=700),
    ]
    file = tmp_path / "two.ts"
    file.write_bytes(make_ts(Recipe(seconds=MINUTE_S + 30, bitrate_bps=rate, programmes=programmes)))
    port = free_port()
    with worker_of(file, port, rate, latency_ms=500) as worker:
        worker.link.wait_for(Sample)
        address = f"127.0.0.1:{port}"
        with SrtLiveTransmit(address) as slt, Ffmpeg(address) as ffmpeg, GStreamer(address) as gstreamer:
            receivers = list[ProgramReceiver]([slt, ffmpeg, gstreamer])
            for receiver in receivers:
                receiver.wait_for_bytes(MINUTE_S * rate // 8, deadline_s=90)
            received = [receiver.payload.read_bytes() for receiver in receivers]
    sent = file.read_bytes()
    for data in received:
        whole = data[: MINUTE_S * rate // 8 // 188 * 188]
        assert whole in sent
        assert read_ts(whole).continuity_errors() == 0
