"""Everything is killed in the middle of starts and stops: what was acknowledged stands, and nothing else remains."""

from __future__ import annotations

import contextlib
import http.client
import random
import sqlite3
import threading
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest

from tests.instruments.durations import seconds
from tests.instruments.processes import kill_all, udp_port_is_free, workers_of
from tests.instruments.product import Product
from tests.instruments.waiting import wait_for

Note = Callable[[str, object], None]  # pytest's record_property: figures for --junitxml

KILLS = seconds(10, long=225)  # a kill each day at any of ten moments; the campaign has the number
WEB_ONLY_EVERY = 9  # so that 200 of the 225 hit everything
STREAMS_MAX = 4
_CUT_OFF = (urllib.error.URLError, ConnectionError, http.client.HTTPException, TimeoutError)


@dataclass
class Operator:
    """Gives orders one after another until the product is gone; remembers what was acknowledged."""

    product: Product
    chance: random.Random
    orders: dict[str, str] = field(default_factory=dict)
    in_flight: tuple[str, str] | None = None
    acknowledged: int = 0

    def work(self) -> None:
        """Order until an answer stays away."""
        with contextlib.suppress(*_CUT_OFF):
            while True:
                self._order_something()
                self.acknowledged += 1
                self.in_flight = None

    def _order_something(self) -> None:
        verbs = ["stop", "start", "dismiss"] if self.orders else ["begin"]
        verb = self.chance.choice(verbs if len(self.orders) >= STREAMS_MAX else [*verbs, "begin", "begin"])
        if verb == "begin":
            self.in_flight = ("begin", "")
            port = next(port for port in self.product.listener_ports if udp_port_is_free(port))
            wanted = self.product.document(endpoint={"mode": "listener", "port": port})
            answer = self.product.post("/api/streams", wanted)
            assert answer.status in (201, 409), answer.document
            if answer.status == 201:  # 409: a stream that is only just starting has the port
                self.orders[answer.document["key"]] = "run"
            return
        key = self.chance.choice(sorted(self.orders))
        self.in_flight = (verb, key)
        if verb == "dismiss":
            self.product.dismiss(key)
            del self.orders[key]
            return
        answer = self.product.post(f"/api/streams/{key}/{verb}")
        assert answer.status in (200, 409), answer.document
        if answer.status == 200:  # 409: a newer stream has the port by now
            self.orders[key] = "run" if verb == "start" else "stop"

    def has_more_than(self, before: int) -> bool:
        """Whether another order was acknowledged."""
        return self.acknowledged > before

    def allowed(self, key: str) -> set[str | None]:
        """Return the orders that a stream may have after the cut: the acknowledged one, or the one in progress."""
        verb, hit = self.in_flight or ("", "")
        before = self.orders.get(key)
        if verb == "begin" and before is None:
            return {"run", None}
        if key != hit:
            return {before}
        after: dict[str, list[str | None]] = {"stop": ["stop"], "start": ["run"], "dismiss": ["stop", None]}
        return {before, *after[verb]}


def stored_orders(product: Product) -> dict[str, str]:
    """Return the orders in the database file, read without the product. The file must be undamaged."""
    with contextlib.closing(sqlite3.connect(product.folder / "data" / "srt_streamer.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return dict(database.execute("SELECT key, stream_order FROM streams").fetchall())


@pytest.mark.timeout(seconds(600, long=7200))
def test_acknowledged_orders_survive_kills_at_any_moment_and_nothing_leaks(own: Product, record_property: Note) -> None:
    chance = random.Random(200)
    operator = Operator(own, chance)
    for number in range(KILLS):
        work = threading.Thread(target=operator.work)
        before = operator.acknowledged
        work.start()
        if number % 3:  # or else a busy machine might acknowledge nothing in time
            wait_for(partial(operator.has_more_than, before), deadline_s=30, what="an order acknowledged")
        work.join(chance.uniform(0.05, 1.2))
        if number % WEB_ONLY_EVERY == 0:
            own.kill_web()  # the workers live on, even one that was only just starting
        else:
            kill_all(own)
        work.join(25)
        assert not work.is_alive()

        stored = stored_orders(own)
        for key in stored.keys() | operator.orders.keys():
            assert stored.get(key) in operator.allowed(key), (number, key, operator.in_flight, operator.orders, stored)
        own.restart_web()
        wait_for(lambda: agrees(own), deadline_s=15, what="one worker for each stream that is ordered to run")
        assert {view["key"]: view["order"] for view in own.streams()} == stored
        operator.orders, operator.in_flight = stored, None
    record_property("figures", {"kills": KILLS, "acknowledged": operator.acknowledged})
    assert operator.acknowledged > KILLS // 2
    own.dismiss_all()
    assert not workers_of(own)
    assert all(udp_port_is_free(port) for port in own.listener_ports)
    # A worker that ended unseen may leave its last word and its log; the next start clears them. No socket is left.
    own.kill_web()
    own.restart_web()
    left = {path.name for path in (own.folder / "runtime").iterdir()}
    assert left <= {"gstreamer-registry.bin", "web.lock"}


def test_a_worker_that_was_only_just_starting_does_not_outlive_the_web_process(own: Product) -> None:
    for _ in range(3):
        order = threading.Thread(target=order_and_be_cut_off, args=(own,))
        order.start()
        wait_for(lambda: workers_of(own), deadline_s=10, what="a worker process", every_s=0.005)
        own.kill_web()
        order.join(20)
        wait_for(lambda: not workers_of(own), deadline_s=10, what="the end of a worker that cannot be found")
        own.restart_web()
        assert own.streams() == []
        assert not workers_of(own)


def order_and_be_cut_off(product: Product) -> None:
    with contextlib.suppress(*_CUT_OFF):
        product.start(endpoint={"mode": "listener", "port": product.listener_ports.start})


def agrees(product: Product) -> bool:
    """Whether the workers that there are, the streams that want one, and what the page says are the same."""
    views = [view for view in product.streams() if view["order"] == "run"]
    said = {view["worker"]["pid"] for view in views if view["worker"]}
    return len(said) == len(views) and all(view["phase"] == "waiting" for view in views) and said == workers_of(product)
