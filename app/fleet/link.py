"""This host's link to the cluster: one thread sends orders and reads the cluster's state. No caller waits.

| an order is | until                                                               |
|-------------|---------------------------------------------------------------------|
| owed        | pacemaker took it, or a newer order of the same stream replaces it  |
| refused     | it is tried again at each query of the cluster                      |
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec

from app.fleet import resources
from app.fleet.cost import cpu_permille
from app.fleet.parcel import BadParcel, WrongFleetKey, pack, unpack
from app.fleet.resources import ClusterRefused
from app.fleet.view import View, parse_view
from app.protocol import Job
from app.store.cipher import Cipher
from app.supervisor.launchers.base import SharedStreams
from app.supervisor.thread import surprise

log = logging.getLogger(__name__)
LOOK_EVERY_S: Final = 2.0
_OLD_S: Final = 15.0


def look() -> View:
    """Query the cluster once. Raises ClusterRefused."""
    return parse_view(resources.read_monitor(), resources.read_resources())


class ClusterLink:
    """Safe to use from many threads. `view` is the newest state; it is read once before the constructor returns."""

    def __init__(self, cipher: Cipher, look: Callable[[], View] = look) -> None:
        self._cipher = cipher
        self._look = look
        self.view = View()
        self._read_at = 0.0
        self._problem: str | None = None
        self._owed: dict[str, Callable[[], None]] = {}
        self._wanted: dict[str, bool] = {}  # changed by orders of this host that the view cannot show yet
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._streams: SharedStreams | None = None
        self._seen: set[str] = set()
        self._unreadable: dict[str, str] = {}
        self._refresh()

    def job_in(self, parcel: str, job: Job) -> Job:
        """Return the job in a parcel, or the given job if the parcel cannot be read."""
        return self._read(job.key, parcel) or job

    def follow(self, streams: SharedStreams) -> None:
        """Begin to carry out orders, and to pass orders of other hosts to the streams of this one."""
        self._streams = streams
        threading.Thread(target=self._run, name="cluster", daemon=True).start()

    def problem(self) -> str | None:
        """Why the cluster cannot be queried, or what is dangerous about it; None when no problem is known."""
        if self._problem is not None and time.monotonic() - self._read_at > _OLD_S:
            return f"the cluster does not answer: {self._problem}"
        return self.view.warning()

    def is_ordered(self, key: str) -> bool:
        """Whether the cluster has the stream."""
        return key in self._wanted or key in self.view.ordered

    def is_wanted(self, key: str) -> bool:
        """Whether the cluster is to carry the stream, or still carries it."""
        if (wanted := self._wanted.get(key)) is not None:  # one look: the thread may remove it at any time
            return wanted or key in self.view.carriers
        ordered = self.view.ordered.get(key)
        return (ordered is not None and ordered.is_wanted) or key in self.view.carriers

    def order(self, job: Job) -> None:
        """Order the cluster to carry a stream with this job."""
        self._owe(job.key, is_wanted=True, change=lambda: self._put(job))

    def _put(self, job: Job) -> None:
        ordered = self.view.ordered.get(job.key)
        before = None if ordered is None else self._read(job.key, ordered.parcel)
        if before is not None:  # the address belongs to the stream's placement, which an order does not change
            job = msgspec.structs.replace(job, bind_address=before.bind_address)
        if before == job:
            resources.set_wanted(job.key, is_wanted=True)
        else:
            made = resources.Ordered(job.key, pack(job, self._cipher), cpu_permille=cpu_permille(job))
            resources.put([made])

    def withdraw(self, key: str, *, for_good: bool) -> None:
        """Order the cluster to stop a stream, or to forget it."""
        if not self.is_ordered(key):
            return
        change = (lambda: resources.remove(key)) if for_good else (lambda: resources.set_wanted(key, is_wanted=False))
        self._owe(key, is_wanted=False, change=change)

    def _owe(self, key: str, *, is_wanted: bool, change: Callable[[], None]) -> None:
        with self._lock:
            self._owed[key] = change
            self._wanted[key] = is_wanted
        self._due.set()

    # ---- on the thread ----

    def _run(self) -> None:
        while True:
            self._due.wait(LOOK_EVERY_S)
            self._due.clear()
            surprise(self._turn, "the cluster could not be followed")

    def _turn(self) -> None:
        with self._lock:
            owed = list(self._owed.items())
        for key, change in owed:
            self._carry_out(key, change)
        with self._lock:
            settled = set(self._wanted) - set(self._owed)
        if self._refresh():
            with self._lock:
                for key in settled - set(self._owed):
                    self._wanted.pop(key, None)
            self._bring_orders()

    def _carry_out(self, key: str, change: Callable[[], None]) -> None:
        try:
            change()
        except ClusterRefused as refusal:
            log.warning("the cluster did not take an order stream=%s error=%s", key, refusal)
            self._problem = str(refusal)
            return
        with self._lock:
            if self._owed.get(key) is change:
                del self._owed[key]

    def _refresh(self) -> bool:
        try:
            self.view = self._look()
        except ClusterRefused as refusal:
            self._problem = str(refusal)
            return False
        self._problem, self._read_at = None, time.monotonic()
        return True

    def _bring_orders(self) -> None:
        """Pass on what other hosts ordered. Newer orders of this host take precedence."""
        if (streams := self._streams) is None:
            return
        known = streams.jobs()
        for key, ordered in self.view.ordered.items():
            job = self._read(key, ordered.parcel)
            if job is None and key in known:  # only whether it is to run can be followed
                job = known[key][0]
            if job is None or key in self._wanted:
                continue
            if key not in known:
                streams.take_on(job, is_wanted=ordered.is_wanted)
            elif known[key] != (job, ordered.is_wanted):
                streams.follow(job, is_wanted=ordered.is_wanted)
        for key in (self._seen - set(self.view.ordered)) & set(known):
            if key not in self._wanted:
                streams.let_go(key)
        self._seen = set(self.view.ordered)

    def _read(self, key: str, parcel: str) -> Job | None:
        try:
            job = unpack(parcel, self._cipher)
        except WrongFleetKey:
            why = "its passphrase was encrypted with another fleet key than that of this host"
        except BadParcel as error:
            why = f"its job in the cluster cannot be read by this version: {error}"
        else:
            if job.key == key:
                return job
            why = f"its job in the cluster is of stream {job.key}"
        if self._unreadable.get(key) != why and self._streams is not None:
            self._streams.note(key, f"{why}; it is not listed until it is ordered again")
        self._unreadable[key] = why
        return None
