"""A looped file that begins with tables without a programme goes on air at its own rate, lap after lap."""

from __future__ import annotations

from pathlib import Path

import msgspec

from app.domain.spec import FileSource
from app.protocol import Sample
from tests.instruments.engines import on_both_engines
from tests.instruments.ts_maker import NULL_PACKET, Packetizer, Recipe, make_ts, section
from tests.instruments.waiting import free_port
from tests.instruments.worker import RunningWorker, job_for

BITRATE_BPS = 3_000_000
LAP_S = 1.0
EMPTY_PAT = section(0x00, 1, b"", version=1)


def with_empty_tables_first() -> bytes:
    """A second of a stream behind 20 tables that name no programme: tsparse forgets the programme at each seam."""
    packetizer = Packetizer(0, 15)
    head = b"".join(packet + NULL_PACKET for _ in range(20) for packet in packetizer.sections([EMPTY_PAT]))
    return head + make_ts(Recipe(seconds=LAP_S, bitrate_bps=BITRATE_BPS, pcr_ms=35))


@on_both_engines
def test_a_file_that_begins_with_empty_tables_loops_at_its_own_rate(engine: str, tmp_path: Path) -> None:
    file = tmp_path / "empty-tables.ts"
    file.write_bytes(with_empty_tables_first())
    job = job_for(FileSource(file.name), port=free_port(), file_path=file, engine=engine)
    with RunningWorker(msgspec.structs.replace(job, bitrate_bps=BITRATE_BPS)) as worker:
        first = worker.link.wait_for(Sample)
        last = worker.wait_for_sample(lambda sample: sample.input.loops_total >= 4, deadline_s=20)
        counted_s = last.point.input_at - first.point.input_at
        rate_bps = (last.point.input_bytes_total - first.point.input_bytes_total) * 8 / counted_s
        assert rate_bps < 1.5 * BITRATE_BPS
