"""The web process dies, is reloaded or is stopped: what its streams and their receivers notice of it."""

from __future__ import annotations

import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from tests.instruments.audience import Viewer, audience
from tests.instruments.child import Child, is_alive
from tests.instruments.durations import seconds
from tests.instruments.engines import daily_on_gstreamer, on_both_engines
from tests.instruments.processes import kill_all
from tests.instruments.product import Product, View
from tests.instruments.receivers import Receiver
from tests.instruments.waiting import free_port, stays, wait_for

Note = Callable[[str, object], None]  # pytest's record_property: figures for --junitxml

ADOPTED_WITHIN_S = 3
STREAMS = seconds(4, long=10)
KILLS = seconds(3, long=10)


def wait_until_adopted(product: Product, viewers: list[Viewer]) -> float:
    """Wait until all streams deliver again by their old workers; seconds since the web process answered."""
    start = time.monotonic()

    def are_adopted() -> bool:
        views = {view["key"]: view for view in product.streams()}
        return all(is_adopted(views[viewer.key], viewer) for viewer in viewers)

    wait_for(are_adopted, deadline_s=20, what="the adoption of all streams")
    return time.monotonic() - start


def is_adopted(view: View, viewer: Viewer) -> bool:
    return view["phase"] == "delivering" and view["worker"]["pid"] == viewer.worker_pid and bool(view["peers"])


def assert_no_viewer_noticed(viewers: list[Viewer], note: Note, took_s: list[float]) -> None:
    verdicts = [viewer.verdict() for viewer in viewers]
    note("adopted_within_s", [round(each, 2) for each in took_s])
    note("longest_pause_ms", round(max(verdict.longest_pause_ms for verdict in verdicts), 1))
    note("packets", sum(verdict.packets for verdict in verdicts))
    assert all(verdict.is_whole for verdict in verdicts), verdicts
    assert max(took_s) < ADOPTED_WITHIN_S


@daily_on_gstreamer
def test_receivers_do_not_notice_that_the_web_process_is_killed_and_killed_again(
    engine: str, own: Product, record_property: Note
) -> None:
    chance = random.Random(6)
    took_s, since_launch_s = [], []
    with audience(own, STREAMS, engine=engine) as viewers:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.0, 1.5))  # not a wait: the moment of the kill is what varies
            own.kill_web()
            for viewer in viewers:
                viewer.wait_for_more()
            launched_at = time.monotonic()
            own.restart_web()
            took_s.append(wait_until_adopted(own, viewers))
            since_launch_s.append(round(time.monotonic() - launched_at, 2))
        record_property("since_launch_s", since_launch_s)
        assert all(own.stream(viewer.key)["restarts"] == 0 for viewer in viewers)
        assert_no_viewer_noticed(viewers, record_property, took_s)


@on_both_engines
def test_history_peers_restarts_and_events_are_those_of_before_the_kill(engine: str, own: Product) -> None:
    view = own.start(engine=engine)
    os.kill(view["worker"]["pid"], signal.SIGSEGV)
    view = own.wait_for_stream(view["key"], lambda seen: seen["phase"] == "waiting" and seen["restarts"] == 1)
    with Receiver.calling(view["spec"]["endpoint"]["port"]) as receiver:
        viewer = Viewer(view, receiver)
        before = own.wait_for_phase(viewer.key, "delivering")
        wait_for(lambda: len(history(own, viewer)) > 3, deadline_s=20, what="some seconds of history")
        points = history(own, viewer)
        own.kill_web()
        viewer.wait_for_more(1_000_000)
        own.restart_web()
        wait_until_adopted(own, [viewer])
        after = own.stream(viewer.key)
        for name in ("name", "spec", "ordered_at", "restarts"):
            assert after[name] == before[name]
        assert [peer["address"] for peer in after["peers"]] == [peer["address"] for peer in before["peers"]]
        wait_for(lambda: history(own, viewer)[-1] > points[-1] + 3, deadline_s=10, what="newer points")
        kept = history(own, viewer)
        assert len([at for at in kept if at <= points[-1] + 0.01]) >= len(points) - 1, "the seconds of before are kept"
        assert max(later - earlier for earlier, later in pairwise(kept)) < 3, "no gap while no one listened"
        texts = [event["text"] for event in own.get(f"/api/events?key={viewer.key}").document["events"]]
        assert any("stayed on air" in text for text in texts)
        assert any("worker crashed" in text for text in texts), "events of before the kill are kept"


def history(product: Product, viewer: Viewer) -> list[float]:
    return [point["at"] for point in product.get(f"/api/streams/{viewer.key}/history").document["samples"]]


def test_a_reload_loses_no_packet_and_keeps_the_process(own: Product, record_property: Note) -> None:
    with audience(own, STREAMS) as viewers:
        pid = own.web.pid
        served_since = started_at(pid)
        own.web.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "executing again" in own.log_file.read_text(), deadline_s=10, what="the reload in the log")
        wait_for(lambda: own.log_file.read_text().count("serving host") == 2, deadline_s=20, what="serving again")
        took_s = wait_until_adopted(own, viewers)
        assert (own.web.pid, started_at(pid)) == (pid, served_since), "executed again, not started again"
        assert_no_viewer_noticed(viewers, record_property, [took_s])


def started_at(pid: int) -> str:
    """Return the kernel's start time of a process, which execve keeps."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def test_after_a_reload_a_worker_that_ends_leaves_no_zombie(own: Product) -> None:
    with audience(own, 1) as (viewer,):
        own.web.process.send_signal(signal.SIGHUP)
        wait_for(lambda: own.log_file.read_text().count("serving host") == 2, deadline_s=20, what="serving again")
        wait_until_adopted(own, [viewer])
        own.dismiss(viewer.key)
        wait_for(lambda: not Path(f"/proc/{viewer.worker_pid}").exists(), deadline_s=5, what="the worker reaped")


def test_a_second_web_process_is_refused_and_disturbs_nothing(own: Product) -> None:
    with audience(own, 1) as (viewer,):
        second = Child([sys.executable, "wsgi.py"], env=own.environment | {"PORT": str(free_port())})
        with second:
            assert second.wait(deadline_s=20) == os.EX_UNAVAILABLE
            assert f"pid {own.web.pid}" in second.complaints()
        viewer.wait_for_more()
        assert own.stream(viewer.key)["worker"]["pid"] == viewer.worker_pid
        assert viewer.verdict().is_whole


def test_a_web_process_that_cannot_serve_leaves_the_streams_on_air(own: Product) -> None:
    with audience(own, 1) as (viewer,):
        own.kill_web()
        with socket.create_server(("127.0.0.1", own.port)):
            unlucky = Child([sys.executable, "wsgi.py"], env=own.environment)
            with unlucky:
                assert unlucky.wait(deadline_s=20) == 1
                assert "cannot serve" in unlucky.complaints()
            viewer.wait_for_more()
        own.restart_web()
        wait_until_adopted(own, [viewer])
        assert viewer.verdict().is_whole


def test_sigterm_while_it_is_still_starting_stops_what_it_would_have_adopted(own: Product) -> None:
    view = own.start()
    own.kill_web()
    starting = Child([sys.executable, "wsgi.py"], env=own.environment)
    with starting:
        lock = own.folder / "runtime" / "web.lock"
        wait_for(lambda: lock.read_text() == str(starting.pid), deadline_s=20, what="the new process", every_s=0.005)
        starting.process.terminate()
        assert starting.wait(deadline_s=20) == 0
    assert not is_alive(view["worker"]["pid"])


def test_a_worker_of_an_older_version_is_kept_and_shown_and_a_restart_replaces_it(own: Product) -> None:
    view = own.start()
    kill_all(own)
    place = own.folder / "runtime" / f"{view['key']}.sock"
    place.unlink()
    with Child([sys.executable, "-m", "tests.instruments.old_worker", place]) as old:
        wait_for(place.exists, deadline_s=10, what="the older worker")
        own.restart_web()
        seen = own.wait_for_stream(view["key"], lambda view: view["notices"])
        assert "another program version" in seen["notices"][0]
        assert (seen["severity"], seen["worker"]["pid"]) == ("attention", old.pid)
        assert "restart the stream when convenient" in seen["remark"]
        # Longer than a silent worker of this version would be given.
        stays(old.is_running, for_s=6.5, what="the older worker left alone")
        assert own.get("/").status == 200
        assert own.post(f"/api/streams/{view['key']}/start").status == 200
        # It is asked again and again: a request that meets the interpreter on its way out ends that.
        assert old.wait(deadline_s=5) in (0, -signal.SIGTERM)
        seen = own.wait_for_phase(view["key"], "waiting")
        assert seen["worker"]["pid"] != old.pid
        assert (seen["notices"], seen["remark"]) == ([], None)


def test_sigterm_after_an_adoption_stops_the_adopted_too(own: Product) -> None:
    with audience(own, 2) as viewers:
        own.kill_web()
        own.restart_web()
        wait_until_adopted(own, viewers)
        own.web.process.terminate()
        assert own.web.wait(deadline_s=15) == 0
        assert not [viewer.worker_pid for viewer in viewers if is_alive(viewer.worker_pid)]
