"""A stream of 50 Mb/s through a relay with a delay of 40 ms each way: nothing is lost, and nothing is sent again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.domain.spec import RelaySpec
from tests.campaigns.test_direct_engine import worker_of
from tests.instruments.receivers import Receiver
from tests.instruments.sample import make_sample
from tests.instruments.waiting import free_port
from tests.instruments.worker import RunningWorker
from tests.peers.test_relay import relay_job

Note = Callable[[str, object], None]  # pytest's record_property: figures for --junitxml
RATE_BPS = 50_000_000
WATCHED_S = 30
LATENCY_MS = 500


def test_fifty_megabits_pass_a_relay_of_forty_milliseconds_whole(tmp_path: Path, record_property: Note) -> None:
    file, port, way = make_sample(tmp_path / "fast.ts", seconds=20, bitrate_bps=RATE_BPS), free_port(), {"delay_ms": 40}
    job = relay_job(port, to_target=way, to_caller=way)
    assert isinstance(job.spec, RelaySpec)
    with worker_of(file, port, RATE_BPS, latency_ms=LATENCY_MS) as sender, RunningWorker(job) as relay:
        sender.wait_for_sample(lambda _: True)
        with Receiver.following(job.spec.listen_port, latency_ms=LATENCY_MS) as receiver:
            figures = receiver.wait_for_bytes(WATCHED_S * RATE_BPS // 8, deadline_s=2 * WATCHED_S)
            peer = sender.wait_for_sample(lambda sample: sample.peers).peers[0]
            impaired = relay.wait_for_sample(lambda _: True).relay
    assert impaired is not None
    record_property("receiver", figures)
    record_property("relay", impaired)
    assert (figures.packets_dropped, figures.gaps, figures.continuity_errors) == (0, 0, 0)
    assert impaired.to_target.lost == impaired.to_caller.lost == 0
    assert peer.packets_retransmitted_total < 0.001 * peer.packets_sent_unique_total
