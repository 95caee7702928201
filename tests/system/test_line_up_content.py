"""Picture and sound in the report of a line-up between two installations, against ffmpeg over the sent file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.instruments.loudness import integrated_of
from tests.instruments.product import SAMPLE_NAME, Product
from tests.instruments.waiting import wait_for

SECONDS = 10
LIMITS = {"output_gap_max_ms": 400, "headroom_min_percent": 0, "rtt_spread_max_ms": 1000}
TARGET_LUFS = -23


@pytest.fixture
def hosts(light_sample: Path) -> Iterator[tuple[Product, Product]]:
    """The near installation, which knows the far one, and the far one."""
    with Product(light_sample) as far:
        entry = {"name": "far", "url": f"http://127.0.0.1:{far.port}", "api_key": far.api_key}
        with Product(light_sample, HOSTS=json.dumps([entry])) as near:
            yield near, far


def test_the_loudness_of_the_far_end_is_that_of_the_file_and_fails_by_the_limit_of_the_plan(
    hosts: tuple[Product, Product],
) -> None:
    near, far = hosts
    endpoint = {"mode": "listener", "port": far.listener_ports[0]}
    watched = {"direction": "receive", "endpoint": endpoint, "picture": True, "loudness": True}
    receiver = far.post("/api/streams", watched).document["key"]
    sender = near.start(endpoint={"mode": "caller", "host": "127.0.0.1", "port": far.listener_ports[0]})["key"]
    far.wait_for_stream(receiver, lambda view: view["reception"] and is_decoded(view["reception"]))
    plan = {
        "stream": sender,
        "receiver": {"kind": "remote", "host": "far", "key": receiver},
        "duration_s": SECONDS,
        "limits": LIMITS | {"loudness_deviation_max_lu": 0, "black_max_s": 0},
    }
    answer = near.post("/api/line-ups", plan)
    assert answer.status == 202, answer.document
    path = f"/api/line-ups/{answer.document['id']}"
    wait_for(lambda: not near.get(path).document["is_running"], deadline_s=SECONDS + 40, what="the end of the run")

    run = near.get(path).document
    lines = {line["name"]: line for line in run["lines"]}
    deviation = abs(integrated_of(near.media / SAMPLE_NAME) - TARGET_LUFS)
    assert deviation > 0.6, "the tone of the sample is not at the target, so that the limit is exceeded"
    assert lines["loudness_deviation_max_lu"]["got"] == pytest.approx(deviation, abs=0.5)
    assert (run["verdict"], lines["loudness_deviation_max_lu"]["verdict"]) == ("fail", "fail")
    assert "Loudness deviation: " in run["headline"]
    seen = (lines[name] for name in ("black_max_s", "frozen_max_s", "silent_max_s"))
    assert [(line["got"], line["limit"], line["verdict"]) for line in seen] == [
        (0, 0, "pass"),
        (0, None, "pass"),
        (0, None, "pass"),
    ]


def is_decoded(reception: dict[str, Any]) -> bool:
    """Whether both decoders have found something."""
    return bool(reception["picture"]["taken"]) and reception["loudness"]["integrated_lufs"] is not None
