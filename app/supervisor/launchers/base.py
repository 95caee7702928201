"""The interface between the supervisor and the code that runs workers.

`local.py` runs them as child processes of this host. Another launcher implements the same two protocols.
"""

from __future__ import annotations

import select
import socket
from typing import NamedTuple, Protocol

from app.domain.status import Phase, Reason
from app.protocol import Ended, Job


class NoRuntime(OSError):
    """The runtime folder cannot hold what a worker needs: a socket and a log. `errno` says why."""


class Elsewhere(NamedTuple):
    """The place of a stream that this host does not carry; `host` is empty while no host carries it, `why` says why."""

    host: str
    phase: Phase
    why: str = ""


class SharedStreams(Protocol):
    """How a launcher of several hosts passes the orders of other hosts to this one. Any thread may call it."""

    def jobs(self) -> dict[str, tuple[Job, bool]]:
        """Return the job of each stream and whether it is ordered to run, by key."""

    def take_on(self, job: Job, *, is_wanted: bool) -> None:
        """List a stream that another host ordered, with its worker if that is here."""

    def follow(self, job: Job, *, is_wanted: bool) -> None:
        """Follow an order that another host gave for a stream."""

    def let_go(self, key: str) -> None:
        """Delete a stream that another host removed."""

    def note(self, key: str, text: str) -> None:
        """Log an event of a stream."""


class WorkerHandle(Protocol):
    """A worker, on this host or another one."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def is_here(self) -> bool:
        """Whether it is on this host, so that its silence is a fault."""

    def connect(self) -> socket.socket | None:
        """Try to connect to its link. Return None while it does not serve. Never blocks."""

    def can_be_heard(self) -> bool:
        """Whether its link can be reached at all, so that its silence means something."""

    def exit_descriptor(self) -> int | None:
        """A descriptor that is readable once the worker has ended, None without one."""

    def is_alive(self) -> bool:
        """Whether the process exists. Never blocks."""

    def last_word(self) -> Ended | None:
        """Return why it ended by its own report; None without a report. It may still exist."""

    def end(self) -> Ended:
        """Return why a dead worker ended: its own report, or the reason derived from its exit status."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """Kill it."""


class Launcher(Protocol):
    """Starts workers."""

    def launch(self, job: Job) -> WorkerHandle:
        """Start a worker for a job. Raises OSError, NoRuntime among them."""

    def adopt(self, key: str) -> WorkerHandle | None:
        """Return the live worker of that key that an earlier manager launched, None without one."""

    def keys(self) -> list[str]:
        """Return the keys of all workers that may be alive."""

    def last_word(self, key: str) -> Ended | None:
        """Return why a worker of that key ended while no manager ran, None without a report."""

    def announce(self, key: str) -> None:
        """Record that the order of a future worker is not acknowledged yet. Raises OSError."""

    def acknowledge(self, key: str) -> None:
        """Delete that record: the order is stored."""

    def is_announced(self, key: str) -> bool:
        """Whether a worker of that key was announced and its order never acknowledged."""

    def problem(self) -> str | None:
        """Why no worker could be started at present, None when no problem is known. Never blocks for long."""

    def discard(self, key: str) -> None:
        """Remove what a dead worker of that key left behind."""

    # ---- orders, for launchers of several hosts; `OneHost` has them for others ----

    @property
    def outlasts_service(self) -> bool:
        """Whether streams stay on air when the service of this host is stopped."""

    def order(self, job: Job) -> None:
        """Pass on that a stream is to run with this job. Never blocks."""

    def withdraw(self, key: str, *, for_good: bool = False) -> None:
        """Pass on that a stream is to stop, or no longer exists. Never blocks."""

    def elsewhere(self, key: str) -> Elsewhere | None:
        """Return where a stream is that this host does not carry."""

    def silent_end(self, key: str) -> Reason:
        """Return why a worker ended without a report although it was ordered to run."""

    def share(self, streams: SharedStreams) -> None:
        """Begin to follow what other hosts order."""

    def cluster_problem(self) -> str | None:
        """What is dangerous about the cluster, None when no problem is known. Never blocks."""


class OneHost:
    """How a launcher of one host handles orders: it does nothing, because the store has them."""

    outlasts_service = False

    def order(self, job: Job) -> None:
        """Do nothing."""

    def withdraw(self, key: str, *, for_good: bool = False) -> None:
        """Do nothing."""

    def elsewhere(self, key: str) -> Elsewhere | None:
        """Return nothing: there is no other host."""
        return None

    def silent_end(self, key: str) -> Reason:
        """Return the reason of a crash."""
        return Reason.WORKER_CRASHED

    def share(self, streams: SharedStreams) -> None:
        """Do nothing."""

    def cluster_problem(self) -> str | None:
        """Return nothing: there is no cluster."""
        return None


def wait_dead(handles: list[WorkerHandle], deadline_s: float) -> list[WorkerHandle]:
    """Wait until the workers are gone, `deadline_s` seconds at most. Return those that are not."""
    waited_s = 0.0
    while (alive := [handle for handle in handles if handle.is_alive()]) and waited_s < deadline_s:
        select.select([], [], [], 0.05)
        waited_s += 0.05
    return alive
