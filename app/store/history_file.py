"""72 hours of history of all streams, in a SQLite file next to the database, so that it cannot damage the orders.

Every five seconds, one transaction for all streams is written to the disk. The present ten seconds are written before
they are complete, and replaced when more is known: a power failure loses less than ten seconds.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from app.domain.figures.summaries import Summary, pack, seconds_in, unpack
from app.store.unavailable import StoreUnavailable

KEPT_S: Final = 72 * 3600
_BUSY_S: Final = 2.0
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS summaries (stream TEXT NOT NULL, at INTEGER NOT NULL, figures BLOB NOT NULL,"
    " PRIMARY KEY (stream, at)) WITHOUT ROWID"
)
# Of two summaries of the same ten seconds, the one with more seconds stays.
_INSERT: Final = (
    "INSERT INTO summaries VALUES (?, ?, ?) ON CONFLICT (stream, at) DO UPDATE SET figures = excluded.figures"
    " WHERE seconds_in(excluded.figures) >= seconds_in(summaries.figures)"
)


class HistoryFile:
    """Safe to use from several threads.

    Every method raises StoreUnavailable. A damaged file is replaced by a new one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._using = threading.Lock()

    def append(self, new: Mapping[str, Iterable[Summary]], now: float) -> None:
        """Store new summaries by stream, and delete those older than 72 hours."""
        rows = [(key, summary.at, pack(summary)) for key, of_stream in new.items() for summary in of_stream]
        with self._open() as database, database:
            database.create_function("seconds_in", 1, seconds_in, deterministic=True)
            database.executemany(_INSERT, rows)
            database.execute("DELETE FROM summaries WHERE at < ?", (int(now) - KEPT_S,))

    def read(self, key: str, start: float, end: float) -> list[Summary]:
        """Return the summaries of a stream that end in that range, oldest first."""
        wanted = "SELECT at, figures FROM summaries WHERE stream = ? AND at BETWEEN ? AND ? ORDER BY at"
        with self._open() as database:
            rows = database.execute(wanted, (key, start, end)).fetchall()
        return [summary for at, figures in rows if (summary := unpack(at, figures)) is not None]

    def newest(self) -> dict[str, int]:
        """Return the end of each stream's newest summary."""
        with self._open() as database:
            return dict(database.execute("SELECT stream, max(at) FROM summaries GROUP BY stream"))

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._using:
            try:
                with contextlib.closing(self._connect()) as database:
                    yield database
            except sqlite3.OperationalError as error:
                raise StoreUnavailable(str(error)) from None
            except sqlite3.DatabaseError as error:
                self._begin_again()
                raise StoreUnavailable(f"the history was damaged; a new one was started ({error})") from None

    def _connect(self) -> sqlite3.Connection:
        if not self._path.exists():
            with contextlib.suppress(OSError):
                self._path.touch(mode=0o600)
        database = sqlite3.connect(self._path, timeout=_BUSY_S)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute(_TABLE)
        return database

    def _begin_again(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                Path(f"{self._path}{suffix}").unlink()
