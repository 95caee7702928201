"""Rows of every release, and unreadable rows: each affects its own stream at most, and none is overwritten."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from app.domain.secret import Secret
from app.domain.spec import BarsSource, CallerEndpoint, Encryption, FileSource, ListenerEndpoint, MulticastSource
from app.domain.status import Order, Phase, Reason
from app.domain.stored_spec import encode_spec, read_spec
from app.store.store import Store, StoredStream
from tests.instruments.specs import sent

KEY = Secret("k" * 32)
RELEASES = sorted((Path(__file__).parent / "stored").glob("*.sql"))


def database_of(release: Path, folder: Path) -> Path:
    """Return a database as that release left it."""
    file = folder / "store.sqlite3"
    with sqlite3.connect(file) as made:
        made.executescript(release.read_text())
    made.close()
    return file


def opened(file: Path) -> Store:
    return Store(f"sqlite:///{file}", KEY)


def change(file: Path, column: str, value: object, *, key: str = "filloo") -> None:
    """Write something into the row of a stream."""
    with sqlite3.connect(file) as made:
        made.execute(f"UPDATE streams SET {column} = ? WHERE key = ?", (value, key))
    made.close()


def read(file: Path) -> dict[str, StoredStream]:
    store = opened(file)
    found = {stream.key: stream for stream in store.streams()}
    store.close()
    return found


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.stem)
def test_the_rows_of_each_release_mean_what_they_meant(release: Path, tmp_path: Path) -> None:
    store = opened(database_of(release, tmp_path))
    file, multicast, bars = store.streams()
    assert (sent(file.spec).endpoint, sent(file.spec).source) == (ListenerEndpoint(10001), FileSource("bars.ts"))
    assert (file.spec.name, sent(file.spec).latency_ms, sent(file.spec).overhead_percent) == ("Från Göteborg", 350, 17)
    assert file.spec.encryption == Encryption(256, Secret("a passphrase of this test"))
    assert file.status is not None
    assert (file.order, file.status.phase, file.status.attempts) == (Order.RUN, Phase.DELIVERING, 2)
    assert sent(multicast.spec).endpoint == CallerEndpoint("192.0.2.10", 9000)
    assert sent(multicast.spec).source == MulticastSource("239.1.1.1", 1234, "eth0", "rtp", "192.0.2.3")
    assert (sent(multicast.spec).qos, sent(multicast.spec).smoothing_latency_ms) == (False, 0)
    assert multicast.status is not None
    assert multicast.status.reason is Reason.CONNECTION_TIMEOUT
    assert (sent(bars.spec).source, bars.order, bars.status) == (BarsSource("1080i25"), Order.STOP, None)
    assert [stream.unreadable for stream in store.streams()] == [None, None, None]
    assert [(event.text, event.count) for event in store.events(10)] == [
        ("delivering", 1),
        ("backing off: connection timeout", 3),
    ]
    store.close()


SPECS = {
    "an unknown field with a value": b'{"endpoint":{"mode":"listener","port":1},"source":{"kind":"bars"},"fec":"20"}',
    "a value of a wrong type": b'{"endpoint":{"mode":"listener","port":"x"},"source":{"kind":"bars"}}',
    "an unknown kind of source": b'{"endpoint":{"mode":"listener","port":1},"source":{"kind":"sdi","card":1}}',
    "an unknown kind of endpoint": b'{"endpoint":{"mode":"bonded"},"source":{"kind":"bars"}}',
    "encryption that is no object": b'{"endpoint":{"mode":"listener","port":1},"source":{"kind":"bars"},'
    b'"encryption":7}',
    "encryption of another kind": b'{"endpoint":{"mode":"listener","port":1},"source":{"kind":"bars"},'
    b'"encryption":{"key_bits":256,"mode":"gcm"}}',
    "broken JSON": b'{"endpoint":{"mode":',
    "no object": b"[1, 2]",
    "no text": b"\xff\xfe\x00",
    "nothing": b"",
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_spec_that_cannot_be_read_costs_one_stream_and_stays_as_it_is(tmp_path: Path, spec: bytes) -> None:
    file = database_of(RELEASES[0], tmp_path)
    change(file, "spec_json", spec)
    store = opened(file)
    streams = {stream.key: stream for stream in store.streams()}
    assert [key for key, stream in streams.items() if stream.unreadable is not None] == ["filloo"]
    lost = streams["filloo"]
    assert lost.unreadable is not None
    assert lost.unreadable.why
    assert lost.spec.encryption is None
    store.save(msgspec.structs.replace(lost, order=Order.STOP))
    store.close()
    with sqlite3.connect(file) as made:
        row = made.execute(
            "SELECT stream_order, spec_json, passphrase_token FROM streams WHERE key='filloo'"
        ).fetchone()
    made.close()
    assert (row[0], row[1]) == ("stop", spec)
    assert row[2]


def test_an_unreadable_stream_goes_whole_into_another_store(tmp_path: Path) -> None:
    """This happens when the database refuses writes and orders are kept in the runtime folder."""
    file = database_of(RELEASES[0], tmp_path)
    change(file, "spec_json", SPECS["an unknown field with a value"])
    lost = read(file)["filloo"]
    spare = Store(f"sqlite:///{tmp_path / 'spare.sqlite3'}", KEY)
    spare.save(lost)
    (kept,) = spare.streams()
    spare.close()
    assert kept == lost


@pytest.mark.parametrize("order", ["pause", "", "7"])
def test_an_unknown_order_is_not_guessed(tmp_path: Path, order: str) -> None:
    file = database_of(RELEASES[0], tmp_path)
    change(file, "stream_order", order)
    found = read(file)["filloo"]
    assert found.unreadable is not None
    assert repr(order) in found.unreadable.why


@pytest.mark.parametrize(
    "status",
    [
        b"no JSON",
        b'{"order":"run","phase":"dreaming","since":1}',
        b'{"order":"run","phase":"failed","since":1,"reason":"of_tomorrow"}',
        b'{"order":"run"}',
        b"\xff",
    ],
)
def test_a_status_that_cannot_be_read_costs_nothing_but_itself(tmp_path: Path, status: bytes) -> None:
    file = database_of(RELEASES[0], tmp_path)
    change(file, "status_json", status)
    found = read(file)["filloo"]
    assert (found.status, found.unreadable) == (None, None)
    assert found.spec.encryption == Encryption(256, Secret("a passphrase of this test"))


def test_a_field_of_tomorrow_is_ignored_in_a_status_and_where_it_is_empty_in_a_spec(tmp_path: Path) -> None:
    file = database_of(RELEASES[0], tmp_path)
    change(file, "status_json", '{"order":"run","phase":"waiting","since":1.0,"mood":"good"}')
    spec = '{"endpoint":{"mode":"listener","port":10001,"cards":[]},"source":{"kind":"bars"},"fec":null,"notes":""}'
    change(file, "spec_json", spec)
    found = read(file)["filloo"]
    assert found.unreadable is None
    assert found.status is not None
    assert (found.status.phase, sent(found.spec).endpoint) == (Phase.WAITING, ListenerEndpoint(10001))


def test_what_is_empty_by_default_is_not_stored_so_that_an_older_version_reads_the_rest(tmp_path: Path) -> None:
    found = read(database_of(RELEASES[0], tmp_path))
    document = msgspec.json.decode(encode_spec(found["barsxx"].spec))
    assert not [name for name, value in document.items() if value in (None, "", [], {})]
    assert document["qos"] is True  # a default that is not empty may change, and must not change what was ordered
    assert all(
        sent(read_spec(msgspec.json.decode(encode_spec(stream.spec)))[0]).source == sent(stream.spec).source
        for stream in found.values()
    )


@pytest.mark.parametrize(
    ("column", "value"), [("at", "yesterday"), ("count", None), ("first_at", b"\x00"), ("kind", 7)]
)
def test_an_event_that_cannot_be_read_is_left_out(tmp_path: Path, column: str, value: object) -> None:
    file = database_of(RELEASES[0], tmp_path)
    with sqlite3.connect(file) as made:
        made.execute("PRAGMA writable_schema=ON")
        made.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE name = 'events'")
    made.close()
    with sqlite3.connect(file) as made:
        made.execute(f"UPDATE events SET {column} = ? WHERE id = 1", (value,))
    made.close()
    store = opened(file)
    texts = [event.text for event in store.events(10)]
    store.close()
    assert texts[-1] == "backing off: connection timeout"


def test_a_time_of_order_that_is_no_number_costs_nothing_but_the_sequence(tmp_path: Path) -> None:
    file = database_of(RELEASES[0], tmp_path)
    change(file, "ordered_at", "early")
    assert read(file)["filloo"].ordered_at == 0.0
