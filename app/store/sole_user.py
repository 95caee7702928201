"""Ensures one web process at a time on a PostgreSQL database: two would take over and end each other's workers.

A SQLite file is in the data folder, which machine.instance locks.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from app.store.opening import open_server, parse_url, words_of
from app.store.unavailable import StoreUnavailable

_LOCK: Final = 0x6D637273  # "mcrs"; advisory locks of a database are distinguished by their number
_WAIT_S: Final = 12.0  # a vanished host loses its lock within 11 s
# The server notices within seconds that the process or its host is gone, and releases the lock.
_NOTICE: Final = (("tcp_keepalives_idle", 5), ("tcp_keepalives_interval", 2), ("tcp_keepalives_count", 3))


@contextlib.contextmanager
def sole_user(database_url: str) -> Iterator[None]:
    """Hold the database while this process and this context live. Raises StoreUnavailable.

    The lock keeps out a process that starts. A server that restarts drops the lock, and it is not taken again.
    """
    url = parse_url(database_url)
    if url.get_backend_name() != "postgresql":
        yield
        return
    engine = open_server(url).execution_options(isolation_level="AUTOCOMMIT")
    try:
        try:
            connection = engine.connect()
            for name, seconds in _NOTICE:
                connection.execute(text(f"SET {name} = {seconds}"))
            _lock(connection)
        except SQLAlchemyError as error:
            raise StoreUnavailable(words_of(error)) from None
        yield
    finally:
        engine.dispose()


def _lock(connection: Connection) -> None:
    deadline = time.monotonic() + _WAIT_S
    while not connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}).scalar_one():
        if time.monotonic() > deadline:
            raise StoreUnavailable("another web process uses it; stop that one, or give this one its own database")
        time.sleep(0.2)
