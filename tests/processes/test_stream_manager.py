"""The stream manager with workers that only pretend: limits, ports, faults of a form, stop, restart, shutdown."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from app.domain.errors import CouldNotStart, InvalidInput, LimitReached, NotFound, PortInUse, ProductError
from app.domain.secret import Secret
from app.domain.snapshot import Snapshot
from app.domain.spec import CallerEndpoint, Encryption, FileSource
from app.domain.status import Order, Phase, Reason
from tests.instruments.child import is_alive
from tests.instruments.manager import OwnManager
from tests.instruments.ts_maker import Recipe, make_ts
from tests.instruments.waiting import wait_for
from tests.instruments.worker import FAKE

PASSPHRASE = "never to be seen again"


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small transport stream."""
    path = tmp_path_factory.mktemp("media") / "bars.ts"
    path.write_bytes(make_ts(Recipe(seconds=2.0)))
    return path


@pytest.fixture
def own(media: Path) -> Iterator[OwnManager]:
    """A manager with pretended workers and room for three streams."""
    with OwnManager(media=media, command=FAKE) as made:
        yield made


def nothing_is_left(own: OwnManager) -> bool:
    """Whether no stream, no port and no file of a worker remains."""
    files = [path.name for path in own.settings.runtime_folder.iterdir() if path.suffix in (".sock", ".ended", ".log")]
    return not own.manager.list() and not files and own.manager.free_ports() == list(own.ports)


def ended(snapshot: Snapshot) -> bool:
    """Whether the stream's worker is gone for good."""
    return snapshot.status.phase in (Phase.STOPPED, Phase.FAILED)


def test_a_started_stream_is_listed_with_what_is_true(own: OwnManager) -> None:
    snapshot = own.manager.start(own.spec(name="receiver"))
    assert snapshot.status.phase in (Phase.WAITING, Phase.DELIVERING)
    assert [seen.key for seen in own.manager.list()] == [snapshot.key]
    own.wait(snapshot.key, lambda seen: seen.status.phase is Phase.DELIVERING)
    assert own.wait(snapshot.key, lambda seen: seen.rates is not None).rates is not None


def test_a_port_of_another_stream_is_refused_by_its_field(own: OwnManager) -> None:
    own.manager.start(own.spec())
    with pytest.raises(PortInUse) as refused:
        own.manager.start(own.spec())
    assert "another stream" in refused.value.fields["endpoint.port"]
    assert len(own.manager.list()) == 1


def test_a_port_of_another_program_is_refused_by_its_field(own: OwnManager) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", own.ports[0]))
        assert own.ports[0] not in own.manager.free_ports()
        with pytest.raises(PortInUse) as refused:
            own.manager.start(own.spec())
    assert "another program" in refused.value.fields["endpoint.port"]
    assert nothing_is_left(own)


def test_of_two_who_ask_for_one_port_at_once_one_gets_it(own: OwnManager) -> None:
    answers: list[Snapshot | ProductError] = []

    def ask() -> None:
        try:
            answers.append(own.manager.start(own.spec()))
        except ProductError as refused:
            answers.append(refused)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(answer) for answer in answers].count(PortInUse) == 3
    assert len(own.manager.list()) == 1


def test_one_stream_too_many_is_refused_and_a_stopped_one_makes_room(own: OwnManager) -> None:
    keys = [own.manager.start(own.spec(port=port)).key for port in own.ports[:3]]
    with pytest.raises(LimitReached):
        own.manager.start(own.spec(port=own.ports[3]))
    own.manager.stop(keys[0])
    own.manager.start(own.spec(port=own.ports[3]))
    with pytest.raises(LimitReached):
        own.manager.restart(keys[0])


@pytest.mark.parametrize(
    ("reason", "error", "field"),
    [
        (Reason.PORT_IN_USE, PortInUse, "endpoint.port"),
        (Reason.NO_PCR, InvalidInput, "source.path"),
        (Reason.FILE_UNREADABLE, CouldNotStart, "source.path"),
        (Reason.MISSING_ELEMENT, CouldNotStart, None),
        (Reason.INTERFACE_MISSING, CouldNotStart, "source.interface"),
    ],
    ids=str,
)
def test_a_fault_of_the_first_try_is_an_error_on_the_form_and_leaves_nothing(
    own: OwnManager, reason: Reason, error: type[ProductError], field: str | None
) -> None:
    with pytest.raises(error) as refused:
        own.manager.start(own.spec(name=f"cannot {reason}"))
    assert list(refused.value.fields) == ([field] if field else [])
    wait_for(lambda: nothing_is_left(own), deadline_s=5, what="nothing being left")
    own.manager.start(own.spec())


def test_a_host_that_does_not_exist_is_told_by_its_field(own: OwnManager) -> None:
    endpoint = CallerEndpoint("receiver.invalid", 9000)
    with pytest.raises(CouldNotStart) as refused:
        own.manager.start(own.spec(endpoint=endpoint, name="cannot host_not_found"))
    assert list(refused.value.fields) == ["endpoint.host"]
    assert refused.value.reason == Reason.HOST_NOT_FOUND


def test_a_far_end_that_is_away_is_no_fault_of_the_form(own: OwnManager) -> None:
    endpoint = CallerEndpoint("192.0.2.1", 9000)
    snapshot = own.manager.start(own.spec(endpoint=endpoint, name="cannot connection_timeout"))
    assert (snapshot.status.phase, snapshot.status.reason) == (Phase.BACKING_OFF, Reason.CONNECTION_TIMEOUT)
    assert snapshot.retry_in_s is not None


@pytest.mark.parametrize("path", ["missing.ts", "../bars.ts", "/etc/passwd", "folder"])
def test_a_file_that_cannot_be_sent_is_refused_before_anything_starts(own: OwnManager, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        own.manager.start(own.spec(source=FileSource(path)))
    assert list(refused.value.fields) == ["source.path"]
    assert nothing_is_left(own)


def test_a_stopped_stream_stays_listed_frees_its_port_and_starts_again(own: OwnManager) -> None:
    key = own.manager.start(own.spec()).key
    stopped = own.manager.stop(key)
    assert (stopped.status.phase, stopped.status.order) == (Phase.STOPPED, Order.STOP)
    assert own.ports[0] in own.manager.free_ports()
    assert own.manager.restart(key).status.phase in (Phase.WAITING, Phase.DELIVERING)
    assert own.ports[0] not in own.manager.free_ports()


def test_a_running_stream_is_stopped_before_it_is_started_again(own: OwnManager) -> None:
    first = own.manager.start(own.spec())
    again = own.manager.restart(first.key)
    assert again.worker_pid != first.worker_pid
    assert first.worker_pid is not None
    assert not is_alive(first.worker_pid)


def test_a_stopped_stream_whose_port_was_taken_meanwhile_says_so_and_stays_stopped(own: OwnManager) -> None:
    key = own.manager.start(own.spec()).key
    own.manager.stop(key)
    own.manager.start(own.spec())
    with pytest.raises(PortInUse):
        own.manager.restart(key)
    assert own.manager.get(key).status.phase is Phase.STOPPED


def test_a_dismissed_stream_is_gone_with_its_worker(own: OwnManager) -> None:
    snapshot = own.manager.start(own.spec())
    own.manager.dismiss(snapshot.key)
    assert nothing_is_left(own)
    assert snapshot.worker_pid is not None
    assert not is_alive(snapshot.worker_pid)
    with pytest.raises(NotFound):
        own.manager.get(snapshot.key)


@pytest.mark.parametrize("runs", [True, False], ids=["on air", "stopped"])
def test_a_dismissal_is_undone_as_if_it_had_not_been(own: OwnManager, runs: bool) -> None:
    before = own.manager.start(own.spec(name="kept", encryption=Encryption(128, Secret(PASSPHRASE))))
    if not runs:
        own.manager.stop(before.key)
    own.manager.dismiss(before.key)
    after = own.manager.undo_dismiss(before.key)
    assert (after.key, after.spec) == (before.key, before.spec)
    assert after.status.order is (Order.RUN if runs else Order.STOP)
    assert (after.worker_pid is not None) is runs
    own.manager.detach()
    own.manager = own.new_manager()
    kept = own.manager.get(before.key)
    assert (kept.spec, kept.status.order) == (before.spec, after.status.order)


def test_a_dismissal_stands_after_ten_seconds_and_where_its_port_was_taken(
    own: OwnManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = own.manager.start(own.spec())
    own.manager.dismiss(first.key)
    own.manager.start(own.spec())
    with pytest.raises(PortInUse):
        own.manager.undo_dismiss(first.key)
    monkeypatch.setattr("app.supervisor.supervisor.RESTORABLE_S", 0.0)
    second = own.manager.start(own.spec(port=own.ports[1]))
    own.manager.dismiss(second.key)
    wait_for(lambda: second.key not in own.manager._supervisor._dismissed, deadline_s=5, what="the end of the offer")
    with pytest.raises(NotFound):
        own.manager.undo_dismiss(second.key)


@pytest.mark.parametrize("call", ["get", "stop", "restart", "dismiss", "debug", "passphrase"])
def test_what_is_not_there_is_not_found(own: OwnManager, call: str) -> None:
    with pytest.raises(NotFound):
        getattr(own.manager, call)("unknown")
    with pytest.raises(NotFound):
        own.manager.history("unknown", 60)


def test_history_has_a_point_for_each_second(own: OwnManager) -> None:
    key = own.manager.start(own.spec(name="receiver")).key
    wait_for(lambda: len(own.manager.history(key, 60)) >= 2, deadline_s=10, what="two seconds of history")
    assert own.manager.history(key, 60)[-1].rates.payload_mbps == pytest.approx(8.0, rel=0.2)
    assert len(own.manager.history(key, 1)) <= 2


def test_the_passphrase_is_given_to_who_asks_and_in_no_view(own: OwnManager) -> None:
    spec = own.spec(encryption=Encryption(128, Secret(PASSPHRASE)))
    key = own.manager.start(spec).key
    given = own.manager.passphrase(key)
    assert given is not None
    assert given.reveal() == PASSPHRASE
    shown = repr((own.manager.get(key), own.manager.debug(key), own.manager.events(key=key)))
    assert PASSPHRASE not in shown
    files = [path for path in own.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if PASSPHRASE.encode() in path.read_bytes()]


def test_events_tell_who_ordered_what_newest_first(own: OwnManager) -> None:
    key = own.manager.start(own.spec(), actor="script").key
    own.manager.stop(key, actor="operator")
    entries = own.manager.events(key=key)
    assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)
    assert [(entry.text, entry.actor) for entry in reversed(entries) if entry.kind == "order"] == [
        ("start requested", "script"),
        ("stop requested", "operator"),
    ]
    own.manager.dismiss(key, actor="another operator")
    assert [(entry.text, entry.actor) for entry in own.manager.events(key=key, limit=1)] == [
        ("removed", "another operator")
    ]


def test_after_a_reboot_the_streams_start_one_after_the_other(own: OwnManager, monkeypatch: pytest.MonkeyPatch) -> None:
    apart_s = 0.7
    monkeypatch.setattr("app.streams.takeover._STAGGER_S", apart_s)
    before = [own.manager.start(own.spec(port=port)) for port in own.ports[:3]]
    own.manager.detach()
    for snapshot in before:
        assert snapshot.worker_pid is not None
        os.kill(snapshot.worker_pid, signal.SIGKILL)
    for path in own.settings.runtime_folder.iterdir():
        path.unlink()
    own.manager = own.new_manager()
    after = [own.wait(snapshot.key, lambda seen: seen.worker_pid) for snapshot in before]
    began = [psutil.Process(snapshot.worker_pid).create_time() for snapshot in after]
    assert [later - earlier > apart_s / 2 for earlier, later in pairwise(began)] == [True, True]


def test_shutdown_ends_every_worker(media: Path) -> None:
    with OwnManager(media=media, command=FAKE) as own:
        pids = [own.manager.start(own.spec(port=port)).worker_pid for port in own.ports[:3]]
    assert not [pid for pid in pids if pid is None or is_alive(pid)]
