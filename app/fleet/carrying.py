"""Starts, stops and checks the streams that the cluster places on this host, with or without the web process."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from app.domain.status import Reason
from app.fleet.ocf import AgentFault, Code
from app.fleet.permits import Permits
from app.fleet.visit import Visit, visit
from app.machine.instance import is_held
from app.protocol import Ended, Job
from app.supervisor.launchers.base import Launcher, WorkerHandle, wait_dead

READY_WITHIN_S: Final = 20.0
GREETED_WITHIN_S: Final = 6.0
SAMPLE_AGE_S_MAX: Final = 8.0
_TERMINATE_WITHIN_S: Final = 1.0
_KILL_WITHIN_S: Final = 5.0
# Faults of this host: another host may not have them. An absent far end is absent for every host.
HOST_FAULTS: Final = frozenset(
    {
        Reason.PORT_IN_USE,
        Reason.FILE_MISSING,
        Reason.FILE_UNREADABLE,
        Reason.INTERFACE_MISSING,
        Reason.MISSING_ELEMENT,
        Reason.NO_RUNTIME,
        Reason.OUT_OF_MEMORY,
        Reason.ENGINE_ERROR,
        Reason.WORKER_CRASHED,
        Reason.WORKER_HUNG,
    }
)


class Carrier:
    """The workers on this host that the cluster orders."""

    def __init__(self, folder: Path, launcher: Launcher) -> None:
        self._folder = folder
        self._launcher = launcher
        self._permits = Permits(folder)

    def start(self, job: Job, parcel: str) -> None:
        """Permit this host to carry a stream and wait until its worker serves. Raises AgentFault."""
        with self._permits.locked():
            self._permits.grant(job.key, parcel)
            worker = self._launcher.adopt(job.key) or self._launch(job)
        ended = self._serve(worker)
        # An absent or refusing far end is not a fault of this host, which keeps trying as without a cluster.
        if ended is not None and ended.reason in HOST_FAULTS:
            self.stop(job.key)
            raise AgentFault(Code.ERR_GENERIC, f"the worker did not start: {ended.reason}: {ended.detail}")

    def _serve(self, worker: WorkerHandle) -> Ended | None:
        """Wait until a worker serves; return why it ended if it did.

        Until it serves, it lives no longer than this process.
        """
        seen = visit(worker, READY_WITHIN_S, until_ready=True)
        if seen.is_ready:
            return None
        if seen.ended is None and wait_dead([worker], _TERMINATE_WITHIN_S):
            return Ended(0.0, Reason.WORKER_HUNG, f"it was not ready within {READY_WITHIN_S:g} s")
        return seen.ended or worker.end()

    def start_again(self, job: Job) -> None:
        """Start the worker of a stream that this host carries, unless it runs. Raises AgentFault."""
        with self._permits.locked():
            if self._permits.parcel(job.key) is not None and self._launcher.adopt(job.key) is None:
                self._serve(self._launch(job))

    def _launch(self, job: Job) -> WorkerHandle:
        try:
            return self._launcher.launch(job)
        except OSError as error:
            raise AgentFault(Code.ERR_GENERIC, f"no worker could be started: {error}") from None

    def stop(self, key: str) -> None:
        """Ensure that no worker of that key is on this host or can start here. Raises AgentFault."""
        with self._permits.locked():
            self._permits.withdraw(key)
        worker = self._launcher.adopt(key)
        if worker is not None:
            worker.terminate()
            for left in wait_dead([worker], _TERMINATE_WITHIN_S):
                left.kill()
            if wait_dead([worker], _KILL_WITHIN_S):
                raise AgentFault(Code.ERR_GENERIC, f"process {worker.pid} does not end, even after SIGKILL")
        self._launcher.discard(key)

    def look(self, key: str) -> Visit | None:
        """Return the phase of the stream; None when this host does not carry it. Raises AgentFault when it hangs."""
        worker = self._launcher.adopt(key)
        if worker is None:
            return None
        seen = visit(worker, GREETED_WITHIN_S)
        if not worker.is_alive():
            return None
        if not seen.is_greeted:
            raise AgentFault(Code.ERR_GENERIC, f"the worker, process {worker.pid}, does not answer")
        age_s = seen.sample_age_s()
        if age_s is not None and age_s > SAMPLE_AGE_S_MAX:
            raise AgentFault(Code.ERR_GENERIC, f"the newest sample of process {worker.pid} is {age_s:.0f} s old")
        return seen

    def is_permitted(self, key: str) -> bool:
        """Whether the cluster has placed the stream here."""
        return self._permits.parcel(key) is not None

    def is_supervised(self) -> bool:
        """Whether a web process supervises the streams of this host; it restarts workers by its own rules."""
        return is_held(self._folder)
