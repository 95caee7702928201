"""Keeps orders that the database refused in a small file on tmpfs until it accepts them, so that a crash loses none."""

from __future__ import annotations

import contextlib
import logging
from builtins import list as list_of
from pathlib import Path
from typing import Final

from app.domain.secret import Secret
from app.store.store import Store, StoredStream
from app.store.unavailable import StoreUnavailable

log = logging.getLogger(__name__)
_NAME: Final = "owed-orders.sqlite3"
_SUFFIXES: Final = ("", "-wal", "-shm")


class SpareOrders:
    """A small separate store in the runtime folder. It exists only while orders wait for the real store."""

    def __init__(self, folder: Path, secret_key: Secret) -> None:
        self._file = folder / _NAME
        self._secret_key = secret_key
        self._store: Store | None = None

    def streams(self) -> list_of[StoredStream]:
        """Return the orders that an earlier process could not store, oldest first."""
        if not self._file.exists():
            return []
        try:
            return self._open().streams()
        except StoreUnavailable as error:
            log.error("owed orders not read file=%s error=%r", self._file, str(error))
            return []

    def save(self, stream: StoredStream) -> None:
        """Keep an order in place of the earlier one with its key."""
        try:
            self._open().save(stream)
        except StoreUnavailable as error:
            log.error("owed order not kept stream=%s file=%s error=%r", stream.key, self._file, str(error))

    def clear(self) -> None:
        """Delete the file: no order is owed any more."""
        if self._store is not None:
            self._store.close()
            self._store = None
        for suffix in _SUFFIXES:
            with contextlib.suppress(OSError):  # the folder is gone, and its files with it
                self._file.with_name(f"{_NAME}{suffix}").unlink(missing_ok=True)

    def _open(self) -> Store:
        if self._store is not None and not self._file.exists():
            self._store.close()  # the runtime folder was removed meanwhile
            self._store = None
        if self._store is None:
            self._store = Store(f"sqlite:///{self._file}", self._secret_key)
        return self._store
