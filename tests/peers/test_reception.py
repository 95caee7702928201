"""A receive stream over an SRT path: what it says of outages and losses, against the relay that makes them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.instruments.product import SAMPLE_NAME, Product, View
from tests.instruments.relay import Relay
from tests.instruments.srt_sender import Sender
from tests.instruments.waiting import free_port

LATENCY_MS = 250
RTT_MS = 50


@contextmanager
def reception_over(
    product: Product, relay_loss: float = 0, latency_ms: int = LATENCY_MS, rtt_ms: int = RTT_MS
) -> Iterator[tuple[str, Relay]]:
    """A receive stream of the product with a sender without a cap that calls it through a relay."""
    port = product.listener_ports[-1]
    view = product.post(
        "/api/streams",
        {"direction": "receive", "endpoint": {"mode": "listener", "port": port}, "latency_ms": latency_ms},
    ).document
    path = Relay(port, rtt_ms=rtt_ms, loss_to_listener=relay_loss, seed=7)
    with path as relay, Sender(product.media / SAMPLE_NAME, relay.port):
        product.wait_for_phase(view["key"], "delivering")
        yield view["key"], relay


def settled(product: Product, key: str) -> View:
    """Return the reception after a reset at a moment without load."""
    time.sleep(1.5)  # the connection's first second belongs to the handshake
    product.post(f"/api/streams/{key}/reset")
    reception: View = product.wait_for_stream(key, lambda seen: seen["reception"]["seconds"] >= 2)["reception"]
    return reception


# The edge is the latency less the RTT, here 200 and 150 ms: up to it each lost packet is sent again in time. A busy
# machine delays the handshake and so moves the edge; tests/campaigns/test_outage_edge.py looks close to it.
# Each day one outage on either side of it, each at another RTT.
_CAMPAIGN = [pytest.param(*case, marks=pytest.mark.campaign) for case in ((50, 150), (100, 200), (50, 600))]


@pytest.mark.precise
@pytest.mark.parametrize(("rtt_ms", "outage_ms"), [(50, 250), (100, 100), *_CAMPAIGN])
def test_an_outage_shows_as_the_gap_that_it_made_although_nothing_is_lost(
    rtt_ms: int, outage_ms: int, product: Product
) -> None:
    with reception_over(product, rtt_ms=rtt_ms) as (key, relay):
        before, began_ns = settled(product, key), time.time_ns()
        relay.cut(outage_ms)
        seen = product.wait_for_stream(key, lambda view: view["reception"]["seconds"] >= before["seconds"] + 3)
        stalls = [at_ns for at_ns in relay.disturbances_ns() if at_ns > began_ns]
    reception = seen["reception"]
    assert reception["packets_dropped"] == 0
    assert reception["latency_ms"] == LATENCY_MS
    if outage_ms < LATENCY_MS - rtt_ms:
        # Where the relay saw the machine hold sender or relay up, that comes on top of the path.
        assert reception["lateness_ms"]["max"] < 60 or stalls
        assert reception["longest_freeze_ms"] == 0
        return
    assert reception["longest_gap_ms"] == pytest.approx(outage_ms, abs=40)
    assert reception["verdict"]["severity"] in ("attention", "fault")
    said = f"picture froze for {reception['longest_freeze_ms'] / 1000:.1f} s"
    assert reception["longest_freeze_ms"] == pytest.approx(outage_ms, abs=60)
    assert any(said in text and "no packet was lost" in text for text in reception["verdict"]["findings"])
    assert seen["severity"] in ("attention", "fault")


def test_packets_that_cannot_be_repaired_are_lost_and_the_continuity_errors_are_the_networks(product: Product) -> None:
    with reception_over(product, relay_loss=5, latency_ms=RTT_MS) as (key, _):
        seen = product.wait_for_stream(key, lambda view: view["reception"]["packets_dropped"] > 5)
        reception = seen["reception"]
        assert reception["verdict"]["severity"] == "fault"
        assert "lost for good" in reception["verdict"]["text"]
        seen = product.wait_for_stream(key, lambda view: view["reception"]["error_seconds"].get("continuity_network"))
        assert "continuity_encoder" not in seen["reception"]["error_seconds"]
        assert seen["reception"]["packets_recovered"] > 0


def test_a_stream_says_what_is_in_it_and_whether_it_is_legal(product: Product) -> None:
    with reception_over(product) as (key, _):
        seen = product.wait_for_stream(key, lambda view: len(view["reception"]["pids"]) > 3)
        reception = seen["reception"]
        assert reception["content"]["is_in_sync"]
        assert [service["name"] for service in reception["services"]] != []
        assert {"video", "audio"} <= {pid["kind"] for pid in reception["pids"]}
        assert reception["tr101290"]["ts_sync_loss"]["state"] == "good"
        answer = product.get(f"/api/streams/{key}/reception?seconds=60").document["samples"]
        assert sum(sample["delivered_mbps"] for sample in answer) > 0


@pytest.mark.parametrize(("mode", "key_bits"), [("call", None), ("call", 256), ("listen", 128)])
def test_a_recording_holds_every_byte_that_was_sent(mode: str, key_bits: int | None, product: Product) -> None:
    secret = {"passphrase": "correct horse battery", "key_bytes": key_bits // 8} if key_bits else {}
    port = product.listener_ports[-1] if mode == "call" else free_port()
    here = (
        {"mode": "listener", "port": port} if mode == "call" else {"mode": "caller", "host": "127.0.0.1", "port": port}
    )
    document = {"direction": "receive", "endpoint": here, "latency_ms": 500, "record": {"name": f"whole-{mode}"}}
    if key_bits:
        document["encryption"] = {"key_bits": key_bits, "passphrase": "correct horse battery"}
    file = product.media / SAMPLE_NAME

    def start() -> str:
        return str(product.post("/api/streams", document).document["key"])

    key = start() if mode == "call" else ""
    with Sender(file, port, mode=mode, once=True, bitrate_bps=24_000_000, **secret) as sender:
        if mode == "listen":
            sender.wait_for_state("listening")
            key = start()
        sender.wait_for_state("ended")
    product.post(f"/api/streams/{key}/stop")
    (recorded,) = product.media.glob(f"whole-{mode}_*.ts")
    data = recorded.read_bytes()
    recorded.unlink()
    assert data == file.read_bytes()
    events = product.get(f"/api/events?key={key}").document["events"]
    (connected,) = [event["text"] for event in events if event["kind"] == "connected"]
    assert connected.startswith("connected 127.0.0.1:"), "the page names the sender, also one that was called"


def test_a_caller_that_nobody_answers_is_an_error_with_a_remedy(product: Product) -> None:
    document = {"direction": "receive", "endpoint": {"mode": "caller", "host": "127.0.0.1", "port": free_port()}}
    view = product.post("/api/streams", document).document
    seen = product.wait_for_phase(view["key"], "backing_off")
    assert seen["reason"] == "connection_timeout"
    assert seen["reception"] is None or seen["reception"]["packets_unique"] == 0
