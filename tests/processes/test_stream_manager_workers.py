"""What the stream manager does about workers that crash, hang or end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.errors import NotFound
from app.domain.snapshot import Snapshot
from app.domain.status import Phase, Reason
from tests.instruments.child import is_alive
from tests.instruments.manager import OwnManager
from tests.instruments.ts_maker import Recipe, make_ts
from tests.instruments.worker import FAKE


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


def ended(snapshot: Snapshot) -> bool:
    """Whether the stream's worker is gone for good."""
    return snapshot.status.phase in (Phase.STOPPED, Phase.FAILED)


def test_a_worker_that_crashes_is_told_and_tried_again(own: OwnManager) -> None:
    key = own.manager.start(own.spec(name="crash")).key
    seen = own.wait(key, lambda seen: seen.status.phase is Phase.BACKING_OFF)
    assert seen.status.reason is Reason.WORKER_CRASHED
    assert "SIGKILL" in seen.detail
    own.wait(key, lambda seen: seen.status.restarts == 1)


def test_a_file_that_ended_is_a_stopped_stream(own: OwnManager) -> None:
    key = own.manager.start(own.spec(name="ends end_of_file")).key
    seen = own.wait(key, ended)
    assert (seen.status.phase, seen.status.reason) == (Phase.STOPPED, Reason.END_OF_FILE)


def test_a_worker_that_does_not_hear_is_made_to_leave(own: OwnManager) -> None:
    snapshot = own.manager.start(own.spec(name="deaf"))
    assert own.manager.stop(snapshot.key).status.phase is Phase.STOPPED
    assert snapshot.worker_pid is not None
    assert not is_alive(snapshot.worker_pid)


def test_a_worker_that_hangs_in_its_exit_is_believed_and_ended(own: OwnManager) -> None:
    key = own.manager.start(own.spec(name="ends end_of_file lingers")).key
    seen = own.wait(key, ended)
    assert (seen.status.phase, seen.status.reason) == (Phase.STOPPED, Reason.END_OF_FILE)
    assert own.manager.start(own.spec(name="receiver")).status.phase in (Phase.WAITING, Phase.DELIVERING)


def test_a_stop_is_quick_though_the_worker_hangs_in_its_exit(own: OwnManager) -> None:
    snapshot = own.manager.start(own.spec(name="receiver lingers"))
    assert own.manager.stop(snapshot.key).status.phase is Phase.STOPPED
    assert snapshot.worker_pid is not None
    assert not is_alive(snapshot.worker_pid)


def test_a_stream_that_is_removed_while_it_is_looked_up_is_not_found(
    own: OwnManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, listed = own.manager.start(own.spec()).key, own.manager.list

    def list_after_removal() -> list[Snapshot]:
        own.manager._supervisor.forget(key)
        return listed()

    monkeypatch.setattr(own.manager, "list", list_after_removal)
    with pytest.raises(NotFound):
        own.manager.get(key)
