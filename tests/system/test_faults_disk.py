"""The disk of log, lists and store is full or read-only: streams stay on air, pages work, and the problem is said."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.instruments.audience import Viewer, audience
from tests.instruments.disk import SmallDisk
from tests.instruments.processes import kill_all
from tests.instruments.product import Product
from tests.instruments.receivers import Receiver
from tests.instruments.waiting import wait_for

PAGES = ["/", "/caller", "/network_test", "/events", "/api/dashboard", "/api/events", "/api/network-tests", "/metrics"]


@pytest.fixture
def disk(own: Product) -> Iterator[SmallDisk]:
    """A disk of 4 MB that holds the product's log, lists and store; the product runs on it."""
    own.web.close()
    with SmallDisk(own.folder / "data") as small:
        own.within = small.enter
        own.environment["LOG_FILE"] = str(own.folder / "data" / "srt_streamer.log")
        own.restart_web()
        yield small
        own.web.close(deadline_s=20)  # while its disk is still there


def faults(product: Product) -> set[str]:
    """Return the parts that /health calls a fault."""
    parts = product.get("/health").document["parts"]
    return {name for name, state in parts.items() if state == "fault"}


def is_said(product: Product) -> bool:
    """Whether health and page say that orders cannot be kept."""
    warnings = product.get("/api/dashboard").document["system"]["warnings"]
    return (
        product.get("/health").status == 503
        and "store" in faults(product)
        and any("accepts no orders" in warning for warning in warnings)
    )


def assert_pages_work(product: Product) -> None:
    assert {path: product.get(path).status for path in PAGES} == dict.fromkeys(PAGES, 200)


def stored_orders(disk: SmallDisk, product: Product) -> dict[str, str]:
    """Return the orders in a copy of the database: SQLite would open the folder below the mounted disk."""
    name = "srt_streamer.sqlite3"
    with tempfile.TemporaryDirectory() as place:
        for file in (name, f"{name}-wal"):
            shutil.copy(disk.inside(product.folder / "data" / file), place)
        with contextlib.closing(sqlite3.connect(Path(place) / name)) as database:
            return dict(database.execute("SELECT key, stream_order FROM streams").fetchall())


def test_a_full_disk_costs_no_stream_no_page_and_no_order(own: Product, disk: SmallDisk) -> None:
    with audience(own, 2) as (viewer, stopped):
        disk.fill_up()
        # After this, the log has no room: a line that was written before it would have opened another page.
        fill_last_page(disk.inside(Path(own.environment["LOG_FILE"])))
        meanwhile = own.start(name="ordered on a full disk")
        with Receiver.calling(meanwhile["spec"]["endpoint"]["port"]) as receiver:
            receiver.wait_for_bytes(200_000)
            assert own.post(f"/api/streams/{stopped.key}/stop").status == 200
            wait_for(lambda: is_said(own), deadline_s=10, what="the problem said")
            wait_for(lambda: "log" in faults(own), deadline_s=10, what="the log's problem said")
            assert_pages_work(own)

            own.kill_web()  # a restart on a full disk must find all of it again
            viewer.wait_for_more()
            own.restart_web()
            later = Viewer(meanwhile, receiver)
            for each in (viewer, later):
                wait_for(partial(is_as_before, own, each), deadline_s=10, what="the stream adopted")
            assert own.stream(stopped.key)["order"] == "stop"
            assert is_said(own)
            assert_pages_work(own)

            disk.make_room()
            wait_for(lambda: not faults(own), deadline_s=15, what="all well again")
            assert stored_orders(disk, own) == {viewer.key: "run", later.key: "run", stopped.key: "stop"}
            assert not list((own.folder / "runtime").glob("owed*"))
            assert later.verdict().is_whole
            assert viewer.verdict().is_whole


def fill_last_page(file: Path) -> None:
    """Use up what the disk has set aside for a file already."""
    with file.open("ab") as end:
        end.write(b" " * (-file.stat().st_size % 4096))


def is_as_before(product: Product, viewer: Viewer) -> bool:
    view = product.stream(viewer.key)
    return bool(view["phase"] == "delivering" and view["worker"]["pid"] == viewer.worker_pid)


def test_a_read_only_disk_costs_no_stream_and_no_page(own: Product, disk: SmallDisk) -> None:
    with audience(own, 1) as (viewer,):
        own.kill_web()  # the kernel makes nothing read-only that is open for writing
        disk.remount("ro")
        own.restart_web()
        wait_for(lambda: is_as_before(own, viewer), deadline_s=10, what="the stream adopted")
        assert is_said(own)
        assert_pages_work(own)
        meanwhile = own.start()
        own.dismiss(meanwhile["key"])
        disk.remount("rw")
        own.post(f"/api/streams/{viewer.key}/stop")
        wait_for(lambda: stored_orders(disk, own) == {viewer.key: "stop"}, deadline_s=15, what="the order stored")
        wait_for(lambda: faults(own) == {"log"}, deadline_s=10, what="all well but the log, which is opened at a start")


def test_after_a_loss_of_power_the_streams_that_were_ordered_to_run_come_back_and_only_these(own: Product) -> None:
    encryption = {"key_bits": 256, "passphrase": "kept over a reboot"}
    runs = own.start(name="runs", encryption=encryption)
    stopped = own.start(name="was stopped")
    own.post(f"/api/streams/{stopped['key']}/stop")
    kill_all(own)
    for path in (own.folder / "runtime").iterdir():  # /run is empty after a boot
        path.unlink()
    own.restart_web()
    assert own.wait_for_phase(runs["key"], "waiting", deadline_s=15)["spec"] == runs["spec"]
    assert own.stream(stopped["key"])["phase"] == "stopped"
    with Receiver.calling(runs["spec"]["endpoint"]["port"], passphrase="kept over a reboot") as receiver:
        receiver.wait_for_bytes(200_000)


def test_a_changed_secret_key_is_said_and_no_stream_goes_on_air_in_the_clear(own: Product) -> None:
    encryption = {"key_bits": 128, "passphrase": "of the old key"}
    lost = own.start(name="lost", encryption=encryption)
    stopped = own.start(name="stopped", encryption=encryption)
    clear = own.start(name="clear")
    own.post(f"/api/streams/{stopped['key']}/stop")
    old_key = own.environment["SECRET_KEY"]
    kill_all(own)
    own.environment["SECRET_KEY"] = "another key " * 4
    own.restart_web()

    view = own.wait_for_phase(lost["key"], "failed")
    assert (view["reason"], view["worker"]) == ("passphrase_lost", None)
    assert "SECRET_KEY" in view["remedy"]
    assert own.get("/health").status == 503
    assert own.get("/").status == 200
    for key in (lost["key"], stopped["key"]):
        answer = own.post(f"/api/streams/{key}/start")
        assert (answer.status, answer.document["error"]["reason"]) == (422, "passphrase_lost")
    assert own.stream(stopped["key"])["phase"] == "stopped"
    own.wait_for_phase(clear["key"], "waiting", deadline_s=15)

    kill_all(own)
    own.environment["SECRET_KEY"] = old_key
    own.restart_web()
    own.wait_for_phase(lost["key"], "waiting", deadline_s=15)
    with Receiver.calling(lost["spec"]["endpoint"]["port"], passphrase="of the old key") as receiver:
        receiver.wait_for_bytes(200_000)


def test_an_adopted_stream_whose_passphrase_was_lost_stays_on_air_and_never_comes_back_in_the_clear(
    own: Product,
) -> None:
    encryption = {"key_bits": 128, "passphrase": "of the old key"}
    view = own.start(encryption=encryption)
    with Receiver.calling(view["spec"]["endpoint"]["port"], passphrase="of the old key") as receiver:
        own.wait_for_phase(view["key"], "delivering")
        own.kill_web()
        own.environment["SECRET_KEY"] = "another key " * 4
        own.restart_web()
        viewer = Viewer(view, receiver)
        wait_for(lambda: is_as_before(own, viewer), deadline_s=10, what="the stream adopted")
        assert own.post(f"/api/streams/{viewer.key}/start").status == 422
        assert is_as_before(own, viewer), "what cannot start again is not taken off air"
        viewer.wait_for_more()
        assert viewer.verdict().is_whole
    own.wait_for_phase(viewer.key, "waiting")
    os.kill(viewer.worker_pid, signal.SIGKILL)
    assert own.wait_for_phase(viewer.key, "failed")["reason"] == "passphrase_lost"
