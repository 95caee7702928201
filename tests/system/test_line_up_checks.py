"""The configuration test of a line-up: what each check finds at real ends, and that it leaves the stream alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.instruments.product import Product
from tests.instruments.waiting import wait_for

ENCRYPTION = {"key_bits": 256, "passphrase": "correct horse battery"}
LATENCY_MS = 250


@pytest.fixture(scope="module")
def own(sample: Path) -> Iterator[Product]:
    with Product(sample, MAX_STREAMS="20") as product:
        yield product


def listener_pair(product: Product, encryption: dict[str, Any] | None) -> tuple[str, str]:
    """Return a sender that listens and a receiver that calls it."""
    stream = product.start(latency_ms=LATENCY_MS, encryption=encryption)
    endpoint = {"mode": "caller", "host": "127.0.0.1", "port": stream["spec"]["endpoint"]["port"]}
    return stream["key"], receive(product, endpoint, encryption)


def caller_pair(product: Product, encryption: dict[str, Any] | None) -> tuple[str, str]:
    """Return a receiver that listens and a sender that calls it."""
    port = product.listener_ports[-1]
    receiver = receive(product, {"mode": "listener", "port": port}, encryption)
    endpoint = {"mode": "caller", "host": "127.0.0.1", "port": port}
    return product.start(latency_ms=LATENCY_MS, encryption=encryption, endpoint=endpoint)["key"], receiver


def receive(product: Product, endpoint: dict[str, Any], encryption: dict[str, Any] | None) -> str:
    spec = {"direction": "receive", "endpoint": endpoint, "latency_ms": LATENCY_MS, "encryption": encryption}
    answer = product.post("/api/streams", spec)
    assert answer.status == 201, answer.document
    return str(answer.document["key"])


def checked(product: Product, sender: str, receiver: str) -> dict[str, dict[str, Any]]:
    """The checks of a run that is cancelled when its performance test begins, by the first words of their titles."""
    for key in (sender, receiver):
        product.wait_for_phase(key, "delivering", deadline_s=20)
    plan = {"stream": sender, "receiver": {"kind": "local", "key": receiver}, "profile": "quick"}
    run_id = product.post("/api/line-ups", plan).document["id"]
    path = f"/api/line-ups/{run_id}"
    wait_for(lambda: product.get(path).document["state"] == "performance", deadline_s=30, what="the performance test")
    checks = product.get(path).document["checks"]
    product.post(f"{path}/cancel")
    wait_for(lambda: not product.get(path).document["is_running"], deadline_s=20, what="the end of the run")
    return {check["title"].partition(",")[0]: check for check in checks}


def test_a_wrong_passphrase_is_refused_by_a_listening_sender_whose_stream_goes_on(own: Product) -> None:
    sender, receiver = listener_pair(own, ENCRYPTION)
    checks = checked(own, sender, receiver)
    assert (checks["Wrong passphrase"]["got"], checks["Wrong passphrase"]["verdict"]) == ("refused", "pass")
    assert (checks["Encryption"]["got"], checks["Encryption"]["verdict"]) == ("AES-256", "pass")
    # What was refused is known from the listening end itself, not from the check.
    texts = [event["text"] for event in own.get(f"/api/events?key={sender}").document["events"]]
    assert any("passphrase" in text for text in texts), texts
    assert_untouched(own, receiver)
    for key in (sender, receiver):
        own.dismiss(key)


def test_a_receiver_of_one_sender_refuses_the_second_call_unseen_and_that_is_no_verdict(own: Product) -> None:
    sender, receiver = caller_pair(own, ENCRYPTION)
    check = checked(own, sender, receiver)["Wrong passphrase"]
    assert check["verdict"] == "skipped"
    assert check["got"] == "refused before the passphrase was compared: connection rejected"
    assert_untouched(own, receiver)
    for key in (sender, receiver):
        own.dismiss(key)


def assert_untouched(product: Product, receiver: str) -> None:
    reception = product.stream(receiver)["reception"]
    assert (reception["packets_dropped"], reception["error_seconds"].get("disconnected", 0)) == (0, 0)


def test_without_encryption_the_other_checks_name_what_they_found(own: Product) -> None:
    sender, receiver = listener_pair(own, None)
    checks = checked(own, sender, receiver)
    assert (checks["Wrong passphrase"]["verdict"], checks["DSCP as received"]["verdict"]) == ("skipped", "skipped")
    assert checks["Negotiated latency at the receiver"]["got"].startswith(f"{LATENCY_MS} ms at ")
    assert checks["Negotiated latency"]["got"].startswith(f"{LATENCY_MS} ms at ")
    # The interface has 65536, and the kernel's IP_MAX_MTU (net/ip.h) is 65535.
    lo_mtu = min(65535, int(Path("/sys/class/net/lo/mtu").read_text()))
    assert checks["MTU"]["got"] == f"{lo_mtu} bytes"
    assert checks["MTU"]["limit"] == "at least 1360 bytes"
    for key in (sender, receiver):
        own.dismiss(key)
