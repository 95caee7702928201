"""Writes ten-second summaries of all streams in the background, and catches up after a restart."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from app.domain.errors import NotFound, StreamsDoNotAnswer
from app.domain.figures.history import Second
from app.domain.figures.summaries import SUMMARY_S, Summary, summaries
from app.machine.steady_clock import unix_now
from app.store.history_file import HistoryFile
from app.store.unavailable import StoreUnavailable

log = logging.getLogger(__name__)
# The summary of the present ten seconds is written too and replaced later: a power failure loses less than 10 s.
_EVERY_S: Final = 5.0
_SETTLED_AFTER_S: Final = 2.0  # a sample may come late
_END_WITHIN_S: Final = 3.0


class HistoryKeeper:
    """Stores summaries. `seconds_of` returns a stream's last hour, which an adopted worker brings along."""

    def __init__(
        self,
        file: HistoryFile,
        keys: Callable[[], Sequence[str]],
        seconds_of: Callable[[str], Sequence[Second]],
        *,
        every_s: float = _EVERY_S,
        clock: Callable[[], float] = unix_now,
    ) -> None:
        self._file = file
        self._keys = keys
        self._seconds_of = seconds_of
        self._every_s = every_s
        self._clock = clock
        self._kept_until: dict[str, int] | None = None
        self._is_well = True
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._enough.wait(self._every_s):
            self.keep(self._clock())
        self.keep(self._clock())

    def keep(self, now: float) -> None:
        """Store complete summaries that are not stored yet, and the present ten seconds as far as they are known."""
        try:
            if self._kept_until is None:
                # The newest may have been written before it was complete.
                self._kept_until = {key: at - SUMMARY_S for key, at in self._file.newest().items()}
            new = {key: self._new_of(key, now) for key in self._keys()}
            self._file.append(new, now)
        except (StoreUnavailable, StreamsDoNotAnswer) as error:
            if self._is_well:
                log.error("history not kept error=%r", str(error))
            self._is_well = False
            self._kept_until = None
            return
        self._is_well = True
        for key, of_stream in new.items():
            complete = [summary.at for summary in of_stream if summary.at <= now - _SETTLED_AFTER_S]
            if complete:
                self._kept_until[key] = complete[-1]

    def _new_of(self, key: str, now: float) -> list[Summary]:
        try:
            seconds = self._seconds_of(key)
        except NotFound:
            return []
        after = (self._kept_until or {}).get(key, 0)
        return summaries(seconds, after, now + SUMMARY_S)

    def close(self) -> None:
        """Write what is known, then end."""
        self._enough.set()
        self._thread.join(_END_WITHIN_S)
