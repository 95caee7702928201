"""The store: orders and events, so that a restart or a reboot restores exactly what was ordered."""

from __future__ import annotations

import contextlib
import logging
import threading
from builtins import list as list_of
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.domain.events import PEER_KINDS, LogEntry
from app.domain.secret import Secret
from app.domain.spec import JobSpec
from app.domain.status import Order, Status
from app.domain.stored_spec import SpecUnreadable, decode_spec, encode_spec, salvage_spec, with_passphrase
from app.store.cipher import Cipher, WrongKey
from app.store.opening import open_copy, open_database, open_nothing, words_of
from app.store.tables import ACTOR_CHARACTERS, DocumentRow, EventRow, StreamRow
from app.store.unavailable import DiskRefuses, NewerSchema, StoreUnavailable

_EVENTS_KEPT: Final = 10_000
# Events that strangers cause, and other events: neither displaces the other.
_OF_PEERS: Final = EventRow.kind.in_(sorted(PEER_KINDS))
_HALVES: Final = (_OF_PEERS, ~_OF_PEERS)
_EVENTS_TRIMMED_EVERY: Final = 500


log = logging.getLogger(__name__)


class Unreadable(msgspec.Struct, frozen=True):
    """A row that this version cannot read: the reason, and the row's spec unchanged."""

    why: str
    spec_json: str
    passphrase_token: bytes | None = None


class StoredStream(msgspec.Struct, frozen=True):
    """A stream as it was ordered. `passphrase_lost`: it was encrypted under another SECRET_KEY and cannot be read.

    With `unreadable`, `spec` holds only what could be salvaged of it for showing; the row itself is never changed but
    for its order and status.
    """

    key: str
    spec: JobSpec
    order: Order
    ordered_at: float
    status: Status | None = None
    passphrase_lost: bool = False
    unreadable: Unreadable | None = None


class Store:
    """Opens and migrates the database. Raises StoreUnavailable. Safe to use from several threads.

    If it is damaged, or its disk is full or read-only, the orders are read from a copy in memory, made through one of
    `copy_folders`. If a newer version made tables that this one cannot use, there are no orders. Writes are refused
    until the database itself can be opened; each write tries that.
    """

    def __init__(self, database_url: str, secret_key: Secret, *, copy_folders: Sequence[Path] = ()) -> None:
        self._cipher = Cipher(secret_key)
        self._url = database_url
        self._using = threading.Lock()
        self._events_since_trim = _EVENTS_TRIMMED_EVERY  # at once, because a short-lived process would never come to it
        self._refusal: StoreUnavailable | None = None
        try:
            self._engine = open_database(database_url)
        except DiskRefuses as refusal:
            self._engine = self._open_copy(refusal, copy_folders)
            self._refusal = refusal
        except NewerSchema as refusal:
            self._engine = open_nothing()
            self._refusal = refusal

    def _open_copy(self, refusal: DiskRefuses, folders: Sequence[Path]) -> Engine:
        try:
            return open_copy(self._url, folders)
        except StoreUnavailable as error:
            raise StoreUnavailable(f"{refusal}; nor can a copy of it be read: {error}") from None

    def save(self, stream: StoredStream) -> None:
        """Store a stream's order in place of the earlier one with its key. Raises StoreUnavailable."""
        row = StreamRow(
            key=stream.key,
            order=stream.order.value,
            ordered_at=stream.ordered_at,
            status_json=None if stream.status is None else msgspec.json.encode(stream.status).decode(),
        )
        if stream.unreadable is not None:
            row.spec_json, row.passphrase_token = stream.unreadable.spec_json, stream.unreadable.passphrase_token
            self._write(lambda session: self._save_unreadable(session, row))
            return
        row.spec_json = encode_spec(stream.spec)
        secret = stream.spec.encryption.passphrase if stream.spec.encryption is not None else None
        # A passphrase that was lost is not overwritten: the old SECRET_KEY may come back.
        if secret is None or secret.size_bytes():
            row.passphrase_token = None if secret is None else self._cipher.encrypt(secret)
        self._write(lambda session: session.merge(row))

    @staticmethod
    def _save_unreadable(session: Session, row: StreamRow) -> None:
        """Change only order and status in the row, because the rest of the row was not read completely."""
        changed = update(StreamRow).where(StreamRow.key == row.key)
        found = session.connection().execute(changed.values(order=row.order, status_json=row.status_json))
        if not found.rowcount:
            session.add(row)

    def save_status(self, key: str, status: Status) -> None:
        """Store a stream's last known status, from which a later process continues. Raises StoreUnavailable."""
        self._change(key, status_json=msgspec.json.encode(status).decode())

    def _change(self, key: str, **values: str) -> None:
        def change(session: Session) -> None:
            row = session.get(StreamRow, key)
            for name, value in values.items() if row is not None else ():
                setattr(row, name, value)

        self._write(change)

    def remove(self, key: str) -> None:
        """Delete a stream. Raises StoreUnavailable."""
        self._write(lambda session: session.execute(delete(StreamRow).where(StreamRow.key == key)))

    def streams(self) -> list_of[StoredStream]:
        """Return all streams, oldest order first. Raises StoreUnavailable."""
        wanted = select(StreamRow).order_by(StreamRow.ordered_at, StreamRow.key)
        with self._session() as session:
            return [self._stream_of(row) for row in session.scalars(wanted)]

    def _stream_of(self, row: StreamRow) -> StoredStream:
        text = str(row.spec_json)
        unreadable = None
        try:
            order = _order_of(row.order)
            spec, key_bits = decode_spec(text)
        except SpecUnreadable as error:
            unreadable = Unreadable(str(error), text, row.passphrase_token)
            order = Order.STOP if row.order == Order.STOP else Order.RUN
            spec, key_bits = salvage_spec(text, row.key), None
            log.error("stored stream not readable stream=%s why=%r", row.key, str(error))
        lost = False
        if key_bits is not None:
            passphrase, lost = self.passphrase(row.passphrase_token)
            spec = with_passphrase(spec, key_bits, passphrase)
        return StoredStream(
            key=str(row.key),
            spec=spec,
            order=order,
            ordered_at=row.ordered_at if isinstance(row.ordered_at, float | int) else 0.0,
            status=_status_of(row),
            passphrase_lost=lost,
            unreadable=unreadable,
        )

    def passphrase(self, token: bytes | None) -> tuple[Secret, bool]:
        """Return the passphrase in a stored token, and whether it is lost: encrypted with another SECRET_KEY."""
        try:
            return self._cipher.decrypt(token if isinstance(token, bytes) else b""), False
        except WrongKey:
            return Secret(""), True

    def note(self, entry: LogEntry) -> None:
        """Store an event. A repeated one (count above 1) replaces its earlier row. Raises StoreUnavailable."""

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
                    kind=entry.kind.value,
                    text=entry.text,
                    count=entry.count,
                    # A proxy may send any text as the client's address, but PostgreSQL limits its length.
                    actor=entry.actor[:ACTOR_CHARACTERS],
                )
            )
            self._trim(session)

        self._write(keep)

    def _trim(self, session: Session) -> None:
        self._events_since_trim += 1
        if self._events_since_trim >= _EVENTS_TRIMMED_EVERY:
            self._events_since_trim = 0
            for of_half in _HALVES:
                kept = select(EventRow.id).where(of_half).order_by(EventRow.id.desc())
                newest_dropped = session.scalar(kept.offset(_EVENTS_KEPT // 2).limit(1))
                if newest_dropped is not None:
                    session.execute(delete(EventRow).where(of_half, EventRow.id <= newest_dropped))

    def events(self, limit: int) -> list_of[LogEntry]:
        """Return the last events, oldest first; at most half of a long list is from receivers.

        Raises StoreUnavailable.
        """
        newest_first = select(EventRow).order_by(EventRow.id.desc()).limit(limit)
        with self._session() as session:
            peers, rest = (list(session.scalars(newest_first.where(of_half))) for of_half in _HALVES)
            session.expunge_all()
        of_peers = max(-(-limit // 2), limit - len(rest))
        rows = peers[:of_peers] + rest[: limit - min(of_peers, len(peers))]
        return [entry for row in sorted(rows, key=lambda row: row.id) if (entry := _entry_of(row)) is not None]

    def documents(self, table: type[DocumentRow]) -> dict[str, str]:
        """Return all documents of a table by key. Raises StoreUnavailable."""
        with self._session() as session:
            return {str(row.key): str(row.document_json) for row in session.scalars(select(table))}

    def save_documents(self, table: type[DocumentRow], kept: Mapping[str, str], removed: Collection[str]) -> None:
        """Store documents in place of those with their keys, and delete others. Raises StoreUnavailable."""

        def change(session: Session) -> None:
            session.execute(delete(table).where(table.key.in_(removed)))
            for key, text in kept.items():
                session.merge(table(key=key, document_json=text))

        self._write(change)

    def check(self) -> None:
        """Read something. Raises StoreUnavailable if the database does not answer, or only a copy of it does."""
        if self._refusal is not None:
            raise self._refusal
        self.events(1)

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def _write(self, work: Callable[[Session], object]) -> None:
        with self._session(self._open_again) as session:
            work(session)

    @contextlib.contextmanager
    def _session(self, before: Callable[[], None] = lambda: None) -> Iterator[Session]:
        """Return a transaction, one at a time, so that no connection stays in use after a failure."""
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


def _order_of(text: object) -> Order:
    if text not in tuple(Order):
        raise SpecUnreadable(f"its order {text!r} is not known")
    return Order(str(text))


def _status_of(row: StreamRow) -> Status | None:
    """Return the last known status. An unreadable one counts as none: the stream then begins as after its order."""
    if row.status_json is None:
        return None
    try:
        return msgspec.json.decode(row.status_json, type=Status)
    except (msgspec.DecodeError, TypeError, UnicodeError) as error:
        log.warning("stored status not readable stream=%s why=%r", row.key, str(error))
        return None


def _entry_of(row: EventRow) -> LogEntry | None:
    """Return a stored event, None if it cannot be read: an event log with a gap is better than none."""
    values = {name: getattr(row, name) for name in ("at", "first_at", "name", "kind", "text", "count", "actor")}
    try:
        return msgspec.convert({"key": row.stream_key, **values}, LogEntry)
    except msgspec.ValidationError as error:
        log.warning("stored event not readable id=%s why=%r", row.id, str(error))
        return None
