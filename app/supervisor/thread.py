"""The one thread that follows all workers. It waits for links, processes and callers, and handles them.

Every other thread submits work to it and waits for the result.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Final, Protocol, TypeVar

from app.domain.errors import StreamsDoNotAnswer
from app.supervisor.watched import Watched

log = logging.getLogger(__name__)
T = TypeVar("T")
_TICK_S: Final = 0.1
_ANSWER_WITHIN_S: Final = 5.0


class Turns(Protocol):
    """The work of the thread in a turn."""

    def tick(self, now: float, late_s: float) -> None:
        """Check every stream: time passes also for those that send nothing."""

    def follow_ready(self, keys: set[str], now: float) -> None:
        """Handle the streams with readable descriptors."""


class SupervisorThread:
    """Runs the turns. Any other thread may call `ask` and `wait`."""

    def __init__(self, turns: Turns, clock: Callable[[], float], *, answer_within_s: float = _ANSWER_WITHIN_S) -> None:
        self.watched = Watched()
        self._answer_within_s = answer_within_s
        self._turns = turns
        self._clock = clock
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._changed = threading.Condition()
        self._is_closing = False
        self._ticked_at = clock()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        """Begin the turns."""
        self._thread.start()

    def ask(self, work: Callable[[], T]) -> T:
        """Run work on the thread. Return its result or raise its error.

        Raises StreamsDoNotAnswer after some seconds. Work that has not begun by then is not carried out.
        """
        answer: Future[T] = Future()

        def run() -> None:
            if not answer.set_running_or_notify_cancel():
                return
            try:
                answer.set_result(work())
            except Exception as error:  # noqa: BLE001 - it is the asker's, and raised there
                answer.set_exception(error)

        self._calls.put(run)
        self.watched.wake()
        try:
            return answer.result(self._answer_within_s)
        except TimeoutError:
            if answer.done():
                raise  # an error of the work
        answer.cancel()
        raise StreamsDoNotAnswer("the streams do not answer: this host was paused, or is overloaded; try again")

    def wait(self, is_true: Callable[[], bool], within_s: float) -> bool:
        """Wait for a result of a later turn."""
        with self._changed:
            return self._changed.wait_for(is_true, within_s)

    def end(self) -> None:
        """End the thread and wait for that."""
        self._is_closing = True
        self.watched.wake()
        self._thread.join()
        self.watched.close()

    def _run(self) -> None:
        while not self._is_closing:
            surprise(self._turn, "supervisor turn failed")

    def _turn(self) -> None:
        ready = self.watched.wait(max(0.0, min(_TICK_S, self._ticked_at + _TICK_S - self._clock())))
        with contextlib.suppress(Empty):
            while True:
                self._calls.get_nowait()()
        now = self._clock()
        late_s = now - self._ticked_at
        if late_s >= _TICK_S:
            self._ticked_at = now
            self._turns.tick(now, late_s)
        else:
            self._turns.follow_ready(ready, now)
        with self._changed:
            self._changed.notify_all()


def surprise(work: Callable[[], None], what: str) -> Exception | None:
    """Run work whose exception must not affect other streams. Log the exception as `what`, and return it."""
    try:
        work()
    except Exception as error:
        log.exception(what)
        return error
    return None
