"""What the supervisor waits for: its callers' wake-up, the links of all workers, and the ends of their processes."""

from __future__ import annotations

import contextlib
import os
import selectors
from typing import Final

_WAKE: Final = ""


class Watched:
    """One selector over everything. Streams are known by their keys; only `wake` may be called from other threads."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._wake_fd, selectors.EVENT_READ, _WAKE)
        # By stream: what is watched of it, and at which descriptor. A number that was closed may be another's by now.
        self._kept: dict[str, list[tuple[object, int]]] = {}

    def wake(self) -> None:
        """End a wait."""
        os.eventfd_write(self._wake_fd, 1)

    def wait(self, within_s: float) -> set[str]:
        """The streams of which something is readable, after `within_s` seconds at most."""
        keys = {key.data for key, _ in self._selector.select(within_s)}
        if _WAKE in keys:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake_fd)
        return keys - {_WAKE}

    def watch(self, key: str, sources: list[tuple[object, int]]) -> None:
        """Watch these of a stream, an object with its descriptor each, in place of those watched so far."""
        kept = self._kept.get(key, [])
        if [(id(each), number) for each, number in kept] == [(id(each), number) for each, number in sources]:
            return
        for _, number in kept:
            self._selector.unregister(number)
        for _, number in sources:
            self._selector.register(number, selectors.EVENT_READ, key)
        self._kept[key] = sources

    def forget(self, key: str) -> None:
        """Watch nothing of a stream any more."""
        for _, number in self._kept.pop(key, []):
            self._selector.unregister(number)

    def close(self) -> None:
        """Release everything; no thread may wait any more."""
        self._selector.close()
        os.close(self._wake_fd)
