"""How much of the cluster's capacity a stream takes."""

from __future__ import annotations

import pytest

from app.domain.spec import BarsSource, CallerEndpoint, Engine, FileSource, JobSpec, ReceiveSpec, SendSpec
from app.fleet.cost import cpu_permille
from app.protocol import Job

FAR = CallerEndpoint("192.0.2.7", 9000)
FILE = SendSpec(endpoint=FAR, source=FileSource("a.ts"))


@pytest.mark.parametrize(
    ("spec", "engine", "mbps", "measured_permille"),
    [
        # The medians in docs/benchmarks.md and docs/tuning.md.
        (FILE, Engine.DIRECT, 8, 40),
        (FILE, Engine.DIRECT, 50, 86),
        (FILE, Engine.GSTREAMER, 8, 114),
        (FILE, Engine.GSTREAMER, 50, 335),
        (SendSpec(endpoint=FAR, source=BarsSource()), Engine.GSTREAMER, 6, 500),
        (ReceiveSpec(endpoint=FAR), None, 8, 45),
        (ReceiveSpec(endpoint=FAR), None, 50, 102),
        (ReceiveSpec(endpoint=FAR, picture=True, loudness=True), None, 8, 67),
    ],
)
def test_a_stream_is_counted_for_what_was_measured(
    spec: JobSpec, engine: Engine | None, mbps: int, measured_permille: int
) -> None:
    job = Job(key="abc", spec=spec, bitrate_bps=mbps * 1_000_000, engine=engine)
    assert cpu_permille(job) == pytest.approx(measured_permille, rel=0.1)


def test_an_unknown_rate_counts_as_one_of_8_mbps() -> None:
    job = Job(key="abc", spec=FILE, engine=Engine.DIRECT)
    assert cpu_permille(job) == cpu_permille(Job(key="abc", spec=FILE, engine=Engine.DIRECT, bitrate_bps=8_000_000))
