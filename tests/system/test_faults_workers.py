"""A worker crashes, hangs or grows: its stream comes back with the reason, and no other stream notices."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain.spec import FileSource
from app.domain.status import Reason
from tests.instruments.audience import Viewer, audience
from tests.instruments.child import is_alive
from tests.instruments.durations import seconds
from tests.instruments.engines import daily_on_direct, daily_on_gstreamer
from tests.instruments.product import Product, View
from tests.instruments.receivers import Receiver
from tests.instruments.waiting import free_port, wait_for
from tests.instruments.worker import RunningWorker, job_for

Note = Callable[[str, object], None]  # pytest's record_property: figures for --junitxml

BACK_WITHIN_S = 5
# A worker that is silent for this long counts as hung; it cannot be known earlier.
HUNG_AFTER_S = 5


def wait_until_back(product: Product, view: View) -> float:
    """Wait until another worker has the stream on air, and sends it to a receiver that calls again.

    The seconds until it was on air; how soon a receiver calls again is the receiver's affair.
    """
    start = time.monotonic()
    port = view["spec"]["endpoint"]["port"]
    product.wait_for_stream(
        view["key"],
        lambda seen: seen["phase"] == "waiting" and seen["worker"]["pid"] != view["worker"]["pid"],
        deadline_s=30,
    )
    took_s = time.monotonic() - start
    with Receiver.calling(port) as again:
        again.wait_for_bytes(100_000)
        product.wait_for_phase(view["key"], "delivering")
    return took_s


def reasons(product: Product, key: str) -> list[str]:
    """Return the phase events of a stream, newest first."""
    events = product.get(f"/api/events?key={key}").document["events"]
    return [event["text"] for event in events if event["kind"] in ("phase", "retry")]


@daily_on_gstreamer
def test_one_worker_crashes_one_hangs_and_the_others_do_not_notice(
    engine: str, own: Product, record_property: Note
) -> None:
    with audience(own, seconds(4, long=10), engine=engine) as (crashing, hanging, *others):
        os.kill(crashing.worker_pid, signal.SIGSEGV)
        os.kill(hanging.worker_pid, signal.SIGSTOP)
        stopped_at = time.monotonic()
        crashed_took_s = wait_until_back(own, crashing.view)
        assert "retrying: worker crashed" in reasons(own, crashing.key)

        # From the log: on a busy machine it may have been noticed, and be back, before this comes to look.
        wait_for(
            lambda: "retrying: worker hung" in reasons(own, hanging.key),
            deadline_s=HUNG_AFTER_S + 10,
            what="the hang noticed",
        )
        noticed_took_s = time.monotonic() - stopped_at
        hung_took_s = wait_until_back(own, hanging.view)
        assert not is_alive(hanging.worker_pid)

        for name, figure in (("crashed", crashed_took_s), ("noticed", noticed_took_s), ("hung", hung_took_s)):
            record_property(f"{name}_s", round(figure, 2))
        assert max(crashed_took_s, hung_took_s) < BACK_WITHIN_S
        assert all(unchanged(own, viewer) for viewer in others)
        verdicts = [viewer.verdict() for viewer in others]
        assert all(verdict.is_whole for verdict in verdicts), verdicts


def unchanged(product: Product, viewer: Viewer) -> bool:
    view = product.stream(viewer.key)
    return bool(view["worker"]["pid"] == viewer.worker_pid and view["restarts"] == 0)


@daily_on_direct
def test_totals_go_on_over_a_crash(engine: str, own: Product) -> None:
    with audience(own, 1, engine=engine) as (viewer,):
        viewer.wait_for_more(1_000_000)
        before = own.stream(viewer.key)["totals"]["payload_bytes"]
        os.kill(viewer.worker_pid, signal.SIGSEGV)
        wait_until_back(own, viewer.view)
        assert own.stream(viewer.key)["totals"]["payload_bytes"] > before


def waits_after(restarts: int, seen: dict[str, Any]) -> bool:
    return bool(seen["restarts"] == restarts and seen["phase"] == "waiting")


def test_a_worker_that_crashes_three_times_in_a_row_stays_down_and_says_why(own: Product) -> None:
    view = own.start()
    for launches in range(3):
        view = own.wait_for_stream(
            view["key"],
            partial(waits_after, launches),
            deadline_s=20,
        )
        os.kill(view["worker"]["pid"], signal.SIGSEGV)
    view = own.wait_for_phase(view["key"], "failed")
    assert (view["reason"], view["worker"]) == ("worker_crashed", None)
    assert "SIGSEGV" in own.get(f"/api/streams/{view['key']}/debug").document["detail"]
    assert own.get("/health").status == 503
    assert own.post(f"/api/streams/{view['key']}/start").status == 200
    own.wait_for_phase(view["key"], "waiting")
    assert own.get("/health").status == 200


@pytest.mark.parametrize("ceiling_mb", [30, 12])
def test_a_worker_that_grows_beyond_its_ceiling_ends_itself_and_says_so(ceiling_mb: int, light_sample: Path) -> None:
    job = job_for(FileSource("bars.ts"), port=free_port(), file_path=light_sample)
    with RunningWorker(msgspec.structs.replace(job, memory_bytes=ceiling_mb << 20)) as worker:
        assert worker.wait_for_end().reason is Reason.OUT_OF_MEMORY


def test_a_worker_that_ignores_the_order_to_stop_is_killed_and_its_port_is_free(own: Product) -> None:
    view = own.start()
    os.kill(view["worker"]["pid"], signal.SIGSTOP)
    start = time.monotonic()
    assert own.post(f"/api/streams/{view['key']}/stop").status == 200
    own.wait_for_phase(view["key"], "stopped")
    assert time.monotonic() - start < 8
    wait_for(lambda: not is_alive(view["worker"]["pid"]), deadline_s=2, what="the end of the worker")
    again = own.start(endpoint=view["spec"]["endpoint"])
    assert again["phase"] == "waiting"


def test_a_worker_may_neither_fill_the_disk_nor_leave_its_memory_in_a_core_file(own: Product) -> None:
    pid = own.start()["worker"]["pid"]
    table = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    hard = {line[:26].strip(): line[47:68].strip() for line in table}
    assert hard["Max core file size"] == "0"
    assert int(hard["Max file size"]) <= 16 << 20
    assert int(hard["Max open files"]) <= 1024
    assert int(hard["Max data size"]) <= 1 << 30
