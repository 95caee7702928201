"""The web process is killed again and again under receive streams: the recordings and the histories stay whole."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise

from tests.instruments.durations import is_long
from tests.instruments.product import SAMPLE_NAME, Product, View
from tests.instruments.srt_sender import Sender

STREAMS = 5 if is_long() else 2
KILLS = 10 if is_long() else 3
_AT_LEAST_BYTES = 500_000


def test_nothing_is_lost_at_the_recording_when_the_web_process_is_killed(own: Product) -> None:
    sent = (own.media / SAMPLE_NAME).read_bytes()
    ports = own.listener_ports[-STREAMS:]
    keys = []
    for port in ports:
        document = {
            "direction": "receive",
            "endpoint": {"mode": "listener", "port": port},
            "latency_ms": 1000,
            "record": {"name": f"kill-{port}"},
        }
        keys.append(own.post("/api/streams", document).document["key"])
    with ExitStack() as stack:
        for port in ports:
            stack.enter_context(Sender(own.media / SAMPLE_NAME, port, bitrate_bps=4_000_000))
        before = [_more(own, key, 0) for key in keys]
        for _ in range(KILLS):
            own.kill_web()
            own.restart_web()
            before = [
                _more(own, key, view["reception"]["recording"]["bytes_total"])
                for key, view in zip(keys, before, strict=True)
            ]
        after = before
        histories = [own.get(f"/api/streams/{key}/reception?seconds=3600").document["samples"] for key in keys]
        for key in keys:
            own.post(f"/api/streams/{key}/stop")
    for port, view, history in zip(ports, after, histories, strict=True):
        reception = view["reception"]
        assert reception["packets_dropped"] == 0
        assert reception["recording"]["bytes_missing"] == 0
        (recorded,) = own.media.glob(f"kill-{port}_*.ts")
        data = recorded.read_bytes()
        # The sender repeats the file as it is: only a lap's seam may break a counter.
        assert reception["continuity_errors"] == 0 or len(data) > len(sent)
        assert data == (sent * (len(data) // len(sent) + 1))[: len(data)]
        assert len(history) >= reception["seconds"] - 2
        assert max(later["at"] - earlier["at"] for earlier, later in pairwise(history)) < 3, "no hole in the history"


def _more(product: Product, key: str, than: int) -> View:
    """Return the view of a stream once its recording has grown."""
    return product.wait_for_stream(
        key,
        lambda view: view["reception"] and view["reception"]["recording"]["bytes_total"] > than + _AT_LEAST_BYTES,
        deadline_s=40,
    )
