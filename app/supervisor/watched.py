"""The supervisor's selector: the wake-up by callers, the links of all workers, and the ends of their processes."""

from __future__ import annotations

import contextlib
import os
import selectors
from typing import Final

_WAKE: Final = ""


class Watched:
    """One selector for everything. Streams are identified by their keys. Other threads may call `wake` only."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._wake_fd, selectors.EVENT_READ, _WAKE)
        # By stream: the watched objects with their descriptors. The number of a closed descriptor may be used again.
        self._kept: dict[str, list[tuple[object, int]]] = {}

    def wake(self) -> None:
        """End a wait."""
        os.eventfd_write(self._wake_fd, 1)

    def wait(self, within_s: float) -> set[str]:
        """Return the streams with readable descriptors, after `within_s` seconds at most."""
        keys = {key.data for key, _ in self._selector.select(within_s)}
        if _WAKE in keys:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake_fd)
        return keys - {_WAKE}

    def watch(self, key: str, sources: list[tuple[object, int]]) -> None:
        """Watch these objects of a stream, each with its descriptor, in place of the earlier ones."""
        kept = self._kept.get(key, [])
        if [(id(each), number) for each, number in kept] == [(id(each), number) for each, number in sources]:
            return
        self.forget(key)
        for each, number in sources:
            # Raises KeyError for the number of a descriptor that another stream has closed and not given up yet.
            self._selector.register(number, selectors.EVENT_READ, key)
            self._kept.setdefault(key, []).append((each, number))

    def forget(self, key: str) -> None:
        """Stop watching a stream."""
        for _, number in self._kept.pop(key, []):
            self._selector.unregister(number)

    def close(self) -> None:
        """Release everything. No thread may wait any more."""
        self._selector.close()
        os.close(self._wake_fd)
