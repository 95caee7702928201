"""Far ends that are absent, die, or come and go: what the stream reports, and how soon."""

from __future__ import annotations

import time

from tests.instruments.durations import seconds
from tests.instruments.product import Product
from tests.instruments.receivers import Receiver
from tests.instruments.waiting import free_port, stays, wait_for

# libsrt gives a silent peer up after 5 s (SRTO_PEERIDLETIMEO); a sample each second shows it.
NOTICED_WITHIN_S = 6
# After any absence: a call every 3 s at most, the start of a worker, the connection.
BACK_WITHIN_S = 6


def call(port: int) -> dict[str, object]:
    """Return the endpoint part of a POST document for a caller."""
    return {"mode": "caller", "host": "127.0.0.1", "port": port}


def test_a_call_to_a_dead_port_is_never_shown_as_delivering(product: Product) -> None:
    answer = product.post("/api/streams", product.document(endpoint=call(free_port())))
    assert answer.status in (201, 422)
    assert answer.took_s < 5
    key = (answer.document if answer.status == 201 else product.streams()[-1])["key"]

    def is_not_delivering() -> bool:
        view = product.stream(key)
        return (
            view["phase"] in ("starting", "waiting", "backing_off") and not view["payload_mbps"] and not view["peers"]
        )

    stays(is_not_delivering, for_s=seconds(12, long=60), what="a dead port is not delivered to", every_s=0.2)
    view = product.wait_for_phase(key, "backing_off", deadline_s=10)
    assert view["reason"] in ("connection_timeout", "connection_lost", "connection_rejected")
    assert view["restarts"] >= 1


def test_a_host_that_does_not_exist_is_said_at_once(product: Product) -> None:
    answer = product.post(
        "/api/streams", product.document(endpoint={"mode": "caller", "host": "receiver.invalid", "port": 9000})
    )
    view = answer.document if answer.status == 201 else None
    if view is None:
        assert answer.status == 422
        assert answer.document["error"]["code"] == "could_not_start"
    else:
        assert product.wait_for_phase(view["key"], "backing_off", "failed")["reason"] == "host_not_found"


def test_a_receiver_that_was_killed_is_noticed_within_six_seconds(product: Product) -> None:
    view = product.start()
    port = view["spec"]["endpoint"]["port"]
    with Receiver.calling(port) as stays_on, Receiver.calling(port) as dies:
        product.wait_for_stream(view["key"], lambda seen: len(seen["peers"]) == 2)
        dies.wait_for_bytes(500_000)
        dies.child.kill()
        killed = time.monotonic()
        view = product.wait_for_stream(
            view["key"], lambda seen: len(seen["peers"]) == 1, deadline_s=NOTICED_WITHIN_S + 1
        )
        assert time.monotonic() - killed < NOTICED_WITHIN_S + 1
        assert view["phase"] == "delivering"
        before = stays_on.figures().bytes
        assert stays_on.wait_for_bytes(before + 500_000).packets_dropped == 0


def test_a_listener_whose_only_receiver_was_killed_is_waiting_again(product: Product) -> None:
    view = product.start()
    with Receiver.calling(view["spec"]["endpoint"]["port"]) as receiver:
        product.wait_for_phase(view["key"], "delivering")
        receiver.child.kill()
        # A second without acknowledgements already is not "delivering".
        product.wait_for_phase(view["key"], "stalled", "waiting", deadline_s=3.5)
        view = product.wait_for_phase(view["key"], "waiting", deadline_s=NOTICED_WITHIN_S)
        assert view["peers"] == []


def test_a_called_receiver_that_was_killed_is_called_again_and_served_when_it_is_back(product: Product) -> None:
    port = free_port()
    with Receiver.listening(port) as first:
        view = product.start(endpoint=call(port))
        product.wait_for_phase(view["key"], "delivering")
        first.wait_for_bytes(500_000)
        first.child.kill()
        view = product.wait_for_phase(
            view["key"], "backing_off", "starting", "waiting", deadline_s=NOTICED_WITHIN_S + 1
        )
    product.wait_for_stream(view["key"], lambda seen: seen["restarts"] >= 2, deadline_s=20)
    with Receiver.listening(port) as second:
        second.wait_for_bytes(1, deadline_s=BACK_WITHIN_S)
        view = product.wait_for_phase(view["key"], "delivering")
        assert view["restarts"] >= 1
        assert view["reason"] is None


def test_a_receiver_that_says_goodbye_is_gone_at_once_and_may_come_back(product: Product) -> None:
    view = product.start()
    for _ in range(3):
        with Receiver.calling(view["spec"]["endpoint"]["port"]) as receiver:
            receiver.wait_for_bytes(200_000)
            product.wait_for_phase(view["key"], "delivering")
            receiver.finish()
            product.wait_for_phase(view["key"], "waiting", deadline_s=3)
    pid = product.stream(view["key"])["worker"]["pid"]
    assert pid == view["worker"]["pid"]


def test_a_stopped_stream_lets_its_receivers_go_and_frees_its_port(product: Product) -> None:
    view = product.start()
    port = view["spec"]["endpoint"]["port"]
    with Receiver.calling(port) as receiver:
        receiver.wait_for_bytes(200_000)
        assert product.post(f"/api/streams/{view['key']}/stop").status == 200
        product.wait_for_phase(view["key"], "stopped", deadline_s=5)
        receiver.wait_for_state("lost", deadline_s=5)
    product.dismiss(view["key"])
    again = product.start(endpoint={"mode": "listener", "port": port})
    wait_for(lambda: product.stream(again["key"])["phase"] == "waiting", deadline_s=5, what="the port taken again")
