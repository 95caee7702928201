"""Runs jobs in the background: one at a time, in order of submission, on a thread that exists only while needed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

Work = Callable[[], None]


class JobRunner:
    """The jobs of one owner. Any thread may call its methods; each returns at once, except `close`.

    The owner provides progress reports and cancellation. A job that raises ends its own thread only; the next job still
    runs.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waiting: deque[Work] = deque()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def submit(self, work: Work) -> None:
        """Queue work, which runs after the earlier work. After `close` it is dropped."""
        with self._lock:
            if self._is_closed:
                return
            self._waiting.append(work)
            if self._thread is None:
                self._start()

    def waiting(self) -> int:
        """How many jobs have not begun."""
        with self._lock:
            return len(self._waiting)

    def is_idle(self) -> bool:
        """Whether nothing runs or waits."""
        with self._lock:
            return self._thread is None

    def close(self, within_s: float | None = None) -> None:
        """Drop the waiting jobs and accept no more. Wait for the running job, `within_s` seconds at most."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()
            thread = self._thread
        if thread is not None:
            thread.join(within_s)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        is_through = False
        try:
            while (work := self._next()) is not None:
                work()
            is_through = True
        finally:
            if not is_through:
                self._go_on_after_an_error()

    def _next(self) -> Work | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._thread = None
            return None

    def _go_on_after_an_error(self) -> None:
        with self._lock:
            self._thread = None
            if self._waiting:
                self._start()
