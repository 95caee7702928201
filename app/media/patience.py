"""The media library with a time limit: a file server that hangs blocks one or two threads, and nothing else.

A system call that hangs cannot be ended, so it gets a thread that is abandoned with it. While it hangs, every call that
needs the same part of the folder is refused at once.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Final, TypeVar

from app.domain.errors import InvalidInput, ProductError
from app.media.library import FIELD, FileIdentity, MediaFolder, MediaLibrary
from app.mpegts.inspect.media_check import MediaCheck
from app.utils import DiskUse

T = TypeVar("T")

DEADLINE_S: Final = 2.0
STUCK_MAX: Final = 2
# Errors of the library, and of a parser on an unexpected file: they are raised in the thread of the caller.
_OF_THE_CALLER: Final = (ProductError, OSError, RuntimeError, ValueError, LookupError, ArithmeticError, MemoryError)
NO_ANSWER: Final = "the media folder does not answer; check its file server"


class MediaDoesNotAnswer(ProductError):
    """The file system of the media folder hangs."""

    code = "media_unavailable"

    def __init__(self) -> None:
        super().__init__(NO_ANSWER, {FIELD: NO_ANSWER})


class _Call:
    """A call in progress. `part` is the top folder or file that it reads, empty for the whole media folder."""

    def __init__(self, part: str, began_at: float) -> None:
        self.part = part
        self.began_at = began_at


class PatientLibrary:
    """A MediaLibrary that answers within DEADLINE_S or raises MediaDoesNotAnswer. Safe to use from several threads."""

    def __init__(
        self, library: MediaLibrary, *, deadline_s: float = DEADLINE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._library = library
        self._deadline_s = deadline_s
        self._clock = clock
        self._changed = threading.Condition()
        self._under_way: set[_Call] = set()

    def check(self, path: str) -> MediaCheck:
        """Return the result of MediaLibrary.check."""
        return self._ask(path, lambda: self._library.check(path))

    def resolve(self, path: str) -> Path:
        """Return the result of MediaLibrary.resolve."""
        return self._ask(path, lambda: self._library.resolve(path))

    def identify(self, path: str) -> tuple[Path, FileIdentity]:
        """Return the result of MediaLibrary.identify."""
        return self._ask(path, lambda: self._library.identify(path))

    def list(self, path: str = "") -> MediaFolder:
        """Return the result of MediaLibrary.list."""
        return self._ask(path, lambda: self._library.list(path))

    @property
    def folder(self) -> Path:
        """Return the real path of the media folder. Raises InvalidInput if it is missing."""
        return self._ask("", lambda: self._library.folder)

    def problem(self) -> str | None:
        """Return why the media folder cannot be used, as a sentence; None if it can."""
        try:
            is_readable = self._ask("", lambda: os.access(self._library.folder, os.R_OK | os.X_OK))
        except MediaDoesNotAnswer:
            return "The media folder does not answer."
        except InvalidInput:
            is_readable = False
        return None if is_readable else "The media folder cannot be read."

    def disk_use(self) -> DiskUse:
        """Return the use of the media folder's disk; of the root disk if the folder is missing or does not answer."""
        try:
            return DiskUse(*self._ask("", lambda: shutil.disk_usage(self._library.folder)))
        except (ProductError, OSError):
            return DiskUse(*shutil.disk_usage("/"))

    def _ask(self, path: str, work: Callable[[], T]) -> T:
        call = self._begin(path.partition("/")[0])
        answer: Future[T] = Future()

        def run() -> None:
            try:
                answer.set_result(work())
            except _OF_THE_CALLER as error:
                answer.set_exception(error)
            finally:  # a thread that ends is no hang, whatever ended it
                with self._changed:
                    self._under_way.discard(call)
                    self._changed.notify_all()

        threading.Thread(target=run, name="media", daemon=True).start()
        try:
            return answer.result(self._deadline_s)
        except TimeoutError:
            if answer.done():
                raise  # an error of the file system
            raise MediaDoesNotAnswer from None

    def _begin(self, part: str) -> _Call:
        """Wait for a free thread. Raises MediaDoesNotAnswer if the call needs a part that already hangs."""
        until = self._clock() + self._deadline_s
        with self._changed:
            while True:
                now = self._clock()
                stuck = {call.part for call in self._under_way if now - call.began_at >= self._deadline_s}
                if part in stuck or (stuck and not part) or now >= until:
                    raise MediaDoesNotAnswer
                if len(self._under_way) < STUCK_MAX:
                    call = _Call(part, now)
                    self._under_way.add(call)
                    return call
                self._changed.wait(min(until - now, 0.1))
