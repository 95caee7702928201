"""Streams started and stopped again and again, far ends that flap, hang or come in crowds, files that change."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.instruments.audience import Viewer, audience
from tests.instruments.child import is_alive, open_files
from tests.instruments.durations import seconds
from tests.instruments.engines import daily_on_direct
from tests.instruments.processes import workers_of
from tests.instruments.product import Product, View
from tests.instruments.receivers import Receiver
from tests.instruments.sample import make_sample
from tests.instruments.waiting import free_port, wait_for

Note = Callable[[str, object], None]  # pytest's record_property: figures for --junitxml

CYCLES = seconds(50, long=300)
WARM_UP_CYCLES = 10
GROWTH_KB_A_CYCLE = seconds(20, long=3)  # the heap's ups and downs, from fifty or from three hundred cycles
RECEIVERS = seconds(12, long=50)
CROWD_MS = 5000  # what so many receivers on one small machine may have to wait for it
FLAPPING_S = seconds(10, long=60)
FLAPS_MIN = seconds(7, long=40)


def footprint(product: Product) -> dict[str, float]:
    """Return the files, threads, memory and sockets of the web process."""
    status = Path(f"/proc/{product.web.pid}/status").read_text()
    return {
        "files": open_files(product.web.pid),
        "threads": int(status.split("Threads:")[1].split()[0]),
        "memory_mb": int(status.split("VmRSS:")[1].split()[0]) / 1024,
        "sockets": sum("socket:" in link for link in links_of(product.web.pid)),
        "runtime_files": len(list((product.folder / "runtime").iterdir())),
    }


def links_of(pid: int) -> list[str]:
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(path.readlink()))
    return found


def start_and_stop(product: Product) -> None:
    view = product.start()
    assert product.post(f"/api/streams/{view['key']}/stop").status == 200
    product.dismiss(view["key"])


def fill_event_log(product: Product) -> None:
    """Make it as long as it gets: what the web process keeps of events does not grow any more then."""
    product.web.close()
    event = (time.time(), time.time(), "abcdef", "earlier", "phase", "as in weeks of use", 1, "")
    with contextlib.closing(sqlite3.connect(product.folder / "data" / "srt_streamer.sqlite3")) as database:
        database.executemany(
            "INSERT INTO events (at, first_at, stream_key, name, kind, text, count, actor) VALUES (?,?,?,?,?,?,?,?)",
            [event] * 10_000,
        )
        database.commit()
    product.restart_web()


@pytest.mark.timeout(seconds(600, long=3600))
def test_starting_and_stopping_leaves_nothing_behind(own: Product, record_property: Note) -> None:
    fill_event_log(own)
    for _ in range(WARM_UP_CYCLES):
        start_and_stop(own)
    before, memory_mb = footprint(own), []
    for number in range(1, CYCLES + 1):
        start_and_stop(own)
        if number % (CYCLES // 10) == 0:
            memory_mb.append(footprint(own)["memory_mb"])
    after = footprint(own)
    slope_kb = statistics.linear_regression(range(len(memory_mb)), memory_mb).slope * 1024 / (CYCLES // 10)
    record_property("figures", {"cycles": CYCLES, "before": before, "after": after, "memory_mb": memory_mb})
    record_property("kb_a_cycle", round(slope_kb, 2))
    assert not workers_of(own)
    assert not zombies_of(own)
    for what in ("files", "threads", "sockets", "runtime_files"):
        assert after[what] <= before[what] + 2, (what, before, after)
    assert slope_kb < GROWTH_KB_A_CYCLE, (before, memory_mb)


def zombies_of(product: Product) -> list[int]:
    children = Path(f"/proc/{product.web.pid}/task/{product.web.pid}/children").read_text().split()
    threads = Path(f"/proc/{product.web.pid}/task").iterdir()
    children += [pid for thread in threads for pid in (thread / "children").read_text().split()]
    return [int(pid) for pid in set(children) if not is_alive(int(pid))]


def test_a_far_end_that_comes_and_goes_each_second_disturbs_no_other_stream(
    own: Product, record_property: Note
) -> None:
    port = free_port()
    with audience(own, 2) as (flapped, steady), Receiver.listening(port) as first:
        call = own.start(endpoint={"mode": "caller", "host": "127.0.0.1", "port": port})
        first.wait_for_bytes(100_000)
        end, flaps = time.monotonic() + FLAPPING_S, 0
        while time.monotonic() < end or flaps < FLAPS_MIN:
            with Receiver.calling(flapped.view["spec"]["endpoint"]["port"]) as guest:
                guest.wait_for_bytes(100_000)
                if flaps % 2:
                    guest.child.kill()  # no goodbye: found out by its silence
            if flaps == 2:
                first.child.kill()
            flaps += 1
        record_property("flaps", flaps)
        wait_for(lambda: len(own.stream(flapped.key)["peers"]) == 1, deadline_s=15, what="only the steady peer left")
        with Receiver.listening(port) as again:
            own.wait_for_phase(call["key"], "delivering", deadline_s=45)
            again.wait_for_bytes(100_000)
        for each in (flapped, steady):
            assert own.stream(each.key)["restarts"] == 0
            assert each.verdict().is_whole


@pytest.mark.timeout(seconds(300, long=900))
def test_a_crowd_at_one_listener_is_served_in_full(tmp_path: Path, record_property: Note) -> None:
    thin = make_sample(tmp_path / "thin.ts", seconds=10, bitrate_bps=2_000_000)  # so many receivers on one machine
    with (
        Product(thin) as own,
        audience(own, 2, patience_ms=CROWD_MS) as (crowded, other),
        contextlib.ExitStack() as stack,
    ):
        port = crowded.view["spec"]["endpoint"]["port"]
        calling, crowd, refusals = [call(stack, port) for _ in range(RECEIVERS - 1)], [], []
        while calling:
            receiver = calling.pop(0)
            if receiver.wait_for_state("connected", "refused", deadline_s=60).state == "connected":
                crowd.append(receiver)
            else:  # a listener that gets no processor lets one caller wait; the next has to call again
                refusals.append(receiver.figures().error)
                assert len(refusals) < RECEIVERS, refusals
                calling.append(call(stack, port))
        record_property("refusals", refusals)
        for receiver in crowd:
            receiver.wait_for_bytes(receiver.figures().bytes + 300_000, deadline_s=60)
        view = own.wait_for_stream(crowded.key, lambda seen: len(seen["peers"]) == RECEIVERS)
        verdicts = [Viewer(view, receiver).verdict() for receiver in crowd]
        record_property("figures", {"worker": view["worker"], "packets": sum(each.packets for each in verdicts)})
        assert all(verdict.is_whole for verdict in verdicts), verdicts
        assert other.verdict().is_whole


def call(stack: contextlib.ExitStack, port: int) -> Receiver:
    return stack.enter_context(Receiver.calling(port, latency_ms=CROWD_MS))


@daily_on_direct
def test_a_receiver_that_stops_reading_holds_up_neither_the_others_nor_the_sender(engine: str, own: Product) -> None:
    with audience(own, 2, engine=engine) as (viewer, other):
        with Receiver.calling(viewer.view["spec"]["endpoint"]["port"]) as frozen:
            frozen.wait_for_bytes(200_000)
            own.wait_for_stream(viewer.key, lambda view: len(view["peers"]) == 2)
            os.kill(frozen.child.pid, signal.SIGSTOP)
            try:
                own.wait_for_stream(viewer.key, lambda view: len(view["peers"]) == 1, deadline_s=15)
                viewer.wait_for_more(1_000_000)
            finally:
                os.kill(frozen.child.pid, signal.SIGCONT)
        assert own.stream(viewer.key)["phase"] == "delivering"
        for each in (viewer, other):
            assert own.stream(each.key)["restarts"] == 0
            assert each.verdict().is_whole


def test_a_receiver_that_reads_slowly_costs_itself_packets_and_nobody_else(own: Product, record_property: Note) -> None:
    with audience(own, 2) as (viewer, other):
        port = viewer.view["spec"]["endpoint"]["port"]
        # A hundred messages a second, of almost four hundred, and room for less than one second.
        with Receiver.calling(port, pause_ms=10, buffer_bytes=400_000) as slow:
            slow.wait_for_bytes(100_000)
            view = own.wait_for_stream(
                viewer.key,
                lambda seen: sum(peer["packets_dropped"] > 100 for peer in seen["peers"]) == 1,
                deadline_s=30,
            )
            for each in (viewer, other):
                each.wait_for_more(5_000_000)
            # Its libsrt may by then have broken the connection itself, for want of room.
            assert slow.figures().state in ("connected", "lost")
            record_property("dropped", [peer["packets_dropped"] for peer in view["peers"]])
            unhurt = [peer for peer in own.stream(viewer.key)["peers"] if not peer["packets_dropped"]]
            assert len(unhurt) == 1
        assert own.stream(viewer.key)["phase"] == "delivering"
        for each in (viewer, other):
            assert own.stream(each.key)["restarts"] == 0
            assert each.verdict().is_whole


def delete(path: Path, _new: bytes) -> None:
    path.unlink()


def replace(path: Path, new: bytes) -> None:
    other = path.with_name("other")
    other.write_bytes(new)
    other.replace(path)


def truncate(path: Path, _new: bytes) -> None:
    os.truncate(path, 940_000)


def empty(path: Path, _new: bytes) -> None:
    os.truncate(path, 0)


def overwrite_with_noise(path: Path, new: bytes) -> None:
    with path.open("r+b") as file:
        file.write(random.Random(5).randbytes(len(new)))


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (delete, "goes on"),
        (replace, "goes on"),
        (truncate, "goes on"),
        (empty, "ends with a reason"),
        (overwrite_with_noise, "ends with a reason"),
    ],
)
def test_a_file_that_changes_under_its_stream(
    change: Callable[[Path, bytes], Any], outcome: str, own: Product, short_sample: Path
) -> None:
    file = own.media / "changing.ts"
    shutil.copy(short_sample, file)
    with audience(own, 1) as (other,):
        view = own.start(name="changing", source={"kind": "file", "path": file.name, "loop": True})
        with Receiver.calling(view["spec"]["endpoint"]["port"]) as receiver:
            receiver.wait_for_bytes(200_000)
            change(file, short_sample.read_bytes())
            if outcome == "goes on":
                after_a_lap(own, view)
                assert own.stream(view["key"])["worker"]["pid"] == view["worker"]["pid"]
                assert any("file" in notice for notice in notices_of(own, view))
                verdict = Viewer(view, receiver).verdict()
                assert (verdict.gaps, verdict.sync_errors) == (0, 0)
                assert verdict.continuity_errors == 0 or change is truncate
            else:
                ended = own.wait_for_phase(view["key"], "failed", "backing_off", deadline_s=20)
                assert ended["reason"] in ("file_changed", "not_a_transport_stream", "file_unreadable", "no_pcr")
        assert own.stream(other.key)["worker"]["pid"] == other.worker_pid
        assert other.verdict().is_whole


def after_a_lap(product: Product, view: View) -> None:
    """Wait until the file began again twice since now."""
    laps = product.stream(view["key"])["input"]["loops_total"]
    product.wait_for_stream(view["key"], lambda seen: seen["input"]["loops_total"] >= laps + 2, deadline_s=30)


def notices_of(product: Product, view: View) -> list[str]:
    events = product.get(f"/api/events?key={view['key']}").document["events"]
    return [event["text"] for event in events if event["kind"] == "notice"]
