"""What a capture shows: the DSCP of every packet, and that nothing comes in bursts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.instruments.durations import seconds
from tests.instruments.engines import daily_on_direct, on_both_engines
from tests.instruments.pcr import pcr_jitter
from tests.instruments.product import Product
from tests.instruments.receivers import Receiver, busiest_second
from tests.instruments.sample import BITRATE_BPS
from tests.instruments.waiting import free_port, stays
from tests.instruments.wire import Packet, Wire


def captured(product: Product, *, qos: bool, engine: str = "auto") -> list[Packet]:
    """Capture the packets that a listener sends to a receiver for two seconds."""
    view = product.start(qos=qos, engine=engine)
    port = view["spec"]["endpoint"]["port"]
    with Wire(port) as wire, Receiver.calling(port) as receiver:
        receiver.wait_for_bytes(1_500_000)
        return [packet for packet in wire.packets() if packet.source_port == port]


@on_both_engines
@pytest.mark.parametrize(("qos", "dscp"), [(True, 34), (False, 0)])
def test_every_packet_carries_the_dscp_that_was_asked(engine: str, qos: bool, dscp: int, product: Product) -> None:
    packets = captured(product, engine=engine, qos=qos)
    assert len(packets) > 1000
    assert {packet.dscp() for packet in packets} == {dscp}


def test_the_installation_chooses_the_dscp(sample: Path) -> None:
    with Product(sample, QOS_DSCP="46") as expedited:
        assert {packet.dscp() for packet in captured(expedited, qos=True)} == {46}


@on_both_engines
def test_a_caller_marks_its_packets_too(engine: str, product: Product) -> None:
    port = free_port()
    with Receiver.listening(port) as receiver, Wire(port) as wire:
        product.start(engine=engine, endpoint={"mode": "caller", "host": "127.0.0.1", "port": port}, qos=True)
        receiver.wait_for_bytes(500_000)
        assert {packet.dscp() for packet in wire.packets() if packet.destination_port == port} == {34}


@pytest.mark.precise
@daily_on_direct
def test_a_receiver_that_comes_late_gets_no_burst_and_an_even_stream(engine: str, product: Product) -> None:
    view = product.start(engine=engine)
    key, port = view["key"], view["spec"]["endpoint"]["port"]
    waited_s = seconds(8, long=20)
    stays(lambda: product.stream(key)["phase"] in ("starting", "waiting"), for_s=waited_s, what="waiting", every_s=1)
    with Wire(port, with_payload=True) as wire, Receiver.calling(port) as receiver:
        receiver.wait_for_seconds(6)
        receiver.finish()
        arrivals = receiver.arrivals()
        packets = [packet for packet in wire.packets() if packet.source_port == port]
    assert busiest_second(arrivals) * 8 <= 1.2 * BITRATE_BPS
    jitter = pcr_jitter(packets, bitrate_bps=BITRATE_BPS)
    # Far above what a quiet machine shows (0.02 ms), far below the 20 ms of a sender that paces by frames.
    assert jitter.median_us < 10_000
