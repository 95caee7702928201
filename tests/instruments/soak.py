"""A soak test: streams with one receiver each, measured for a given time. A test and benchmarks/soak.py use it.

A worker keeps an hour of history and the web process keeps a copy of each, so both grow for an hour and then stop.
`history_cost_mb` measures this growth, and it is subtracted before growth is judged.
"""

from __future__ import annotations

import functools
import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.protocol import HISTORY_SECONDS, Input, Peer, Sample, decode_from_worker, encode
from app.supervisor.figures import Figures as StreamFigures
from app.worker.ledger import Ledger
from tests.instruments.audience import Viewer, audience
from tests.instruments.child import open_files
from tests.instruments.processes import cpu_s, pss_mb, threads_of
from tests.instruments.product import Product, View
from tests.instruments.receivers import Receiver
from tests.instruments.srt_receiver import Figures

_PAGE_EVERY_S: Final = 1.0  # as often as an open dashboard polls
# A sender drops packets that are not acknowledged within the latency. A busy machine can delay an acknowledgement.
_PATIENCE_MS: Final = 3000


@dataclass(frozen=True)
class Plan:
    """The number of streams, the duration, the interval of measurements, and the warm-up before growth counts."""

    streams: int
    seconds: float
    every_s: float
    warm_up_s: float


@dataclass(frozen=True)
class Moment:
    """One measurement, `at_s` seconds after all streams were on air. Memory in MB of 2^20, CPU in percent of a core.

    Files and threads are those of the web process and of all workers. `drops_received` are counted by the receivers and
    `drops_reported` by the product. `errors` are gaps, continuity errors and sync errors that the receivers found.
    Drops and errors are totals of all streams.
    """

    at_s: float
    worker_pss_mb: list[float]
    web_pss_mb: float
    worker_cpu_percent: float
    web_cpu_percent: float
    files: int
    threads: int
    drops_received: int
    drops_reported: int
    errors: int
    restarts: int
    delivering: int
    slowest_page_ms: float


@dataclass(frozen=True)
class Result:
    """The measurements, oldest first, and the receivers' last figures."""

    plan: Plan
    moments: list[Moment]
    receivers: list[Figures]

    def growth_mb_an_hour(self) -> tuple[float, float]:
        """Return the growth of the workers' mean memory and of the web process's memory after the warm-up.

        Both are slopes by least squares, in MB an hour.
        """
        counted = [moment for moment in self.moments if moment.at_s >= self.plan.warm_up_s]
        times = [moment.at_s / 3600 for moment in counted]
        workers = [statistics.mean(moment.worker_pss_mb) for moment in counted]
        web = [moment.web_pss_mb for moment in counted]
        return (
            statistics.linear_regression(times, workers).slope,
            statistics.linear_regression(times, web).slope,
        )


@functools.cache
def history_cost_mb() -> tuple[float, float]:
    """Return the memory of an hour of one stream's history, in MB of 2^20: in its worker, and in the web process."""
    start, peer = time.time(), _a_peer(1_000_000)
    tracemalloc.start()
    try:
        ledger = Ledger()
        for second in range(HISTORY_SECONDS):
            ledger.sample(start + second, [_a_peer(1_000_000 + second * 190)], Input(bytes_total=second * 250_000))
        in_worker = tracemalloc.get_traced_memory()[0]
        tracemalloc.clear_traces()
        figures = StreamFigures()
        for point in ledger.points():
            line = encode(Sample(point=point, peers=[peer], input=Input()))
            sample = decode_from_worker(line)
            assert isinstance(sample, Sample)
            figures.take(sample, sample.point.at)
        before = tracemalloc.get_traced_memory()[0]
        figures.history.clear()
        in_web = before - tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    return in_worker / 2**20, in_web / 2**20


def _a_peer(packets: int) -> Peer:
    return Peer(
        id=1,
        address="127.0.0.1:40000",
        connected_at=0.0,
        payload_bytes_total=packets * 1316,
        wire_bytes_total=packets * 1360,
        packets_sent_unique_total=packets,
        packets_retransmitted_total=packets // 1000,
        packets_dropped_total=0,
        acks_total=packets // 10,
        naks_total=0,
        rtt_ms=packets / 1e7,
        link_capacity_mbps=1000.0,
        send_buffer_ms=packets % 1000,
    )


def soak(product: Product, plan: Plan, notify: Callable[[Moment], None]) -> Result:
    """Start the streams, and measure them while the dashboard is polled. Pass each measurement to `notify`."""
    with audience(product, plan.streams, receive=Receiver.following, patience_ms=_PATIENCE_MS) as viewers:
        watch = _Watch(product, viewers)
        moments: list[Moment] = []
        while not moments or moments[-1].at_s < plan.seconds:
            watch.keep_the_page_open(plan.every_s)
            moments.append(watch.measure())
            notify(moments[-1])
        receivers = [viewer.receiver.finish() for viewer in viewers]
    return Result(plan, moments, receivers)


class _Watch:
    def __init__(self, product: Product, viewers: list[Viewer]) -> None:
        self._product, self._viewers = product, viewers
        self._workers = [viewer.worker_pid for viewer in viewers]
        self._began = self._measured_at = time.monotonic()
        self._cpu_s = self._read_cpu_s()
        self._pages_ms: list[float] = []

    def keep_the_page_open(self, seconds: float) -> None:
        """Send the requests of an open dashboard for `seconds`."""
        for _ in range(max(1, round(seconds / _PAGE_EVERY_S))):
            answer = self._product.get("/api/dashboard")
            assert answer.status == 200, answer.body
            self._pages_ms.append(answer.took_s * 1000)
            time.sleep(max(0.0, _PAGE_EVERY_S - answer.took_s))

    def measure(self) -> Moment:
        """Return the present values. CPU and the slowest page cover the time since the last measurement."""
        now, before, self._cpu_s = time.monotonic(), self._cpu_s, self._read_cpu_s()
        since_s, self._measured_at = now - self._measured_at, now
        workers, web = (100 * (new - old) / since_s for new, old in zip(self._cpu_s, before, strict=True))
        pages_ms, self._pages_ms = self._pages_ms, []
        views = self._views()
        received = [viewer.receiver.figures() for viewer in self._viewers]
        pids = [self._product.web.pid, *self._workers]
        return Moment(
            at_s=now - self._began,
            worker_pss_mb=[pss_mb(pid) for pid in self._workers],
            web_pss_mb=pss_mb(self._product.web.pid),
            worker_cpu_percent=workers / len(self._workers),
            web_cpu_percent=web,
            files=sum(open_files(pid) for pid in pids),
            threads=sum(threads_of(pid) for pid in pids),
            drops_received=sum(figures.packets_dropped for figures in received),
            drops_reported=sum(view["totals"]["packets_dropped"] for view in views),
            errors=sum(figures.gaps + figures.continuity_errors + figures.sync_errors for figures in received),
            restarts=sum(view["restarts"] for view in views),
            delivering=sum(view["phase"] == "delivering" for view in views),
            slowest_page_ms=max(pages_ms),
        )

    def _views(self) -> list[View]:
        by_key = {view["key"]: view for view in self._product.streams()}
        return [by_key[viewer.key] for viewer in self._viewers]

    def _read_cpu_s(self) -> tuple[float, float]:
        return sum(cpu_s(pid) for pid in self._workers), cpu_s(self._product.web.pid)


def what_is_wrong(result: Result, *, worker_growth_mb: float, web_growth_mb: float) -> list[str]:
    """Return a sentence for each limit that is exceeded. Growth limits are per hour, without the history's growth."""
    last, plan = result.moments[-1], result.plan
    dropped = sum(figures.packets_dropped for figures in result.receivers)
    errors = sum(figures.gaps + figures.continuity_errors + figures.sync_errors for figures in result.receivers)
    history_worker_mb, history_web_mb = history_cost_mb()
    worker_mb, web_mb = result.growth_mb_an_hour()
    counted = [moment for moment in result.moments if moment.at_s >= plan.warm_up_s]
    checks = {
        f"{dropped} packets dropped at the receivers": dropped > 0,
        f"{last.drops_reported} packets dropped by the senders": last.drops_reported > 0,
        f"{errors} gaps, continuity or sync errors": errors > 0,
        f"{last.restarts} restarts": last.restarts > 0,
        f"only {last.delivering} streams delivering": min(each.delivering for each in counted) < plan.streams,
        f"receivers ended: {[each.error for each in result.receivers if each.error]}": any(
            figures.state != "closed" for figures in result.receivers
        ),
        f"open files grew from {counted[0].files} to {last.files}": last.files > counted[0].files + 3,
        f"threads grew from {counted[0].threads} to {last.threads}": last.threads > counted[0].threads + 2,
        f"workers grow by {worker_mb:.2f} MB an hour": worker_mb - history_worker_mb > worker_growth_mb,
        f"the web process grows by {web_mb:.2f} MB an hour": web_mb - plan.streams * history_web_mb > web_growth_mb,
    }
    return [sentence for sentence, is_wrong in checks.items() if is_wrong]
