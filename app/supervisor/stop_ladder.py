"""Stops a worker: it is asked, then terminated, then killed."""

from __future__ import annotations

from typing import Final

from app.supervisor.launchers.base import WorkerHandle

_TERMINATE_AFTER_S: Final = 2.0
_KILL_AFTER_S: Final = 4.0


class StopLadder:
    """The stop of one worker. `asked_at` is None while no stop was requested."""

    def __init__(self) -> None:
        self.asked_at: float | None = None

    def ask(self, now: float) -> bool:
        """Begin to stop the worker. Return False if that had already begun, so that the worker is notified once."""
        if self.asked_at is not None:
            return False
        self.asked_at = now
        return True

    def climb(self, worker: WorkerHandle, now: float) -> None:
        """Take the step that is due."""
        if self.asked_at is None:
            return
        if now - self.asked_at > _KILL_AFTER_S:
            worker.kill()
        elif now - self.asked_at > _TERMINATE_AFTER_S:
            worker.terminate()
