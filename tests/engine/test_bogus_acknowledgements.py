"""A caller that acknowledges packets never sent blocks libsrt's receiving thread: its address is accepted only once."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.events import NoticeCode
from app.domain.spec import FileSource
from app.protocol import Notice, Sample
from tests.instruments.engines import daily_on_direct
from tests.instruments.raw_caller import RawCaller
from tests.instruments.receivers import Receiver
from tests.instruments.specs import listener_port
from tests.instruments.waiting import free_port
from tests.instruments.worker import RunningWorker, job_for

HOSTILE = "127.0.0.2"
AHEAD = (1 << 30) - 10_000  # as far as sequence numbers can be ahead; data goes on meanwhile
PATIENT_MS = 4000


@daily_on_direct
@pytest.mark.parametrize("is_light", [False, True], ids=["full", "light"])
def test_who_acknowledges_what_was_never_sent_is_not_let_in_again(engine: str, is_light: bool, sample: Path) -> None:
    job = job_for(FileSource("bars.ts"), port=free_port(), file_path=sample, engine=engine, latency_ms=PATIENT_MS)
    port = listener_port(job.spec)
    with RunningWorker(job) as worker:
        worker.link.wait_for(Sample)
        with Receiver.calling(port, latency_ms=PATIENT_MS) as honest:
            honest.wait_for_bytes(500_000)
            with RawCaller(port, host=HOSTILE) as hostile:
                assert hostile.call(deadline_s=5) == "connected"
                hostile.acknowledge(AHEAD, is_light=is_light)
                notice = worker.link.wait_for(Notice, lambda it: it.code == NoticeCode.CALLERS_LIMITED, deadline_s=20)
                assert notice.text.startswith(f"{HOSTILE} acknowledged packets that were never sent")
            with RawCaller(port, host=HOSTILE) as again:
                assert again.call(deadline_s=5) == "refused"
            seen = worker.wait_for_sample(lambda it: len(it.peers) == 1, deadline_s=15)
            assert seen.peers[0].address.startswith("127.0.0.1:")
            honest.wait_for_bytes(honest.figures().bytes + 500_000)
