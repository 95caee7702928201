"""A receiver that leaves is reported at once, is a fault after ten seconds, and the fault ends when it is back."""

from __future__ import annotations

from tests.instruments.product import Product
from tests.instruments.receivers import Receiver


def test_a_killed_receiver_is_seen_at_once_and_forgotten_when_it_is_back(product: Product) -> None:
    view = product.start(receivers_expected=1, latency_ms=300)
    key, port = view["key"], view["spec"]["endpoint"]["port"]
    with Receiver.calling(port):
        view = product.wait_for_stream(key, lambda seen: seen["severity"] == "good")
        assert (view["receivers_expected"], view["receivers_missing"]) == (1, 0)
    view = product.wait_for_stream(key, lambda seen: seen["receivers_missing"] == 1)
    assert view["severity"] == "attention"
    assert "1 of 1 receivers missing since" in view["remark"]
    view = product.wait_for_stream(key, lambda seen: seen["severity"] == "fault", deadline_s=14)
    assert "127.0.0.1" in view["remark"]
    health = product.get("/health")
    assert health.status == 503
    assert any("receivers missing" in reason for reason in health.document["reasons"])
    with Receiver.calling(port):
        product.wait_for_stream(key, lambda seen: seen["severity"] != "fault", deadline_s=10)
        product.wait_for_stream(key, lambda seen: seen["severity"] == "good", deadline_s=10)
    kinds = [event["kind"] for event in product.get(f"/api/events?key={key}").document["events"]]
    assert "missing" in kinds
    assert "present" in kinds
