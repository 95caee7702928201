"""The store: what was ordered and what happened, so that a restart or a reboot brings back exactly that."""

from __future__ import annotations

import contextlib
import threading
from builtins import list as list_of
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.domain.secret import Secret
from app.domain.spec import Encryption, StreamSpec, public_spec
from app.domain.status import Order, Status
from app.store.cipher import Cipher, WrongKey
from app.store.opening import DiskRefuses, StoreUnavailable, open_copy, open_database, words_of
from app.store.tables import ACTOR_CHARACTERS, EventRow, StreamRow
from app.supervisor.snapshot import LogEntry

_EVENTS_KEPT: Final = 10_000
_EVENTS_TRIMMED_EVERY: Final = 500


class StoredStream(msgspec.Struct, frozen=True):
    """A stream as it was ordered. `passphrase_lost`: it was encrypted under another SECRET_KEY and cannot be read."""

    key: str
    spec: StreamSpec
    order: Order
    ordered_at: float
    status: Status | None = None
    passphrase_lost: bool = False


class Store:
    """Opens and migrates the database. Raises StoreUnavailable. Safe in many threads.

    Where its disk is full or read-only, the orders are read from a copy in memory, made in one of `copy_folders`;
    writes are refused until the database itself can be opened, which each of them tries.
    """

    def __init__(self, database_url: str, secret_key: Secret, *, copy_folders: Sequence[Path] = ()) -> None:
        self._cipher = Cipher(secret_key)
        self._url = database_url
        self._using = threading.Lock()
        self._events_since_trim = _EVENTS_TRIMMED_EVERY  # at once: short lives would never come to it
        self._refusal: DiskRefuses | None = None
        try:
            self._engine = open_database(database_url)
        except DiskRefuses as refusal:
            self._engine = open_copy(database_url, copy_folders)
            self._refusal = refusal

    def save(self, stream: StoredStream) -> None:
        """Keep a stream's order, in place of what was there under its key. Raises StoreUnavailable."""
        row = StreamRow(
            key=stream.key,
            order=stream.order.value,
            ordered_at=stream.ordered_at,
            spec_json=msgspec.json.encode(public_spec(stream.spec)).decode(),
            status_json=None if stream.status is None else msgspec.json.encode(stream.status).decode(),
        )
        secret = stream.spec.encryption.passphrase if stream.spec.encryption is not None else None
        # A passphrase that was lost is not overwritten: the old SECRET_KEY may come back.
        if secret is None or secret.size_bytes():
            row.passphrase_token = None if secret is None else self._cipher.encrypt(secret)
        self._write(lambda session: session.merge(row))

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
        wanted = select(StreamRow).order_by(StreamRow.ordered_at, StreamRow.key)
        with self._session() as session:
            return [self._stream_of(row) for row in session.scalars(wanted)]

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
                    # A proxy may tell any text as the client's address, and PostgreSQL takes no more than was agreed.
                    actor=entry.actor[:ACTOR_CHARACTERS],
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
        with self._session() as session:
            rows = session.scalars(select(EventRow).order_by(EventRow.id.desc()).limit(limit)).all()
            session.expunge_all()
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
        """Read something. Raises StoreUnavailable when the database does not answer, or only a copy of it does."""
        if self._refusal is not None:
            raise self._refusal
        self.events(1)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _write(self, work: Callable[[Session], object]) -> None:
        with self._session(self._open_again) as session:
            work(session)

    @contextlib.contextmanager
    def _session(self, before: Callable[[], None] = lambda: None) -> Iterator[Session]:
        """A transaction, one at a time, so that after a failure no connection is left in use."""
        with self._using:
            try:
                before()
                with Session(self._engine) as session, session.begin():
                    yield session
            except (SQLAlchemyError, OSError) as error:
                self._engine.dispose()  # a connection that was opened on a read-only disk stays read-only
                raise StoreUnavailable(words_of(error)) from None

    def _open_again(self) -> None:
        if self._refusal is None:
            return
        engine = open_database(self._url)
        self._engine.dispose()
        self._engine, self._refusal = engine, None
