"""The launcher for pacemaker.

Workers on this host are local; of workers elsewhere only the cluster's report is known.
"""

from __future__ import annotations

import socket
import time
from typing import Final

from app.domain.spec import RelaySpec
from app.domain.status import Phase, Reason
from app.fleet.link import ClusterLink
from app.fleet.parcel import NoFleetKey, read_fleet_key
from app.fleet.permits import Permits
from app.protocol import Ended, Job
from app.settings import BadSettings, Settings
from app.supervisor.admission import is_rehearsal
from app.supervisor.launchers.base import Elsewhere, Launcher, SharedStreams, WorkerHandle
from app.supervisor.launchers.local import LocalLauncher

_NO_PROCESS: Final = 0
_ORDERED_WITHIN_S: Final = 3.0
_UNKNOWN: Final = "the cluster does not carry this stream; start it, and the cluster will"


class PacemakerLauncher:
    """Fulfils Launcher. Only `order` and `withdraw` change the cluster, in the background; `launch` never does.

    Relays and rehearsals stay on the host where they are ordered.
    """

    outlasts_service = True

    def __init__(self, local: Launcher, permits: Permits, link: ClusterLink) -> None:
        self._local = local
        self._permits = permits
        self._link = link

    @classmethod
    def of(cls, settings: Settings) -> PacemakerLauncher:
        """Make the launcher of an installation. Raises BadSettings."""
        try:
            cipher = read_fleet_key(settings.fleet_key_file)
        except NoFleetKey as error:
            raise BadSettings({"FLEET_KEY_FILE": str(error)}) from None
        return cls(LocalLauncher(settings.runtime_folder), Permits(settings.runtime_folder), ClusterLink(cipher))

    # ---- workers ----

    def launch(self, job: Job) -> WorkerHandle:
        """Start the worker if the cluster has placed the stream here; otherwise wait for the cluster."""
        if not is_shared(job):
            return self._local.launch(job)
        with self._permits.locked():
            if (parcel := self._permits.parcel(job.key)) is not None:
                return self._local.adopt(job.key) or self._local.launch(self._link.job_in(parcel, job))
        return PlacedWorker(job.key, self)

    def adopt(self, key: str) -> WorkerHandle | None:
        """Return the worker on this host, or the stream's place in the cluster."""
        worker = self._local.adopt(key)
        if worker is not None or not self._link.is_ordered(key):
            return worker
        return PlacedWorker(key, self)

    def worker_here(self, key: str) -> WorkerHandle | None:
        """Return the worker of a stream that the cluster has placed on this host."""
        return None if self._permits.parcel(key) is None else self._local.adopt(key)

    def is_expected(self, key: str) -> bool:
        """Whether the cluster carries the stream or is about to do so."""
        return self._link.is_wanted(key)

    def keys(self) -> list[str]:
        """Return the keys of local workers that are not in the cluster; `share` brings the cluster's streams."""
        shared = {*self._permits.keys(), *self._link.view.ordered}
        return sorted(set(self._local.keys()) - shared)

    def last_word(self, key: str) -> Ended | None:
        """Return the last report that was left on this host."""
        return self._local.last_word(key)

    def announce(self, key: str) -> None:
        """Do nothing: the cluster keeps the order, or there is none."""

    def acknowledge(self, key: str) -> None:
        """Delete the record of an announcement, which this host may have made before it joined the cluster."""
        self._local.acknowledge(key)

    def is_announced(self, key: str) -> bool:
        """Whether a stream was announced that is not in the cluster."""
        return self._local.is_announced(key)

    def problem(self) -> str | None:
        """Return what is wrong with the runtime folder."""
        return self._local.problem()

    def cluster_problem(self) -> str | None:
        """Return why the cluster cannot be queried, or what is dangerous about it."""
        return self._link.problem()

    def discard(self, key: str) -> None:
        """Remove what a dead worker left on this host."""
        self._local.discard(key)

    # ---- orders ----

    def order(self, job: Job) -> None:
        """Order the cluster to carry the stream."""
        if is_shared(job):
            self._link.order(job)

    def withdraw(self, key: str, *, for_good: bool = False) -> None:
        """Order the cluster to stop or forget the stream."""
        self._link.withdraw(key, for_good=for_good)

    def elsewhere(self, key: str) -> Elsewhere | None:
        """Return where a stream of the cluster is, if not here."""
        if self._permits.parcel(key) is not None or not self._link.is_wanted(key):
            return None
        view = self._link.view
        if (host := view.carriers.get(key)) is not None:
            return Elsewhere(host, view.phases.get(key, Phase.STARTING))
        why = view.faults.get(key, "")
        return Elsewhere("", Phase.BACKING_OFF if why else Phase.STARTING, why)

    def silent_end(self, key: str) -> Reason:
        """Return the reason of an end without a report: moved if the agent ended the worker, otherwise crashed."""
        is_moved = self._link.is_ordered(key) and self._permits.parcel(key) is None
        return Reason.MOVED if is_moved else Reason.WORKER_CRASHED

    def share(self, streams: SharedStreams) -> None:
        """Begin to follow the cluster."""
        self._link.follow(streams)


class PlacedWorker:
    """The worker of a stream in the cluster. Once the worker is on this host, this object stands for it."""

    def __init__(self, key: str, launcher: PacemakerLauncher) -> None:
        self._key = key
        self._launcher = launcher
        self._worker: WorkerHandle | None = None
        self._made_at = time.monotonic()

    @property
    def pid(self) -> int:
        """Return the process id on this host."""
        return _NO_PROCESS if self._worker is None else self._worker.pid

    @property
    def is_here(self) -> bool:
        """Whether the worker is on this host."""
        return self._worker is not None

    def connect(self) -> socket.socket | None:
        """Connect once the worker is on this host."""
        if self._worker is None:
            self._worker = self._launcher.worker_here(self._key)
        return None if self._worker is None else self._worker.connect()

    def can_be_heard(self) -> bool:
        """Whether its link can be reached: only on this host."""
        return self._worker is not None and self._worker.can_be_heard()

    def exit_descriptor(self) -> int | None:
        """Return the process descriptor: only on this host."""
        return None if self._worker is None else self._worker.exit_descriptor()

    def is_alive(self) -> bool:
        """Whether the process exists. Elsewhere: whether the cluster is to carry the stream, or an order is pending."""
        if self._worker is not None:
            return self._worker.is_alive()
        return self._launcher.is_expected(self._key) or time.monotonic() - self._made_at < _ORDERED_WITHIN_S

    def last_word(self) -> Ended | None:
        """Return its last report: only on this host."""
        return None if self._worker is None else self._worker.last_word()

    def end(self) -> Ended:
        """Return why it ended, by its own report; elsewhere it ends only by an order."""
        return Ended(0.0, None, _UNKNOWN) if self._worker is None else self._worker.end()

    def terminate(self) -> None:
        """Ask it to end, on this host only: elsewhere the cluster does this."""
        if self._worker is not None:
            self._worker.terminate()

    def kill(self) -> None:
        """Kill it, on this host only: elsewhere the cluster does this."""
        if self._worker is not None:
            self._worker.kill()


def is_shared(job: Job) -> bool:
    """Whether the cluster carries such a job."""
    return not isinstance(job.spec, RelaySpec) and not is_rehearsal(job.key)
