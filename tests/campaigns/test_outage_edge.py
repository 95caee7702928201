"""The longest outage that passes, ten times each: 40 ms below the edge it passes, 10 ms beyond it the output stops."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.instruments.product import Product
from tests.instruments.relay import Relay
from tests.peers.test_reception import LATENCY_MS, reception_over, settled

Note = Callable[[str, object], None]  # pytest's record_property: figures for --junitxml
REPETITIONS = 10
A_CONNECTION = 2  # each connection has its own handshake, whose delay moves the edge


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rtt_ms", [50, 100])
@pytest.mark.parametrize("beyond_ms", [-40, 10])
def test_an_outage_passes_below_the_edge_and_freezes_the_output_beyond_it_each_time(
    rtt_ms: int, beyond_ms: int, product: Product, record_property: Note
) -> None:
    outage_ms = LATENCY_MS - rtt_ms + beyond_ms
    freezes_ms: list[float] = []
    for _ in range(REPETITIONS // A_CONNECTION):
        with reception_over(product, rtt_ms=rtt_ms) as (key, relay):
            freezes_ms += [freeze_of(product, key, relay, outage_ms) for _ in range(A_CONNECTION)]
        product.dismiss_all()
    record_property("longest freezes in ms", freezes_ms)
    if beyond_ms < 0:
        assert freezes_ms == [0] * REPETITIONS
    else:
        assert freezes_ms == pytest.approx([outage_ms] * REPETITIONS, abs=40)


def freeze_of(product: Product, key: str, relay: Relay, outage_ms: int) -> float:
    """Cut the path for so long; the longest freeze of the output then."""
    before = settled(product, key)
    relay.cut(outage_ms)
    seen = product.wait_for_stream(key, lambda view: view["reception"]["seconds"] >= before["seconds"] + 3)
    assert seen["reception"]["packets_dropped"] == 0
    return float(seen["reception"]["longest_freeze_ms"])
