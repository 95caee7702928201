"""The store: what was ordered and what happened, so that a restart or a reboot brings back exactly that."""

from __future__ import annotations

import threading
from builtins import list as list_of
from pathlib import Path
from typing import Any, Final

import msgspec
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, delete, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.domain.secret import Secret
from app.domain.spec import Encryption, StreamSpec, public_spec
from app.domain.status import Order, Status
from app.store.cipher import Cipher, WrongKey
from app.store.tables import EventRow, StreamRow
from app.supervisor.snapshot import LogEntry

_EVENTS_KEPT: Final = 10_000
_EVENTS_TRIMMED_EVERY: Final = 500
_BUSY_S: Final = 5
_MIGRATIONS: Final = Path(__file__).parent / "migrations"


class StoreUnavailable(Exception):
    """The database cannot be opened or written; the text says why and names no password."""


class StoredStream(msgspec.Struct, frozen=True):
    """A stream as it was ordered. `passphrase_lost`: it was encrypted under another SECRET_KEY and cannot be read."""

    key: str
    spec: StreamSpec
    order: Order
    ordered_at: float
    status: Status | None = None
    passphrase_lost: bool = False


class Store:
    """Opens and migrates the database. Raises StoreUnavailable. Safe in many threads."""

    def __init__(self, database_url: str, secret_key: Secret) -> None:
        self._cipher = Cipher(secret_key)
        self._writing = threading.Lock()
        self._events_since_trim = 0
        try:
            self._engine = _open(database_url)
            _migrate(self._engine)
        except (SQLAlchemyError, OSError) as error:
            raise StoreUnavailable(_words(error)) from None

    def save(self, stream: StoredStream) -> None:
        """Keep a stream's order, in place of what was there under its key. Raises StoreUnavailable."""
        secret = stream.spec.encryption.passphrase if stream.spec.encryption is not None else None
        row = StreamRow(
            key=stream.key,
            order=stream.order.value,
            ordered_at=stream.ordered_at,
            spec_json=msgspec.json.encode(public_spec(stream.spec)).decode(),
            passphrase_token=None if secret is None else self._cipher.encrypt(secret),
            status_json=None if stream.status is None else msgspec.json.encode(stream.status).decode(),
        )
        self._write(lambda session: session.merge(row))

    def save_order(self, key: str, order: Order) -> None:
        """Keep a changed order of a known stream. Raises StoreUnavailable."""
        self._change(key, order=order.value)

    def save_status(self, key: str, status: Status) -> None:
        """Keep a stream's last known status, which a later process continues from. Raises StoreUnavailable."""
        self._change(key, status_json=msgspec.json.encode(status).decode())

    def _change(self, key: str, **values: str) -> None:
        def change(session: Session) -> None:
            row = session.get(StreamRow, key)
            for name, value in values.items() if row is not None else ():
                setattr(row, name, value)

        self._write(change)

    def remove(self, key: str) -> None:
        """Forget a stream. Raises StoreUnavailable."""
        self._write(lambda session: session.execute(delete(StreamRow).where(StreamRow.key == key)))

    def streams(self) -> list_of[StoredStream]:
        """All streams, oldest order first. Raises StoreUnavailable."""
        try:
            with Session(self._engine) as session:
                rows = session.scalars(select(StreamRow).order_by(StreamRow.ordered_at, StreamRow.key)).all()
                return [self._stream_of(row) for row in rows]
        except SQLAlchemyError as error:
            raise StoreUnavailable(_words(error)) from None

    def _stream_of(self, row: StreamRow) -> StoredStream:
        document: dict[str, Any] = msgspec.json.decode(row.spec_json)
        key_bits = (document.pop("encryption", None) or {}).get("key_bits")
        spec = msgspec.convert(document, StreamSpec)
        lost = False
        if key_bits is not None:
            passphrase, lost = self._passphrase(row.passphrase_token)
            spec = msgspec.structs.replace(spec, encryption=Encryption(key_bits, passphrase))
        return StoredStream(
            key=row.key,
            spec=spec,
            order=Order(row.order),
            ordered_at=row.ordered_at,
            status=None if row.status_json is None else msgspec.json.decode(row.status_json, type=Status),
            passphrase_lost=lost,
        )

    def _passphrase(self, token: bytes | None) -> tuple[Secret, bool]:
        try:
            return self._cipher.decrypt(token or b""), False
        except WrongKey:
            return Secret(""), True

    def note(self, entry: LogEntry) -> None:
        """Keep an event; a repeated one (count above 1) replaces its earlier row. Raises StoreUnavailable."""

        def keep(session: Session) -> None:
            if entry.count > 1:
                same = (EventRow.stream_key == entry.key, EventRow.first_at == entry.first_at)
                session.execute(delete(EventRow).where(*same, EventRow.text == entry.text))
            session.add(
                EventRow(
                    at=entry.at,
                    first_at=entry.first_at,
                    stream_key=entry.key,
                    name=entry.name,
                    kind=entry.kind,
                    text=entry.text,
                    count=entry.count,
                    actor=entry.actor,
                )
            )
            self._trim(session)

        self._write(keep)

    def _trim(self, session: Session) -> None:
        self._events_since_trim += 1
        if self._events_since_trim >= _EVENTS_TRIMMED_EVERY:
            self._events_since_trim = 0
            newest = session.scalar(select(func.max(EventRow.id))) or 0
            session.execute(delete(EventRow).where(EventRow.id <= newest - _EVENTS_KEPT))

    def events(self, limit: int) -> list_of[LogEntry]:
        """The last events, oldest first. Raises StoreUnavailable."""
        try:
            with Session(self._engine) as session:
                rows = session.scalars(select(EventRow).order_by(EventRow.id.desc()).limit(limit)).all()
        except SQLAlchemyError as error:
            raise StoreUnavailable(_words(error)) from None
        return [
            LogEntry(
                at=row.at,
                first_at=row.first_at,
                key=row.stream_key,
                name=row.name,
                kind=row.kind,
                text=row.text,
                count=row.count,
                actor=row.actor,
            )
            for row in reversed(rows)
        ]

    def check(self) -> None:
        """Read something. Raises StoreUnavailable when the database does not answer."""
        self.events(1)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _write(self, work: Any) -> None:
        try:
            with self._writing, Session(self._engine) as session, session.begin():
                work(session)
        except (SQLAlchemyError, OSError) as error:
            raise StoreUnavailable(_words(error)) from None


def _open(database_url: str) -> Engine:
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": _BUSY_S})
    engine = create_engine(url, connect_args={"timeout": _BUSY_S})
    event.listen(engine, "connect", _set_up_sqlite)
    if url.database and url.database != ":memory:":
        Path(url.database).touch(mode=0o600, exist_ok=True)
    return engine


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # WAL: readers never wait for the writer. FULL: an order that was acknowledged survives a power loss.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _words(error: Exception) -> str:
    """The driver's own words: SQLAlchemy's text would add the statement and its values."""
    return str(getattr(error, "orig", None) or error).splitlines()[0][:200]
