"""The figures of a line-up report against two witnesses: an independent receiver and a capture of the wire."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.instruments.mirror import Mirror
from tests.instruments.product import Product
from tests.instruments.receivers import Arrival, Receiver
from tests.instruments.relay import Relay
from tests.instruments.waiting import free_port
from tests.instruments.wire import Packet, Wire
from tests.system.test_line_up import figures, finished, start

# The latency is below the RTT, so no retransmission is in time: what is lost once is lost for good.
RTT_MS, LATENCY_MS, LOSS_PERCENT = 100, 60, 5
# The figures of a second are read up to 0.1 s after it, and a run has ten.
TOLERANCE = 0.04


def lost_between(arrivals: Sequence[Arrival], began: float, ended: float) -> tuple[int, int]:
    """Return how many messages came between two Unix times, and how many between them never came."""
    came = [each.sequence for each in arrivals if began < each.taken_ns / 1e9 <= ended]
    return len(came), came[-1] - came[0] + 1 - len(came)


def sent_between(packets: Sequence[Packet], began: float, ended: float) -> tuple[int, int]:
    """Return how many data packets went out for the first time between two Unix times, and how many again."""
    headers = [packet.header() for packet in packets if packet.is_data() and began < packet.at_ns / 1e9 <= ended]
    again = sum(header.is_retransmitted for header in headers if header is not None)
    return len(headers) - again, again


@pytest.mark.precise
def test_the_figures_of_a_report_are_those_of_another_receiver_and_of_a_capture(product: Product) -> None:
    port, other_port = product.listener_ports[-1], free_port()
    receiver = product.post(
        "/api/streams",
        {"direction": "receive", "endpoint": {"mode": "listener", "port": port}, "latency_ms": LATENCY_MS},
    ).document["key"]
    with (
        Receiver.listening(other_port, latency_ms=LATENCY_MS) as other,
        Mirror(port, second=other_port) as both,
        Relay(both.port, rtt_ms=RTT_MS, loss_to_listener=LOSS_PERCENT, data_only=True, seed=5) as path,
        Wire(path.port) as wire,
    ):
        caller = {"mode": "caller", "host": "127.0.0.1", "port": path.port}
        sender = product.start(endpoint=caller, latency_ms=LATENCY_MS)["key"]
        for key in (sender, receiver):
            product.wait_for_phase(key, "delivering", deadline_s=20)
        run = finished(product, start(product, sender, receiver)["id"])
        packets, arrivals = wire.packets(), other.arrivals()
    stored = json.loads(product.get(f"/api/line-ups/{run['id']}?format=stored").body)
    sent, received = stored["measured"]["sender"], stored["measured"]["receiver"]
    assert figures(run)["lost_packets_max"] == sum(second[2] for second in received)
    # The first second of a run begins up to a second before it, so the windows begin at its end.
    first, again = sent_between(packets, sent[0][0], sent[-1][0])
    came, lost = lost_between(arrivals, received[0][0], received[-1][0])
    assert min(first, came) > 5000
    assert lost == pytest.approx(LOSS_PERCENT / 100 * (came + lost), rel=0.25)
    for seconds, column, witness in ((sent, 1, first), (sent, 2, again), (received, 1, came), (received, 2, lost)):
        assert sum(second[column] for second in seconds[1:]) == pytest.approx(witness, rel=TOLERANCE), column
