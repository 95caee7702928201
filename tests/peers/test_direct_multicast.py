"""A multicast group by the direct engine: chosen for scrambled channels, and every packet arrives untouched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.spec import MulticastSource
from app.protocol import Sample
from tests.instruments.multicast_house import GROUP, PORT, House
from tests.instruments.receivers import Receiver
from tests.instruments.ts_maker import Programme, Recipe, make_ts
from tests.instruments.ts_reader import read_ts
from tests.instruments.worker import RunningWorker, job_for

RATE = 3_000_000


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
        RunningWorker(job_for(source, port=10001), within=house.host.enter) as worker,
    ):
        seen = worker.link.wait_for(Sample, lambda sample: sample.applied.engine is not None, deadline_s=15)
        assert seen.applied.engine == "direct"
        assert "scrambled" in seen.applied.engine_reason
        with Receiver.calling(10001, within=house.host.enter) as receiver:
            receiver.wait_for_bytes(1_000_000)
            assert receiver.finish().packets_dropped == 0
            report = read_ts(receiver.payload.read_bytes())
    assert {0x101, 0x201, 0x202} <= set(report.pids)
    assert report.sync_errors == 0
    # The channel's own loop is the only seam.
    assert report.continuity_errors() <= len(report.pids)
