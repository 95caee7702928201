"""How a new web process takes over the streams of an earlier one: no stream goes off air because of the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.domain.errors import CouldNotStart
from app.domain.secret import Secret
from app.domain.snapshot import Snapshot
from app.domain.spec import BarsSource, Encryption
from app.domain.status import Order, Phase, Reason
from tests.instruments.child import is_alive
from tests.instruments.manager import OwnManager
from tests.instruments.specs import sent
from tests.instruments.waiting import wait_for
from tests.instruments.worker import FAKE

PASSPHRASE = Secret("a passphrase of this test")
UNREADABLE = '{"endpoint":{"mode":"bonded","links":2},"source":{"kind":"bars"},"name":"of tomorrow"}'


@pytest.fixture
def own() -> Iterator[OwnManager]:
    """A manager with pretended workers and room for three streams."""
    with OwnManager(command=FAKE) as made:
        yield made


def on_air(own: OwnManager, number: int = 0, **fields: object) -> Snapshot:
    """Return a stream on air."""
    started = own.manager.start(own.spec(port=own.ports[number], source=BarsSource(), **fields))
    return own.wait(started.key, lambda seen: seen.status.phase is Phase.WAITING and seen.worker_pid)


def next_process(own: OwnManager, meanwhile: Callable[[Path], None] = lambda _: None) -> None:
    """End the manager as SIGKILL of the web process would, and make the next one."""
    own.manager.detach()
    meanwhile(own.folder / "store.sqlite3")
    own.manager = own.new_manager()


def execute(statement: str, *values: object) -> Callable[[Path], None]:
    """Something done to the database while no process has it open."""

    def run(file: Path) -> None:
        with sqlite3.connect(file) as database:
            database.execute(statement, values)
        database.close()

    return run


def remove_database(file: Path) -> None:
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()


def is_adopted(before: Snapshot) -> Callable[[Snapshot], bool]:
    return lambda seen: (
        seen.worker_pid == before.worker_pid and seen.status.phase is Phase.WAITING and seen.is_spec_known
    )


def test_an_unreadable_row_of_a_stream_on_air_is_made_good_by_its_worker(own: OwnManager) -> None:
    first, second = on_air(own, encryption=Encryption(256, PASSPHRASE)), on_air(own, 1)
    spoil = execute("UPDATE streams SET spec_json = ? WHERE key = ?", "{broken", first.key)
    next_process(own, spoil)
    found = own.wait(first.key, is_adopted(first))
    own.wait(second.key, is_adopted(second))
    assert found.spec == first.spec
    assert own.manager.passphrase(first.key) == PASSPHRASE
    assert found.fault is Reason.SPEC_UNREADABLE
    assert "{broken" in " ".join(found.notices)
    again = own.manager.restart(first.key)
    assert (again.fault, again.spec) == (None, first.spec)
    next_process(own)
    assert own.wait(first.key, lambda seen: seen.status.phase is Phase.WAITING).notices == ()


def test_an_unreadable_row_without_a_worker_is_a_failed_stream_that_can_be_dismissed(own: OwnManager) -> None:
    stopped, other = on_air(own), on_air(own, 1)
    own.manager.stop(stopped.key)
    execute_all = execute(
        "UPDATE streams SET stream_order = 'run', spec_json = ? WHERE key = ?", UNREADABLE, stopped.key
    )
    next_process(own, execute_all)
    found = own.manager.get(stopped.key)
    assert (found.status.phase, found.status.reason) == (Phase.FAILED, Reason.SPEC_UNREADABLE)
    assert (found.spec.label(), found.stored_json) == ("of tomorrow", UNREADABLE)
    assert UNREADABLE in " ".join(found.notices)
    with pytest.raises(CouldNotStart) as refused:
        own.manager.restart(stopped.key)
    assert refused.value.reason == Reason.SPEC_UNREADABLE
    own.wait(other.key, is_adopted(other))
    next_process(own)
    assert own.manager.get(stopped.key).stored_json == UNREADABLE
    own.manager.dismiss(stopped.key)
    next_process(own)
    assert [stream.key for stream in own.manager.list()] == [other.key]


def test_after_an_upgrade_a_row_that_the_older_version_could_not_read_runs_again(own: OwnManager) -> None:
    stream = on_air(own)
    own.manager.shutdown()
    file = own.folder / "store.sqlite3"
    with sqlite3.connect(file) as database:
        (before,) = database.execute("SELECT spec_json FROM streams").fetchone()
    execute("UPDATE streams SET spec_json = ?", UNREADABLE)(file)
    own.manager = own.new_manager()
    assert own.manager.get(stream.key).status.phase is Phase.FAILED
    next_process(own, execute("UPDATE streams SET spec_json = ?", before))
    assert own.wait(stream.key, lambda seen: seen.status.phase is Phase.WAITING).spec == stream.spec


@pytest.mark.parametrize(
    "lose",
    [remove_database, execute("DELETE FROM streams"), execute("DROP TABLE streams")],
    ids=["file", "rows", "table"],
)
def test_a_store_that_is_lost_takes_no_stream_off_air(own: OwnManager, lose: Callable[[Path], None]) -> None:
    streams = [on_air(own), on_air(own, 1, encryption=Encryption(128, PASSPHRASE))]
    next_process(own, lose)
    for stream in streams:
        found = own.wait(stream.key, is_adopted(stream))
        assert found.fault is Reason.ORDER_LOST
        assert sent(found.spec).endpoint == sent(stream.spec).endpoint
        assert "stays on air until you stop it" in " ".join(found.notices)
    events = own.manager.events()
    assert {event.key for event in events if "no longer has this stream" in event.text} == {s.key for s in streams}
    own.manager.stop(streams[0].key)
    own.wait(streams[0].key, lambda seen: seen.status.phase is Phase.STOPPED)
    with pytest.raises(CouldNotStart) as refused:
        own.manager.restart(streams[1].key)
    assert refused.value.reason == Reason.PASSPHRASE_LOST
    assert own.manager.get(streams[1].key).worker_pid == streams[1].worker_pid


def test_a_lost_stream_that_is_started_again_is_stored(own: OwnManager) -> None:
    stream = on_air(own)
    next_process(own, execute("DELETE FROM streams"))
    own.wait(stream.key, is_adopted(stream))
    own.manager.restart(stream.key)
    next_process(own)
    found = own.wait(stream.key, lambda seen: seen.status.phase is Phase.WAITING)
    assert (found.fault, found.status.order) == (None, Order.RUN)


def test_a_lost_stream_whose_worker_dies_is_not_started_by_itself(own: OwnManager) -> None:
    stream = on_air(own)
    next_process(own, execute("DELETE FROM streams"))
    own.wait(stream.key, is_adopted(stream))
    worker = own.manager._supervisor._streams[stream.key].worker
    assert worker is not None
    worker.kill()
    own.wait(stream.key, lambda seen: seen.status.phase is Phase.FAILED and seen.status.reason is Reason.ORDER_LOST)


def test_a_worker_whose_order_was_never_acknowledged_is_ended_and_that_is_said(own: OwnManager) -> None:
    stream, other = on_air(own), on_air(own, 1)
    (own.settings.runtime_folder / f"{stream.key}.new").touch()
    next_process(own, execute("DELETE FROM streams WHERE key = ?", stream.key))
    assert [each.key for each in own.manager.list()] == [other.key]
    pid = stream.worker_pid
    assert pid is not None
    wait_for(lambda: not is_alive(pid), deadline_s=5, what="the end of the worker")
    assert [event.key for event in own.manager.events() if "never acknowledged" in event.text] == [stream.key]
    assert not list(own.settings.runtime_folder.glob(f"{stream.key}.*"))


def test_an_event_log_that_cannot_be_read_begins_empty_and_that_is_said(own: OwnManager) -> None:
    stream = on_air(own)
    next_process(own, execute("DROP TABLE events"))
    own.wait(stream.key, is_adopted(stream))
    assert own.manager.store_problem() is not None
    own.manager.stop(stream.key)
    next_process(own)
    assert own.manager.get(stream.key).status.order is Order.STOP
