"""Picture and loudness of a receive stream on the wire, against a run of ffmpeg over what was recorded."""

from __future__ import annotations

from functools import partial

import psutil
import pytest

from tests.instruments.loudness import integrated_of
from tests.instruments.product import SAMPLE_NAME, Product
from tests.instruments.srt_sender import Sender
from tests.instruments.waiting import wait_for


def decoders_of(pid: int) -> dict[str, psutil.Process]:
    """Return the running decoders of a worker by what they decode."""
    return {
        "picture" if "mjpeg" in child.cmdline() else "loudness": child
        for child in psutil.Process(pid).children()
        if child.name() == "ffmpeg" and child.status() != psutil.STATUS_ZOMBIE
    }


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running()


def test_picture_and_loudness_are_shown_and_may_die_without_the_stream(product: Product) -> None:
    port = product.listener_ports[-1]
    watched = {"record": {"name": "watched"}, "picture": True, "loudness": True}
    document = {"direction": "receive", "endpoint": {"mode": "listener", "port": port}, **watched}
    key = product.post("/api/streams", document).document["key"]
    with Sender(product.media / SAMPLE_NAME, port):
        seen = product.wait_for_stream(
            key,
            lambda view: (
                view["reception"]
                and view["reception"]["picture"]["taken"]
                and view["reception"]["loudness"]["short_term_lufs"] is not None
            ),
        )
        answer = product.get(f"/api/streams/{key}/picture")
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Cache-Control"] == "no-store"
        decoders = decoders_of(seen["worker"]["pid"])
        assert set(decoders) == {"picture", "loudness"}
        for decoder in decoders.values():
            decoder.kill()
        again = product.wait_for_stream(
            key,
            lambda view: all(
                view["reception"][name]["decoder"]["restarts"] == 1 and view["reception"][name]["decoder"]["is_running"]
                for name in ("picture", "loudness")
            ),
        )
        loud = product.wait_for_stream(key, lambda view: view["reception"]["loudness"]["integrated_lufs"] is not None)
    assert again["worker"]["pid"] == seen["worker"]["pid"]
    reception = loud["reception"]
    assert (
        reception["packets_dropped"] == reception["continuity_errors"] == reception["recording"]["bytes_missing"] == 0
    )
    product.post(f"/api/streams/{key}/stop")
    recorded = product.media / reception["recording"]["file"]
    assert reception["loudness"]["integrated_lufs"] == pytest.approx(integrated_of(recorded), abs=0.5)


def test_a_killed_worker_leaves_no_decoder_behind(product: Product) -> None:
    port = product.listener_ports[-1]
    document = {
        "direction": "receive",
        "endpoint": {"mode": "listener", "port": port},
        "picture": True,
        "loudness": True,
    }
    key = product.post("/api/streams", document).document["key"]
    seen = product.wait_for_stream(key, lambda view: view["worker"])
    pid = seen["worker"]["pid"]
    decoders = wait_for(lambda: both if len(both := decoders_of(pid)) == 2 else {}, deadline_s=20, what="two decoders")
    psutil.Process(pid).kill()
    for decoder in decoders.values():
        wait_for(partial(has_ended, decoder), deadline_s=20, what="the end of a decoder")
