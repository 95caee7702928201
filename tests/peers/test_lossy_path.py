"""Over a path that loses packets: our figures against the relay's, the receiver's and the wire's."""

from __future__ import annotations

import pytest

from tests.instruments.durations import seconds
from tests.instruments.product import Product
from tests.instruments.receivers import Receiver
from tests.instruments.relay import Relay
from tests.instruments.wire import Wire, bits_by_second

PAYLOAD_BPS = 8_000_000


def test_five_percent_loss_is_told_as_relay_and_receiver_count_it(product: Product) -> None:
    watched_s = seconds(15, long=60)
    view = product.start(latency_ms=160)
    port = view["spec"]["endpoint"]["port"]
    relay = Relay(port, loss_to_caller=5, rtt_ms=40, seed=7)
    with relay, Receiver.calling(relay.port, latency_ms=120) as receiver:
        receiver.wait_for_seconds(watched_s)
        view = product.stream(view["key"])
        counts = relay.counts()["to_caller"]
        figures = receiver.finish()
    (peer,) = view["peers"]
    assert peer["retransmitted_percent"] == pytest.approx(5, abs=1.5)
    assert peer["rtt_ms"] == pytest.approx(40, abs=10)
    assert peer["negotiated_latency_ms"] == 160
    # The view may be a second older than the relay's counts.
    assert peer["packets_retransmitted"] == pytest.approx(counts.again, abs=100)
    assert peer["packets_sent_unique"] == pytest.approx(counts.first, abs=1200)
    assert peer["payload_mbps"] == pytest.approx(8, rel=0.05)
    # At 4 x RTT one packet in 160,000 is still missing (p^4): almost nothing.
    assert figures.packets_dropped <= 3
    assert abs(figures.packets_dropped - peer["packets_dropped"]) <= 3


def test_a_cut_path_is_stalled_then_lost_and_never_called_delivering(product: Product) -> None:
    view = product.start(latency_ms=200)
    port = view["spec"]["endpoint"]["port"]
    with Relay(port, rtt_ms=20) as relay, Receiver.calling(relay.port) as receiver:
        product.wait_for_phase(view["key"], "delivering")
        receiver.wait_for_bytes(1_000_000)
        relay.set_loss(to_listener=100, to_caller=100)
        product.wait_for_phase(view["key"], "stalled", "waiting", deadline_s=4)
        view = product.wait_for_phase(view["key"], "waiting", deadline_s=8)
        assert view["peers"] == []


@pytest.mark.parametrize(("overhead_percent", "stays_below"), [(25, True), (99, False)])
def test_the_overhead_is_the_cap_on_the_wire(overhead_percent: int, stays_below: bool, product: Product) -> None:
    view = product.start(latency_ms=300, overhead_percent=overhead_percent)
    port = view["spec"]["endpoint"]["port"]
    relay = Relay(port, rtt_ms=40, seed=11)
    with relay, Receiver.calling(relay.port) as receiver:
        # libsrt estimates the input rate during its first half second; the cap acts from then on.
        receiver.wait_for_seconds(2)
        relay.set_loss(to_listener=0, to_caller=45)
        with Wire(port) as wire:
            receiver.wait_for_seconds(2 + seconds(8, long=30))
            sent = [packet for packet in wire.packets() if packet.source_port == port]
    by_second = bits_by_second(sent)
    assert len(by_second) >= 7
    busiest = max(by_second) / PAYLOAD_BPS
    assert (busiest < 1.4) is stays_below, [round(bits / 1e6, 2) for bits in by_second]
