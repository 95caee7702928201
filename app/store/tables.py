"""The tables of the store. A change here needs a migration in the same commit; a test compares the two."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Float, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ACTOR_CHARACTERS: Final = 64


class Base(DeclarativeBase):
    """All tables of the store."""


class StreamRow(Base):
    """One stream: its order, its spec without the passphrase, and its last known status."""

    __tablename__ = "streams"

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    order: Mapped[str] = mapped_column("stream_order", String(8))
    ordered_at: Mapped[float] = mapped_column(Float)
    spec_json: Mapped[str] = mapped_column(Text)
    passphrase_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    status_json: Mapped[str | None] = mapped_column(Text)


class DocumentRow(Base):
    """A JSON document under a key."""

    __abstract__ = True

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    document_json: Mapped[str] = mapped_column(Text)


class PresetRow(DocumentRow):
    """One preset: its name and its spec without the passphrase."""

    __tablename__ = "presets"


class FarEndRow(DocumentRow):
    """One far end of the address book."""

    __tablename__ = "far_ends"


class EventRow(Base):
    """One entry of the event log."""

    __tablename__ = "events"
    __table_args__ = (Index("events_by_stream", "stream_key", "id"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    at: Mapped[float] = mapped_column(Float)
    first_at: Mapped[float] = mapped_column(Float)
    stream_key: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(Text)
    count: Mapped[int] = mapped_column(Integer)
    actor: Mapped[str] = mapped_column(String(ACTOR_CHARACTERS))
