"""The recorder: no order is lost while the store refuses, no caller waits for it, and faults are reported."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.domain.events import EventKind, LogEntry
from app.domain.secret import Secret
from app.domain.spec import BarsSource, Encryption, ListenerEndpoint, SendSpec
from app.domain.status import Order, Phase, Status
from app.store.recorder import Recorder
from app.store.spare import SpareOrders
from app.store.store import StoredStream
from app.store.unavailable import StoreUnavailable
from tests.instruments.waiting import wait_for

SECRET_KEY = Secret("k" * 32)
STATUS = Status(Order.RUN, Phase.WAITING, 1.0)


def stream(key: str, order: Order = Order.RUN) -> StoredStream:
    return StoredStream(key, SendSpec(endpoint=ListenerEndpoint(10001), source=BarsSource()), order, 1.0)


def entry(text: str) -> LogEntry:
    return LogEntry(at=1.0, key="abcdef", name="bars", kind=EventKind.PHASE, text=text)


class FakeStore:
    """Keeps in memory; full or hanging on request."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.texts: list[str] = []
        self.statuses: list[str] = []
        self.is_full = False
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def _write(self) -> None:
        self.may_go_on.wait()
        if self.is_full:
            raise StoreUnavailable("database or disk is full")

    def save(self, kept: StoredStream) -> None:
        self._write()
        self.orders[kept.key] = kept.order

    def remove(self, key: str) -> None:
        self._write()
        self.orders.pop(key, None)

    def save_status(self, key: str, _status: Status) -> None:
        self._write()
        self.statuses.append(key)

    def note(self, noted: LogEntry) -> None:
        self._write()
        self.texts.append(noted.text)

    def check(self) -> None:
        """Reading still works on a full disk."""


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def spare(tmp_path: Path) -> SpareOrders:
    return SpareOrders(tmp_path, SECRET_KEY)


@pytest.fixture
def recorder(store: FakeStore, spare: SpareOrders) -> Iterator[Recorder]:
    made = Recorder(store, spare, look_every_s=0.02)  # type: ignore[arg-type]
    yield made
    store.may_go_on.set()
    made.close()


def test_an_order_is_written_before_it_is_acknowledged(store: FakeStore, recorder: Recorder) -> None:
    recorder.keep(stream("abcdef"))
    assert store.orders == {"abcdef": Order.RUN}
    recorder.remove("abcdef")
    assert store.orders == {}
    assert recorder.problem() is None


def test_orders_given_while_the_disk_is_full_are_written_once_it_is_not(store: FakeStore, recorder: Recorder) -> None:
    recorder.keep(stream("stays"))
    recorder.keep(stream("leaves"))
    store.is_full = True
    recorder.keep(stream("comes"))
    recorder.keep(stream("stays", Order.STOP))
    recorder.keep(stream("stays", Order.RUN))
    recorder.keep(stream("stays", Order.STOP))
    recorder.keep(stream("passes"))
    recorder.remove("passes")
    recorder.remove("leaves")
    assert recorder.problem() == "database or disk is full"
    assert store.orders == {"stays": Order.RUN, "leaves": Order.RUN}
    store.is_full = False
    wait_for(lambda: recorder.problem() is None, deadline_s=5, what="a store that is well again")
    wait_for(
        lambda: store.orders == {"stays": Order.STOP, "comes": Order.RUN}, deadline_s=5, what="the orders of meanwhile"
    )


def test_what_is_owed_outlives_a_kill_where_memory_is_and_only_as_long_as_it_is_owed(
    store: FakeStore, recorder: Recorder, tmp_path: Path
) -> None:
    encrypted = msgspec.structs.replace(
        stream("comes"),
        spec=msgspec.structs.replace(stream("comes").spec, encryption=Encryption(128, Secret("ten letters"))),
    )
    store.is_full = True
    recorder.keep(encrypted)
    recorder.keep(stream("stays", Order.STOP))
    assert SpareOrders(tmp_path, SECRET_KEY).streams() == [encrypted, stream("stays", Order.STOP)]
    assert not [path for path in tmp_path.iterdir() if b"ten letters" in path.read_bytes()]
    store.is_full = False
    wait_for(lambda: not list(tmp_path.iterdir()), deadline_s=5, what="the spare file gone")
    assert store.orders == {"comes": Order.RUN, "stays": Order.STOP}
    assert SpareOrders(tmp_path, SECRET_KEY).streams() == []


def test_what_is_owed_is_still_written_at_the_end(store: FakeStore, recorder: Recorder) -> None:
    store.is_full = True
    recorder.keep(stream("abcdef"))
    store.is_full = False
    recorder.close()
    assert store.orders == {"abcdef": Order.RUN}


def test_a_full_disk_is_noticed_by_an_event_and_its_end_without_another(store: FakeStore, recorder: Recorder) -> None:
    store.is_full = True
    recorder.entry(entry("delivering"))
    wait_for(lambda: recorder.problem() is not None, deadline_s=5, what="the problem")
    store.is_full = False
    wait_for(lambda: recorder.problem() is None, deadline_s=5, what="the end of the problem")
    assert store.texts == ["delivering"]


def test_a_database_that_went_away_is_noticed_while_nothing_happens(store: FakeStore, recorder: Recorder) -> None:
    def refuse() -> None:
        raise StoreUnavailable("connection refused")

    well, store.check = store.check, refuse  # type: ignore[method-assign]
    wait_for(lambda: recorder.problem() == "connection refused", deadline_s=5, what="the problem")
    store.check = well  # type: ignore[method-assign]
    wait_for(lambda: recorder.problem() is None, deadline_s=5, what="the end of the problem")


def test_a_database_that_hangs_holds_nobody_up_who_reports_and_is_said(
    store: FakeStore, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.store_health._SILENT_S", 0.1)
    store.may_go_on.clear()
    for number in range(6000):  # more than its queue takes
        recorder.entry(entry(str(number)))
    recorder.status("abcdef", STATUS)
    wait_for(lambda: "not answered" in (recorder.problem() or ""), deadline_s=5, what="the problem")
    store.may_go_on.set()
    wait_for(lambda: recorder.problem() is None and len(store.texts) >= 5000, deadline_s=5, what="the queue written")
    assert store.texts == [str(number) for number in range(len(store.texts))]


def test_orders_given_while_a_database_hangs_are_acknowledged_kept_aside_and_written_once_it_answers(
    store: FakeStore, recorder: Recorder, spare: SpareOrders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.order_writer._ORDER_WITHIN_S", 0.3)
    recorder.keep(stream("stays"))
    store.may_go_on.clear()
    began_at = time.monotonic()
    for number in range(20):
        recorder.keep(stream(f"comes {number}"))
    recorder.keep(stream("stays", Order.STOP))
    recorder.remove("comes 0")
    assert time.monotonic() - began_at < 22 * 0.3 / 2, "one waits, the others need not"
    assert {kept.key: kept.order for kept in SpareOrders(tmp_path, SECRET_KEY).streams()}["stays"] is Order.STOP
    store.may_go_on.set()
    wait_for(lambda: not list(tmp_path.iterdir()), deadline_s=5, what="nothing owed any more")
    assert store.orders == {"stays": Order.STOP} | {f"comes {number}": Order.RUN for number in range(1, 20)}


def test_the_log_says_once_that_the_store_refuses_and_once_that_it_is_well(
    store: FakeStore, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    store.is_full = True
    for _ in range(10):
        recorder.keep(stream("abcdef"))
    store.is_full = False
    wait_for(lambda: recorder.problem() is None, deadline_s=5, what="the end of the problem")
    said = [record.getMessage() for record in caplog.records if record.name == "app.store.store_health"]
    assert [text.partition(" dropped")[0] for text in said] == [
        "store refuses: database or disk is full",
        "store well again",
    ]


def test_the_log_holds_each_event_once_with_its_stream_and_no_text_can_forge_a_line(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    recorder.entry(entry("delivering"))
    refused = msgspec.structs.replace(entry("refused 192.0.2.7: \n2026 ERROR forged"), kind=EventKind.REFUSED)
    recorder.entry(refused)
    recorder.entry(msgspec.structs.replace(refused, count=2))
    recorder.close()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "stream event stream=abcdef name='bars' kind=phase text='delivering' actor='system'"),
        (
            "WARNING",
            "stream event stream=abcdef name='bars' kind=refused "
            "text='refused 192.0.2.7: \\n2026 ERROR forged' actor='system'",
        ),
    ]
