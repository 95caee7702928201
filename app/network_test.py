"""Network tests: one at a time in a separate thread, with progress, cancel and a history that survives a restart."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from app.domain.errors import LimitReached, NotFound
from app.domain.network_order import NetworkTestOrder
from app.jobs.runner import JobRunner
from app.machine.atomic_file import write_atomically
from app.network.findings import Findings
from app.network.geo import ExternalPlaceFinder
from app.network.iperf_servers import ServerList
from app.network.measure import CannotTest, Measurer
from app.probes.run import Cancelled, CancelSwitch
from app.settings import PROJECT_FOLDER, Settings

log = logging.getLogger(__name__)

HISTORY_LENGTH: Final = 50
_HISTORY_BYTES_MAX: Final = 4 * 1024 * 1024
_ENDING_S: Final = 5.0  # a cancelled program ends within milliseconds; a handshake can take 2 s
# The usual duration of each part, for the progress bar.
_PING_S: Final = 5
_CHOOSING_S: Final = 8
_IPERF3_EXTRA_S: Final = 2


class TestState(StrEnum):
    """The progress of a test. `PARTIAL` ended with something unmeasured, `FAILED` without a usable result."""

    __test__ = False  # not a test case, although pytest collects such names

    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


class NetworkTestRecord(msgspec.Struct, frozen=True):
    """A test at one moment. Times are Unix seconds; `step` names the present step, `problem` says why it failed."""

    id: str
    order: NetworkTestOrder
    state: TestState
    started_at: float
    step: str = ""
    finished_at: float | None = None
    findings: Findings = Findings()
    problem: str | None = None

    def elapsed_s(self, now: float) -> float:
        """Return how long it has run or ran."""
        return max(0.0, (self.finished_at or now) - self.started_at)

    def expected_s(self) -> float:
        """Return the usual duration of such a test."""
        choosing = 0 if self.order.mode == "manual" else _CHOOSING_S
        return choosing + _PING_S + self.order.duration_s + _IPERF3_EXTRA_S


class NetworkTester:
    """Starts tests and keeps their records. Every method returns at once, except `shutdown`."""

    def __init__(self, measurer: Measurer, servers: ServerList, *, history_file: Path) -> None:
        self._measurer = measurer
        self.servers = servers
        self._history_file = history_file
        self._lock = threading.Lock()
        self._records = _read_history(history_file)
        self._running: str | None = None
        self._cancel = CancelSwitch()
        self._jobs = JobRunner("network-test")

    @classmethod
    def of(cls, settings: Settings) -> NetworkTester:
        """Make the tester of an installation."""
        data = settings.data_folder
        servers = ServerList(
            built_in=PROJECT_FOLDER / "app" / "data" / "iperf3_servers.json",
            own=data / "own_iperf3_servers.json",
            cache=data / "iperf3_export_servers.json",
            address=None if settings.offline else settings.iperf3_servers_url,
        )
        places = ExternalPlaceFinder(
            cache=data / "external_ip_cache.json",
            address=None if settings.offline else settings.external_ip_url,
        )
        measurer = Measurer(servers, places, offline=settings.offline)
        return cls(measurer, servers, history_file=data / "network_tests.json")

    def start(self, order: NetworkTestOrder) -> NetworkTestRecord:
        """Begin a test. Raises LimitReached while another one runs."""
        with self._lock:
            if self._running is not None:
                raise LimitReached("Another network test is running; wait for it or cancel it.")
            record = NetworkTestRecord(secrets.token_hex(6), order, TestState.RUNNING, time.time(), "Starting")
            self._records[record.id] = record
            self._running, self._cancel = record.id, CancelSwitch()
            self._jobs.submit(partial(self._work, record, self._cancel))
        log.info("network test started test=%s mode=%s host=%r", record.id, order.mode, order.host)
        return record

    def get(self, test_id: str) -> NetworkTestRecord:
        """Return a test. Raises NotFound."""
        with self._lock:
            if (record := self._records.get(test_id)) is None:
                raise NotFound("There is no such network test; the oldest ones have been deleted.")
            return record

    def list(self) -> list[NetworkTestRecord]:
        """Return all tests on record, newest first."""
        with self._lock:
            return sorted(self._records.values(), key=lambda record: record.started_at, reverse=True)

    def cancel(self, test_id: str) -> NetworkTestRecord:
        """End a running test and kill its programs. A test that has ended stays unchanged. Raises NotFound."""
        record = self.get(test_id)
        with self._lock:
            if self._running == test_id:
                self._cancel.throw()
        return record

    def shutdown(self) -> None:
        """End the running test, if any, and wait until its programs have ended."""
        with self._lock:
            self._cancel.throw()
        self._jobs.close(_ENDING_S)

    def _work(self, record: NetworkTestRecord, cancel: CancelSwitch) -> None:
        state, problem = TestState.FAILED, "The test failed with an internal error; the log has the details."
        findings = Findings()

        def report(so_far: Findings, step: str) -> None:
            nonlocal findings
            findings = so_far
            self._keep(msgspec.structs.replace(record, findings=so_far, step=step))

        try:
            findings = self._measurer.measure(record.order, cancel, report)
            state, problem = TestState.PARTIAL if findings.problems else TestState.DONE, ""
        except CannotTest as error:
            findings, problem = error.findings, error.message
        except Cancelled:
            state, problem = TestState.CANCELLED, "Cancelled."
        finally:
            ended = msgspec.structs.replace(
                record, state=state, findings=findings, problem=problem or None, finished_at=time.time()
            )
            self._finish(ended)

    def _keep(self, record: NetworkTestRecord) -> None:
        with self._lock:
            self._records[record.id] = record

    def _finish(self, record: NetworkTestRecord) -> None:
        """Store the test, then show it as ended, so that a restart does not undo what a page showed."""
        with self._lock:
            records = {**self._records, record.id: record}
        for oldest in sorted(records.values(), key=lambda kept: kept.started_at)[:-HISTORY_LENGTH]:
            del records[oldest.id]
        try:
            write_atomically(self._history_file, msgspec.json.encode(list(records.values())))
        except OSError as error:
            log.warning("network tests not kept file=%s error=%r", self._history_file, error.strerror)
        with self._lock:
            self._records = records
            self._running = None
        log.info("network test ended test=%s state=%s problem=%r", record.id, record.state, record.problem)


def _read_history(path: Path) -> dict[str, NetworkTestRecord]:
    """Return the tests of earlier processes. A test that was running when the program ended counts as cancelled."""
    try:
        with path.open("rb") as file:
            records = msgspec.json.decode(file.read(_HISTORY_BYTES_MAX), type=list[NetworkTestRecord])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        # msgspec's errors are ValueErrors.
        log.warning("network tests not read file=%s error=%r", path, str(error))
        return {}
    return {record.id: record for record in records if record.state is not TestState.RUNNING}
