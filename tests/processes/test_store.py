"""The store: orders and events are read back, on SQLite and on PostgreSQL; unreadable ones are reported."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from app.domain.events import EventKind, LogEntry
from app.domain.secret import Secret
from app.domain.spec import BarsSource, Encryption, ListenerEndpoint, SendSpec
from app.domain.status import Order, Phase, Reason, Status
from app.store import opening, store
from app.store.opening import open_copy, open_database
from app.store.store import Store, StoredStream
from app.store.tables import Base
from app.store.unavailable import DiskRefuses, StoreUnavailable
from tests.instruments.postgres import Postgres

KEY = Secret("k" * 32)
PASSPHRASE = "a passphrase of this test"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite3'}"
    return str(request.getfixturevalue("postgres").new_database())


@pytest.fixture
def opened(url: str) -> Iterator[Callable[..., Store]]:
    """Opens the same database as often as a process is started."""
    stores = []

    def open_store(key: Secret = KEY) -> Store:
        stores.append(Store(url, key))
        return stores[-1]

    yield open_store
    for each in stores:
        each.close()


def stream(
    key: str = "abcdef", *, order: Order = Order.RUN, passphrase: str = PASSPHRASE, at: float = 1.0
) -> StoredStream:
    spec = SendSpec(
        endpoint=ListenerEndpoint(10001), source=BarsSource(), encryption=Encryption(256, Secret(passphrase))
    )
    return StoredStream(key, spec, order, at)


def entry(at: float, words: str = "phase", **fields: object) -> LogEntry:
    return msgspec.structs.replace(
        LogEntry(at=at, key="abcdef", name="bars", kind=EventKind.PHASE, text=words, first_at=at), **fields
    )


def test_a_stream_comes_back_as_it_was_ordered(opened: Callable[..., Store]) -> None:
    status = Status(Order.RUN, Phase.DELIVERING, 7.5, Reason.NO_INPUT, restarts=3, delivering_since=9.25)
    kept = msgspec.structs.replace(stream(), status=status)
    opened().save(kept)
    assert opened().streams() == [kept]


def test_streams_come_back_oldest_order_first(opened: Callable[..., Store]) -> None:
    first = opened()
    for key, at in (("newest", 3.0), ("oldest", 1.0), ("middle", 2.0)):
        first.save(stream(key, at=at))
    assert [each.key for each in opened().streams()] == ["oldest", "middle", "newest"]


def test_an_order_is_replaced_a_status_is_kept_and_a_stream_is_forgotten(opened: Callable[..., Store]) -> None:
    first = opened()
    first.save(stream())
    first.save(stream(order=Order.STOP))
    first.save_status("abcdef", Status(Order.STOP, Phase.STOPPED, 5.0))
    (kept,) = opened().streams()
    assert (kept.order, kept.status) == (Order.STOP, Status(Order.STOP, Phase.STOPPED, 5.0))
    first.remove("abcdef")
    first.save_status("abcdef", Status(Order.RUN, Phase.WAITING, 6.0))
    assert opened().streams() == []


def test_a_passphrase_cannot_be_read_in_the_database(tmp_path: Path) -> None:
    made = Store(f"sqlite:///{tmp_path / 'store.sqlite3'}", KEY)
    made.save(stream())
    files = list(tmp_path.iterdir())
    assert files
    assert not [path for path in files if PASSPHRASE.encode() in path.read_bytes()]
    assert not [path for path in files if path.stat().st_mode & 0o077]
    made.close()


def test_under_another_secret_key_a_passphrase_is_lost_and_said_to_be(opened: Callable[..., Store]) -> None:
    opened().save(stream())
    (kept,) = opened(Secret("another key " * 4)).streams()
    assert kept.passphrase_lost
    assert kept.spec.encryption == Encryption(256, Secret(""))


def test_the_old_secret_key_brings_a_lost_passphrase_back_whatever_was_ordered_meanwhile(
    opened: Callable[..., Store],
) -> None:
    opened().save(stream())
    other = opened(Secret("another key " * 4))
    (lost,) = other.streams()
    other.save(msgspec.structs.replace(lost, order=Order.STOP))
    (found,) = opened().streams()
    assert found == stream(order=Order.STOP)


def test_events_come_back_in_their_order_and_a_repeated_one_once_with_its_count(opened: Callable[..., Store]) -> None:
    first = opened()
    first.note(entry(1.0, "refused 192.0.2.1", kind=EventKind.REFUSED))
    first.note(entry(2.0, "waiting"))
    first.note(entry(3.0, "refused 192.0.2.1", kind=EventKind.REFUSED, first_at=1.0, count=2))
    events = opened().events(10)
    assert [(event.text, event.count) for event in events] == [("waiting", 1), ("refused 192.0.2.1", 2)]
    assert opened().events(1) == events[-1:]


def test_an_event_by_whoever_claims_a_very_long_address_is_kept(opened: Callable[..., Store]) -> None:
    opened().note(entry(1.0, "stop requested", actor="operator at " + "x" * 500))
    (kept,) = opened().events(10)
    assert kept.actor.startswith("operator at xxx")


def test_the_event_log_is_bounded_over_long_lives_and_many_short_ones(
    opened: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_EVENTS_KEPT", 40)
    monkeypatch.setattr(store, "_EVENTS_TRIMMED_EVERY", 10)
    long = opened()
    for number in range(60):
        long.note(entry(float(number)))
    assert len(long.events(1000)) <= 30
    for number in range(60, 70):
        opened().note(entry(float(number)))
    assert [event.at for event in opened().events(1000)] == [float(number) for number in range(50, 70)]


def test_the_migrations_make_the_tables_that_the_code_uses(url: str) -> None:
    engine = open_database(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_receivers_cannot_push_orders_out_of_the_event_log(
    opened: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_EVENTS_KEPT", 20)
    monkeypatch.setattr(store, "_EVENTS_TRIMMED_EVERY", 5)
    kept = opened()
    kept.note(entry(0.0, "start requested", kind=EventKind.ORDER))
    for number in range(1, 60):
        kept.note(entry(float(number), f"connected 192.0.2.1:{number}", kind=EventKind.CONNECTED))
    assert kept.events(8)[0].text == "start requested"
    assert len(kept.events(1000)) <= 17


def made_by_a_later_version(url: str, *changes: str) -> None:
    """Turn a database into what a later version would have made of it."""
    engine = open_database(url)
    with engine.begin() as connection:
        for change in ("UPDATE alembic_version SET version_num = '9999'", *changes):
            connection.execute(text(change))
    engine.dispose()


def test_a_database_of_a_later_version_that_only_added_to_it_is_used_as_it_is(
    url: str, opened: Callable[..., Store]
) -> None:
    opened().save(stream())
    made_by_a_later_version(url, "CREATE TABLE later (id INTEGER)", "ALTER TABLE streams ADD COLUMN colour TEXT")
    present = opened()
    assert present.streams() == [stream()]
    present.save(stream("second"))
    present.note(entry(1.0))
    present.check()
    assert {each.key for each in opened().streams()} == {"abcdef", "second"}


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE streams RENAME COLUMN spec_json TO spec",
        "ALTER TABLE streams ADD COLUMN c TEXT",
        "DROP TABLE events",
    ],
)
def test_a_database_of_a_later_version_that_cannot_be_used_is_left_alone_and_said(tmp_path: Path, change: str) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    first = Store(url, KEY)
    first.save(stream())
    first.close()
    made_by_a_later_version(url, change)
    if "ADD COLUMN" in change:  # SQLite adds no column that demands a value; a later version would copy the table
        with sqlite3.connect(tmp_path / "store.sqlite3") as bare:
            bare.execute("PRAGMA writable_schema=ON")
            bare.execute(
                "UPDATE sqlite_master SET sql = replace(sql, 'c TEXT', 'c TEXT NOT NULL') WHERE name='streams'"
            )
    present = Store(url, KEY)
    assert present.streams() == []
    for ask in (present.check, lambda: present.save(stream())):
        with pytest.raises(StoreUnavailable, match="newer version"):
            ask()
    present.close()
    with sqlite3.connect(tmp_path / "store.sqlite3") as bare:
        assert bare.execute("SELECT key FROM streams").fetchall() == [("abcdef",)]


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite3"
    file.write_bytes(b"not a database, but another file" * 100)
    before = file.read_bytes()
    with pytest.raises(StoreUnavailable, match="not a database"):
        Store(f"sqlite:///{file}", KEY)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "wrong", ["sqlite:////nowhere/at/all/store.sqlite3", "postgresql:///store?host=/nowhere/at/all&password=hush"]
)
def test_a_database_that_is_not_there_is_said_without_its_password(wrong: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        Store(wrong, KEY)
    assert str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_copy_holds_what_so_far_only_the_write_ahead_log_holds(tmp_path: Path) -> None:
    url, copies = f"sqlite:///{tmp_path / 'store.sqlite3'}", tmp_path / "copies"
    copies.mkdir()
    writer = Store(url, KEY)
    writer.save(stream())
    with sqlite3.connect(f"file:{tmp_path / 'store.sqlite3'}?immutable=1", uri=True) as bare:
        assert not bare.execute("SELECT name FROM sqlite_master WHERE name = 'streams'").fetchall()
    engine = open_copy(url, [tmp_path / "missing", copies])
    with engine.connect() as connection:
        assert connection.execute(text("SELECT key FROM streams")).scalars().all() == ["abcdef"]
    assert list(copies.iterdir()) == []
    engine.dispose()
    writer.close()


def test_a_disk_that_refuses_leaves_the_orders_readable_and_is_written_again_once_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    earlier = Store(url, KEY)
    earlier.save(stream())
    earlier.close()

    def refuse(_: str) -> None:
        raise DiskRefuses("database or disk is full")

    monkeypatch.setattr(store, "open_database", refuse)
    degraded = Store(url, KEY, copy_folders=[tmp_path])
    assert degraded.streams() == [stream()]
    for ask in (degraded.check, lambda: degraded.remove("abcdef")):
        with pytest.raises(StoreUnavailable, match="disk is full"):
            ask()
    monkeypatch.setattr(store, "open_database", opening.open_database)
    degraded.save(stream("second"))
    degraded.check()
    degraded.close()
    again = Store(url, KEY)
    assert {each.key for each in again.streams()} == {"abcdef", "second"}
    again.close()
