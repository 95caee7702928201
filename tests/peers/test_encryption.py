"""Encrypted streams: which receivers get them, which do not, and the effect of a wrong passphrase."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.instruments.child import is_alive
from tests.instruments.durations import seconds
from tests.instruments.engines import daily_on_direct, daily_on_gstreamer, on_both_engines
from tests.instruments.product import Product
from tests.instruments.receivers import Receiver
from tests.instruments.waiting import free_port, stays, wait_for
from tests.instruments.wire import Wire

# Chosen for what a URI, a shell, JSON, HTML and a wrong byte count would do to them.
ODD = [
    "a&b?c#d\"e'f å",
    "10 %20%00 letters",
    "mode=caller&passphrase=other",
    "å" * 39,
    "åäö漢字🔑",
    "$(reboot) `id` \\n",
    "<script>alert(1)</script>",
]


def encryption(passphrase: str, key_bits: int = 128) -> dict[str, object]:
    """Return the encryption part of a POST document."""
    return {"key_bits": key_bits, "passphrase": passphrase}


@daily_on_gstreamer
@pytest.mark.parametrize("passphrase", ODD)
def test_a_passphrase_works_whatever_letters_it_has(
    engine: str, passphrase: str, product: Product, sample: Path
) -> None:
    view = product.start(engine=engine, encryption=encryption(passphrase))
    with Receiver.calling(view["spec"]["endpoint"]["port"], passphrase=passphrase) as receiver:
        receiver.wait_for_bytes(400_000)
        figures = receiver.finish()
        assert figures.key_state == "secured"
        assert figures.packets_undecrypted == 0
        received = receiver.payload.read_bytes()
    assert received[: len(received) // 188 * 188] in sample.read_bytes()


@daily_on_direct
@pytest.mark.parametrize("key_bits", [128, 256])
@pytest.mark.parametrize("mode", ["listener", "caller"])
def test_the_key_has_the_length_that_was_asked(engine: str, mode: str, key_bits: int, product: Product) -> None:
    passphrase = secrets.token_hex(10)
    if mode == "caller":
        port = free_port()
        receiver = Receiver.listening(port, passphrase=passphrase)
        endpoint = {"mode": "caller", "host": "127.0.0.1", "port": port}
    else:
        port = product.free_listener_port()
        endpoint = {"mode": "listener", "port": port}
    view = product.start(engine=engine, endpoint=endpoint, encryption=encryption(passphrase, key_bits))
    if mode == "listener":
        receiver = Receiver.calling(port, passphrase=passphrase)
    with receiver:
        assert receiver.wait_for_bytes(400_000).key_bytes == key_bits // 8
        view = product.wait_for_phase(view["key"], "delivering")
        (peer,) = view["peers"]
        assert (peer["key_bits"], peer["encryption_state"]) == (key_bits, "secured")


@on_both_engines
def test_nobody_without_the_passphrase_gets_a_byte_and_the_stream_says_who_tried(engine: str, product: Product) -> None:
    passphrase = secrets.token_hex(10)
    view = product.start(engine=engine, encryption=encryption(passphrase))
    port = view["spec"]["endpoint"]["port"]
    with (
        Receiver.calling(port, passphrase=passphrase) as right,
        Receiver.calling(port) as plain,
        Receiver.calling(port, passphrase=passphrase + "x") as wrong,
    ):
        for refused in (plain, wrong):
            refused.wait_for_state("refused", "lost", deadline_s=10)
        right.wait_for_bytes(1_000_000)
        assert plain.figures().bytes == wrong.figures().bytes == 0
        view = product.wait_for_stream(view["key"], lambda seen: sum(one["count"] for one in seen["refusals"]) == 2)
        assert {one["reason"] for one in view["refusals"]} == {"wrong_passphrase", "passphrase_required"}
        assert len(view["peers"]) == 1
        assert view["phase"] == "delivering"


@daily_on_direct
def test_no_transport_packet_is_on_the_wire_in_clear(engine: str, product: Product) -> None:
    passphrase = secrets.token_hex(10)
    view = product.start(engine=engine, encryption=encryption(passphrase))
    port = view["spec"]["endpoint"]["port"]
    with Wire(port, with_payload=True) as wire, Receiver.calling(port, passphrase=passphrase) as receiver:
        receiver.wait_for_bytes(1_000_000)
        packets = wire.packets()
    data = [packet for packet in packets if packet.is_data()]
    assert len(data) > 500
    assert all(header.key_flags for packet in data if (header := packet.header()))
    synchronous = [packet for packet in data if set(packet.payload()[::188]) == {0x47}]
    assert not synchronous
    assert not [packet for packet in packets if passphrase.encode() in packet.datagram]


@on_both_engines
def test_an_unencrypted_stream_does_not_serve_a_receiver_that_wants_encryption(engine: str, product: Product) -> None:
    view = product.start(engine=engine)
    with Receiver.calling(view["spec"]["endpoint"]["port"], passphrase="ten letters") as receiver:
        assert receiver.wait_for_state("refused", "lost").bytes == 0


def test_a_wrong_passphrase_costs_one_call_for_each_step_of_the_back_off(product: Product) -> None:
    port = free_port()
    with Wire(port) as wire, Receiver.listening(port, passphrase="the right passphrase"):
        view = product.start(
            endpoint={"mode": "caller", "host": "127.0.0.1", "port": port},
            encryption=encryption("the wrong passphrase"),
        )
        view = product.wait_for_phase(view["key"], "backing_off")
        assert view["reason"] == "wrong_passphrase"
        assert view["retry_in_s"] > 25
        wait_for(lambda: not product.worker_pids(), deadline_s=5, what="no worker while it waits")
        watched_s = seconds(10, long=75)
        stays(lambda: product.stream(view["key"])["phase"] != "delivering", for_s=watched_s, what="refused", every_s=1)
        callers = {packet.source_port for packet in wire.packets() if packet.destination_port == port}
    # The first call, and after 30 s a second.
    assert len(callers) == (1 if watched_s < 30 else 2)
    view = product.stream(view["key"])
    assert view["reason"] == "wrong_passphrase"
    assert view["order"] == "run"


def test_a_dismissed_stream_leaves_no_worker(product: Product) -> None:
    view = product.start(encryption=encryption("ten letters"))
    pid = view["worker"]["pid"]
    assert is_alive(pid)
    product.dismiss(view["key"])
    wait_for(lambda: not is_alive(pid), deadline_s=5, what="the worker gone")


def test_a_changed_stream_keeps_its_port_and_passphrase_and_its_receiver_comes_back(product: Product) -> None:
    passphrase = secrets.token_hex(10)
    view = product.start(encryption=encryption(passphrase))
    port = view["spec"]["endpoint"]["port"]
    with Receiver.calling(port, passphrase=passphrase) as receiver:
        receiver.wait_for_bytes(400_000)
        changed = product.put(f"/api/streams/{view['key']}", view["spec"] | {"latency_ms": 320})
        assert changed.status == 200, changed.document
    assert (changed.document["key"], changed.document["spec"]["endpoint"]["port"]) == (view["key"], port)
    with Receiver.calling(port, passphrase=passphrase) as receiver:
        receiver.wait_for_bytes(400_000)
        assert receiver.finish().key_state == "secured"
        peers = product.stream(view["key"])["peers"]
    assert {peer["negotiated_latency_ms"] for peer in peers} <= {320}
