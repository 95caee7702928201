"""Where workers come from: the interface between the supervisor and whatever runs workers.

`local.py` runs them as child processes of this host. Another launcher implements the same two protocols.
"""

from __future__ import annotations

import select
import socket
from typing import Protocol

from app.protocol import Ended, Job


class NoRuntime(OSError):
    """The runtime folder cannot hold what a worker needs: a socket and a log. `errno` says why."""


class WorkerHandle(Protocol):
    """A worker, wherever it runs."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def connect(self) -> socket.socket | None:
        """Try to connect to its link; None while it does not serve. Never blocks."""

    def can_be_heard(self) -> bool:
        """Whether its link can be reached at all, so that its silence means something."""

    def exit_descriptor(self) -> int | None:
        """A file descriptor that is readable once it has ended, None where there is none."""

    def is_alive(self) -> bool:
        """Whether the process exists. Never blocks."""

    def last_word(self) -> Ended | None:
        """Why it ended, in its own words; None before it has left any. It may still be there."""

    def end(self) -> Ended:
        """Why a dead worker ended: its own report, or the reason derived from its exit status."""

    def terminate(self) -> None:
        """Ask it to leave."""

    def kill(self) -> None:
        """Make it leave."""


class Launcher(Protocol):
    """Starts workers."""

    def launch(self, job: Job) -> WorkerHandle:
        """Start a worker for a job. Raises OSError, NoRuntime among them."""

    def adopt(self, key: str) -> WorkerHandle | None:
        """Find a worker of that key that an earlier manager launched, None when there is none alive."""

    def keys(self) -> list[str]:
        """The keys of all workers that may be alive."""

    def last_word(self, key: str) -> Ended | None:
        """Why a worker of that key ended while no manager was there, None when it left no word."""

    def announce(self, key: str) -> None:
        """Remember that the order of a worker to come is not acknowledged yet. Raises OSError."""

    def acknowledge(self, key: str) -> None:
        """Forget that: the order is kept."""

    def is_announced(self, key: str) -> bool:
        """Whether a worker of that key was announced and its order never acknowledged."""

    def problem(self) -> str | None:
        """Why no worker could be started at present, None when nothing is known against it. Never blocks for long."""

    def discard(self, key: str) -> None:
        """Remove what a dead worker of that key left behind."""


def wait_dead(handles: list[WorkerHandle], deadline_s: float) -> list[WorkerHandle]:
    """Wait until the workers are gone, `deadline_s` seconds at most; return those that are not."""
    waited_s = 0.0
    while (alive := [handle for handle in handles if handle.is_alive()]) and waited_s < deadline_s:
        select.select([], [], [], 0.05)
        waited_s += 0.05
    return alive
