"""Opens the database and migrates its tables, or reads a copy of it if its disk accepts no writes."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from app.store.tables import Base, StreamRow
from app.store.unavailable import DiskRefuses, NewerSchema, StoreUnavailable

log = logging.getLogger(__name__)
_BUSY_S: Final = 5
# Settings of libpq: a vanished host is noticed in seconds instead of the kernel's quarter of an hour.
_SERVER_LIMITS: Final = {
    "connect_timeout": _BUSY_S,
    "tcp_user_timeout": _BUSY_S * 1000,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
}
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_WAL_SUFFIX: Final = "-wal"


def parse_url(database_url: str) -> URL:
    """Parse DATABASE_URL.

    Raises StoreUnavailable. Its text does not quote the URL, which may contain a password.
    """
    try:
        return make_url(database_url)
    except (ArgumentError, ValueError):
        raise StoreUnavailable(
            "it cannot be read; it has the form postgresql://USER:…@HOST/NAME, and in a password each of "
            "@ : / ? # % is written as %40 %3A %2F %3F %23 %25"
        ) from None


def open_database(database_url: str) -> Engine:
    """Open the database and migrate it.

    Raises StoreUnavailable: DiskRefuses if `open_copy` is worth a try, NewerSchema if only the newer version may write.
    """
    url = parse_url(database_url)
    try:
        engine = _open_sqlite(url) if url.get_backend_name() == "sqlite" else open_server(url)
        _migrate(engine)
    except (DatabaseError, OSError) as error:
        file = _file_of(url)
        refusal = DiskRefuses if file is not None and file.exists() else StoreUnavailable
        raise refusal(words_of(error)) from None
    except (SQLAlchemyError, CommandError) as error:
        raise StoreUnavailable(words_of(error)) from None
    return engine


def open_copy(database_url: str, folders: Iterable[Path]) -> Engine:
    """Read a SQLite database into memory through a copy in the first folder that accepts one. Raises StoreUnavailable.

    The write-ahead log is copied too, because the latest acknowledged orders may be only there.
    """
    file = _file_of(parse_url(database_url))
    if file is None:
        raise StoreUnavailable("only a SQLite file can be copied")
    problem = "there is no folder to copy it to"
    for folder in folders:
        try:
            memory = _read_into_memory(file, folder)
        except (OSError, sqlite3.Error) as error:
            problem = words_of(error)
            continue
        return _engine_on(memory)
    raise StoreUnavailable(problem)


def open_nothing() -> Engine:
    """Return an empty database in memory, for a database that cannot be read at all."""
    return _engine_on(sqlite3.connect(":memory:", check_same_thread=False))


def _engine_on(memory: sqlite3.Connection) -> Engine:
    engine = create_engine("sqlite://", creator=lambda: memory, poolclass=StaticPool)
    try:
        _migrate(engine)
    except SQLAlchemyError as error:
        log.error("database damaged: %s", words_of(error))
        _check_orders(engine)
    return engine


def _check_orders(engine: Engine) -> None:
    """Check that the orders can be read, whatever else is damaged. Raises StoreUnavailable."""
    try:
        with engine.connect() as connection:
            connection.execute(select(StreamRow.key)).all()
    except SQLAlchemyError as error:
        raise StoreUnavailable(words_of(error)) from None


def words_of(error: Exception) -> str:
    """Return the driver's own message: SQLAlchemy's text would add the statement and its values."""
    return str(getattr(error, "orig", None) or error).splitlines()[0][:200]


def open_server(url: URL) -> Engine:
    """Return an engine on a PostgreSQL server; it connects when it is used."""
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    # Values in the URL take precedence.
    limits = {name: value for name, value in _SERVER_LIMITS.items() if name not in url.query}
    return create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=limits)


def _open_sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _BUSY_S})
    event.listen(engine, "connect", _set_up_sqlite)
    file = _file_of(url)
    if file is not None and not file.exists():
        file.touch(mode=0o600)
    return engine


def _file_of(url: URL) -> Path | None:
    is_file = url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:"
    return Path(str(url.database)) if is_file else None


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # WAL: readers never wait for the writer. FULL: an order that was acknowledged survives a power loss.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    # Text that is not UTF-8 makes its row unreadable, not the query.
    connection.text_factory = lambda text: text.decode(errors="replace")


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if revision is not None and revision not in known:
            _check_newer(connection, revision)
            return
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _check_newer(connection: Connection, revision: str) -> None:
    """Accept the tables of a newer version if this one can read and write them. Raises NewerSchema."""
    inspector = inspect(connection)
    for table in Base.metadata.sorted_tables:
        found = {c["name"]: c for c in inspector.get_columns(table.name)} if inspector.has_table(table.name) else {}
        missing = {column.name for column in table.columns} - found.keys()
        added = found.keys() - {column.name for column in table.columns}
        demanded = {name for name in added if not found[name]["nullable"] and found[name].get("default") is None}
        if missing or demanded:
            raise NewerSchema(
                f"a newer version of this program made the database (revision {revision}), "
                f"and its table {table.name} cannot be used by this version; go back to that version"
            )
    log.warning("database of a newer version of this program, used as it is revision=%s", revision)


def _read_into_memory(file: Path, folder: Path) -> sqlite3.Connection:
    with tempfile.TemporaryDirectory(prefix=".store-copy-", dir=folder) as place:
        copy = Path(place) / file.name
        shutil.copyfile(file, copy)
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(f"{file}{_WAL_SUFFIX}", f"{copy}{_WAL_SUFFIX}")
        memory = sqlite3.connect(":memory:", check_same_thread=False)
        with contextlib.closing(sqlite3.connect(copy)) as source:
            source.backup(memory)
    return memory
