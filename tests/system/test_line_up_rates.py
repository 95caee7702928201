"""The rate steps of a line-up test: what each step carried, and that the stream under test is on air again after it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.instruments.product import Product
from tests.instruments.waiting import wait_for

BITRATE_MBPS = 4.0
ASKED = [2.0, 3.0, 3.6, 4.0, 5.0]  # 50, 75, 90, 100 % and 100 % with an overhead of 25 %


@pytest.fixture(scope="module")
def hosts(sample: Path) -> Iterator[tuple[Product, Product]]:
    """The near installation, which knows the far one, and the far one."""
    with Product(sample) as far:
        entry = {"name": "far", "url": f"http://127.0.0.1:{far.port}", "api_key": far.api_key}
        with Product(sample, HOSTS=json.dumps([entry])) as near:
            yield near, far


def receive(product: Product, endpoint: dict[str, Any]) -> str:
    spec = {"direction": "receive", "name": "Far end", "endpoint": endpoint, "latency_ms": 250}
    answer = product.post("/api/streams", spec)
    assert answer.status == 201, answer.document
    return str(answer.document["key"])


def called(near: Product, far: Product) -> tuple[str, str]:
    """Return a sender that calls a receiver of the far host."""
    port = far.free_listener_port()
    receiver = receive(far, {"mode": "listener", "port": port})
    return near.start(latency_ms=250, endpoint={"mode": "caller", "host": "127.0.0.1", "port": port})["key"], receiver


def calling(near: Product, far: Product) -> tuple[str, str]:
    """Return a sender that listens, and a receiver of the far host that calls it."""
    sender = near.start(latency_ms=250)
    port = sender["spec"]["endpoint"]["port"]
    return sender["key"], receive(far, {"mode": "caller", "host": "127.0.0.1", "port": port})


def configured(near: Product, plan: dict[str, Any]) -> dict[str, Any]:
    """Return a run that is cancelled when its performance test begins, and is over."""
    answer = near.post("/api/line-ups", plan | {"profile": "quick"})
    assert answer.status == 202, answer.document
    path = f"/api/line-ups/{answer.document['id']}"
    wait_for(lambda: near.get(path).document["state"] != "configuration", deadline_s=110, what="the performance test")
    near.post(f"{path}/cancel")
    wait_for(lambda: not near.get(path).document["is_running"], deadline_s=20, what="the end of the run")
    return dict(near.get(path).document)


@pytest.mark.campaign  # five steps of ten seconds
@pytest.mark.parametrize("pair", [called, calling])
def test_each_step_delivers_its_rate_and_the_line_is_on_air_again(hosts: tuple[Product, Product], pair: Any) -> None:
    near, far = hosts
    sender, receiver = pair(near, far)
    near.wait_for_phase(sender, "delivering", deadline_s=20)
    plan = {
        "stream": sender,
        "receiver": {"kind": "remote", "host": "far", "key": receiver},
        "rate_steps": True,
        "bitrate_mbps": BITRATE_MBPS,
        "limits": {"headroom_min_percent": 0},  # a busy machine empties the buffer
    }
    run = configured(near, plan)
    steps = [check for check in run["checks"] if check["title"].startswith("Rate ")]
    assert [float(check["asked"].split()[0]) for check in steps] == ASKED, run["checks"]
    for check, asked in zip(steps, ASKED, strict=True):
        assert float(check["got"].split()[0]) == pytest.approx(asked, rel=0.03), check
        assert (check["verdict"], "0 packets lost" in check["got"]) == ("pass", True), check
    (capacity,) = [check for check in run["checks"] if check["title"] == "Capacity"]
    assert capacity["got"] == f"at least {ASKED[-1]:.2f} Mb/s"
    assert near.wait_for_phase(sender, "delivering")["order"] == "run"
    assert [view["key"] for view in far.streams()] == [receiver], "the temporary receive stream is gone"
    near.dismiss(sender)
    far.dismiss(receiver)


def test_steps_that_cannot_be_made_say_why_and_leave_the_line_alone(hosts: tuple[Product, Product]) -> None:
    near, far = hosts
    sender, receiver = called(near, far)
    near.wait_for_phase(sender, "delivering", deadline_s=20)
    since = near.stream(sender)["ordered_at"]
    for plan, verdict, words in (
        ({"receiver": {"kind": "none"}, "rate_steps": True}, "skipped", "another product"),
        ({"receiver": {"kind": "remote", "host": "far", "key": receiver}}, "skipped", "not requested"),
    ):
        run = configured(near, {"stream": sender} | plan)
        (check,) = [check for check in run["checks"] if check["title"] == "Rate steps"]
        assert (check["verdict"], words in check["got"]) == (verdict, True), check
    assert near.stream(sender)["ordered_at"] == since
    near.dismiss(sender)
    far.dismiss(receiver)
