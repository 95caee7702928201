"""Two installations in two network namespaces, an impaired path between them, and the verdict that each path has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from app.mpegts.packets import PACKET_BYTES
from tests.instruments.housed import HousedProduct
from tests.instruments.netns import Namespace
from tests.instruments.product import SAMPLE_NAME, Product
from tests.instruments.waiting import wait_for

SECONDS = 12
NETWORK = "192.168.77"
FAR_ADDRESS = f"{NETWORK}.2"
BROKEN = "broken-counter.ts"
# The machine of a test may hold a receiver up for longer than a programme could bear.
LIMITS = {"output_gap_max_ms": 400, "headroom_min_percent": 0, "rtt_spread_max_ms": 1000}


class Evening(NamedTuple):
    """A path, the settings of its sender, and what the verdict has to say. `one_way` is an impairment of both ways."""

    name: str
    one_way: dict[str, Any]
    latency_ms: int
    verdicts: tuple[str, ...]
    words: str
    sender: Mapping[str, Any] = MappingProxyType({})
    outage_ms: int = 0


EVENINGS = (
    Evening("clean", {"delay_ms": 20}, 250, ("pass",), "none lost"),
    Evening("jitter", {"delay_ms": 20, "jitter_ms": 20}, 250, ("pass",), "none lost"),
    Evening("loss", {"delay_ms": 20, "loss_percent": 5}, 40, ("fail",), "packets for good"),
    # The cap of a sender of ours lets it send only a part of 600 ms again within 200 ms: it pauses and loses.
    Evening("outage", {"delay_ms": 25}, 250, ("fail",), "The output paused for", outage_ms=600),
    Evening(
        "encoder",
        {"delay_ms": 20},
        250,
        ("fail",),
        "The sender's encoder",
        {"source": {"kind": "file", "path": BROKEN}},
    ),
    Evening(
        "cap", {"delay_ms": 20, "loss_percent": 12}, 80, ("fail",), "sending cap was reached", {"overhead_percent": 5}
    ),
)


@pytest.fixture(scope="module")
def hosts(light_sample: Path) -> Iterator[tuple[Product, Product]]:
    """The near installation, which knows the far one, and the far one, each in its own network namespace."""
    with Namespace() as here, Namespace(next_to=here) as there:
        here.join(there, "cable", NETWORK)
        with HousedProduct(there, light_sample, HOST="0.0.0.0") as far:
            entry = {"name": "far", "url": f"http://{FAR_ADDRESS}:{far.port}", "api_key": far.api_key}
            with HousedProduct(here, light_sample, HOSTS=json.dumps([entry]), MAX_STREAMS="20") as near:
                (near.media / BROKEN).write_bytes(with_broken_counter((near.media / SAMPLE_NAME).read_bytes()))
                yield near, far


def with_broken_counter(data: bytes) -> bytes:
    """Return the file without every 400th packet of its largest PID, like an encoder that miscounts."""
    packets = [data[at : at + PACKET_BYTES] for at in range(0, len(data) - PACKET_BYTES + 1, PACKET_BYTES)]
    pids = [int.from_bytes(packet[1:3]) & 0x1FFF for packet in packets]
    largest = max(set(pids) - {0x1FFF}, key=pids.count)
    plain = [at for at, pid in enumerate(pids) if pid == largest and not packets[at][3] & 0x20]
    skipped = set(plain[200::400])
    assert skipped
    return b"".join(packet for at, packet in enumerate(packets) if at not in skipped)


def lay(near: Product, far: Product, evening: Evening, index: int) -> tuple[str, str, str]:
    """Return the keys of a receiver on the far host, the path, and a sender on the near host."""
    received = far.post(
        "/api/streams",
        {
            "direction": "receive",
            "name": evening.name,
            "endpoint": {"mode": "listener", "port": far.listener_ports[index]},
            "latency_ms": evening.latency_ms,
        },
    ).document
    path = near.post(
        "/api/streams",
        {
            "direction": "relay",
            "listen_port": near.listener_ports[index],
            "target": {"host": FAR_ADDRESS, "port": far.listener_ports[index]},
            "impairment": {"seed": 5, "to_target": evening.one_way, "to_caller": {"delay_ms": 20}},
        },
    ).document
    caller = {"mode": "caller", "host": "127.0.0.1", "port": near.listener_ports[index]}
    sender = near.start(name=evening.name, endpoint=caller, latency_ms=evening.latency_ms, **evening.sender)
    return sender["key"], path["key"], received["key"]


@pytest.mark.campaign  # six paths at once need an otherwise idle machine
@pytest.mark.timeout(180)
def test_each_path_between_two_hosts_ends_with_its_own_verdict_and_reason(hosts: tuple[Product, Product]) -> None:
    near, far = hosts
    laid = {evening.name: lay(near, far, evening, index) for index, evening in enumerate(EVENINGS)}
    runs = {}
    for evening in EVENINGS:
        sender, _, receiver = laid[evening.name]
        near.wait_for_phase(sender, "delivering", deadline_s=20)
        plan = {
            "stream": sender,
            "receiver": {"kind": "remote", "host": "far", "key": receiver},
            "profile": "quick",
            "duration_s": SECONDS,
            "far_end": evening.name,
            "limits": LIMITS | ({"latency_rtt_ratio_min": 0} if evening.verdicts == ("pass",) else {}),
        }
        answer = near.post("/api/line-ups", plan)
        assert answer.status == 202, answer.document
        runs[evening.name] = answer.document["id"]
    for evening in EVENINGS:
        if evening.outage_ms:
            path = laid[evening.name][1]
            wait_until_measuring(near, runs[evening.name])
            assert near.post(f"/api/streams/{path}/outage", {"for_ms": evening.outage_ms}).status == 200
    for evening in EVENINGS:
        run = finished(near, runs[evening.name])
        assert run["verdict"] in evening.verdicts, (evening.name, run["headline"], run["lines"], run["checks"])
        assert evening.words in run["headline"], (evening.name, run["headline"])
        lost = next(line["got"] for line in run["lines"] if line["name"] == "lost_packets_max")
        seconds = next(line["got"] for line in run["lines"] if line["name"] == "priority_1_error_seconds_max")
        assert seconds <= SECONDS, evening.name
        if evening.name in ("clean", "jitter", "encoder"):
            assert lost == 0, evening.name
        if evening.outage_ms:
            paused_ms = next(line["got"] for line in run["lines"] if line["name"] == "output_gap_max_ms")
            assert paused_ms == pytest.approx(evening.outage_ms, abs=40)


def wait_until_measuring(product: Product, run_id: str) -> None:
    wait_for(
        lambda: product.get(f"/api/line-ups/{run_id}").document["seconds"] >= 2,
        deadline_s=30,
        what="two measured seconds",
    )


def finished(product: Product, run_id: str) -> dict[str, Any]:
    wait_for(
        lambda: not product.get(f"/api/line-ups/{run_id}").document["is_running"],
        deadline_s=SECONDS + 60,
        what="the end of the line-up test",
    )
    return dict(product.get(f"/api/line-ups/{run_id}").document)
