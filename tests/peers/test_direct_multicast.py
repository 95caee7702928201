"""A multicast group by the direct engine: chosen for scrambled channels, and every packet arrives untouched."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.events import NoticeCode
from app.domain.snapshot import Snapshot
from app.domain.spec import MulticastSource
from app.domain.status import new_status
from app.protocol import Job, Notice, Sample
from app.words.concerns import direct_engine_offer
from tests.instruments.multicast_house import GROUP, PORT, House
from tests.instruments.receivers import Receiver
from tests.instruments.ts_maker import Programme, Recipe, make_ts
from tests.instruments.ts_reader import read_ts
from tests.instruments.wire import Wire
from tests.instruments.worker import RunningWorker, job_for

RATE = 3_000_000
SRT_PORT = 10001
# A worker that waits for the processor for less than half of this still sends all with their true times.
PATIENT_MS = 2000


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Two namespaces, shared by this file's tests."""
    with House() as made:
        yield made


@pytest.mark.parametrize("protocol", ["udp", "rtp"])
def test_a_group_with_a_scrambled_programme_goes_by_the_direct_engine_and_arrives_whole(
    protocol: str, house: House, tmp_path: Path
) -> None:
    mux = tmp_path / "mux.ts"
    programmes = [Programme(video_kbps=900), Programme(number=2, scrambled=True)]
    mux.write_bytes(make_ts(Recipe(seconds=20, bitrate_bps=RATE, programmes=programmes)))
    source = MulticastSource(GROUP, PORT, interface="first", protocol=protocol)  # type: ignore[arg-type]
    with (
        house.channel(mux, bitrate_bps=RATE, protocol=protocol),
        RunningWorker(job_for(source, port=SRT_PORT), within=house.host.enter) as worker,
    ):
        seen = worker.link.wait_for(Sample, lambda sample: sample.applied.engine is not None, deadline_s=15)
        assert seen.applied.engine == "direct"
        assert "scrambled" in seen.applied.engine_reason
        with Receiver.calling(SRT_PORT, within=house.host.enter) as receiver:
            receiver.wait_for_bytes(1_000_000)
            assert receiver.finish().packets_dropped == 0
            report = read_ts(receiver.payload.read_bytes())
        counted = worker.wait_for_sample(lambda sample: sample.input.packets_scrambled_total).input
    assert counted.packets_discarded_total == 0
    assert {0x101, 0x201, 0x202} <= set(report.pids)
    assert report.sync_errors == 0
    # The channel's own loop is the only seam.
    assert report.continuity_errors() <= len(report.pids)


def test_a_group_in_which_scrambled_packets_appear_later_is_offered_the_direct_engine_which_carries_them(
    house: House, tmp_path: Path
) -> None:
    clear, mux = tmp_path / "clear.ts", tmp_path / "mux.ts"
    clear.write_bytes(make_ts(Recipe(seconds=20, bitrate_bps=RATE, programmes=[Programme(video_kbps=900)])))
    programmes = [Programme(video_kbps=900), Programme(number=2, scrambled=True)]
    mux.write_bytes(make_ts(Recipe(seconds=20, bitrate_bps=RATE, programmes=programmes)))
    job = job_for(MulticastSource(GROUP, PORT, interface="first"), port=SRT_PORT)
    with RunningWorker(job, within=house.host.enter) as worker:
        with house.channel(clear, bitrate_bps=RATE):
            seen = worker.link.wait_for(Sample, lambda sample: sample.applied.engine is not None, deadline_s=15)
            assert seen.applied.engine == "gstreamer"
            worker.wait_for_sample(lambda sample: sample.input.bytes_total > 500_000)
        with house.channel(mux, bitrate_bps=RATE):
            notice = worker.link.wait_for(Notice, lambda notice: notice.code is NoticeCode.PACKETS_DISCARDED)
            assert "the engine Direct carries them" in notice.text
            seen = worker.wait_for_sample(lambda sample: sample.input.packets_scrambled_total)
    assert direct_engine_offer(snapshot_of(job, seen))


def snapshot_of(job: Job, sample: Sample) -> Snapshot:
    """Return the stream as its page gets it."""
    return Snapshot(job.key, job.spec, new_status(sample.point.at), sample.point.at, sample=sample)


def test_the_times_in_srt_packets_are_those_at_which_the_kernel_received_the_datagrams(
    house: House, tmp_path: Path
) -> None:
    channel = tmp_path / "channel.ts"
    channel.write_bytes(make_ts(Recipe(seconds=20, bitrate_bps=RATE)))
    source, inside = MulticastSource(GROUP, PORT, interface="first"), house.host.enter
    with (
        house.channel(channel, bitrate_bps=RATE),
        RunningWorker(job_for(source, port=SRT_PORT, engine="direct", latency_ms=PATIENT_MS), within=inside) as worker,
        Wire(PORT, with_payload=True, card="first", within=inside) as cable,
        Wire(SRT_PORT, with_payload=True, within=inside) as loopback,
    ):
        worker.link.wait_for(Sample, lambda sample: sample.input.bytes_total)
        with Receiver.calling(SRT_PORT, within=inside) as receiver:
            receiver.wait_for_bytes(1_500_000)
        received = cable.packets()
        sent = [packet for packet in loopback.packets() if packet.source_port == SRT_PORT and packet.is_data()]
        counted = worker.wait_for_sample(lambda sample: sample.input.bytes_total).input
    count = Counter(packet.datagram for packet in received)  # null packets alone make equal datagrams
    received_us = {packet.datagram: packet.at_ns / 1000 for packet in received if count[packet.datagram] == 1}
    distances = [
        header.timestamp_us - received_us[packet.payload()]
        for packet in sent
        if (header := packet.header()) and not header.is_retransmitted and packet.payload() in received_us
    ]
    assert len(distances) > 500
    level = statistics.median(distances)
    deviations = sorted(abs(distance - level) for distance in distances)
    assert deviations[int(0.99 * len(deviations))] <= 50, (deviations[len(deviations) // 2], deviations[-1])
    assert counted.packets_discarded_total == 0
