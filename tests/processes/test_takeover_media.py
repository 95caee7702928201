"""Taking over while the media folder does not answer: what is on air is adopted, what needs a file starts later."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import msgspec
import pytest

from app.domain.spec import BarsSource, SendSpec
from app.domain.status import Phase
from app.media.library import MediaLibrary
from tests.instruments.child import is_alive
from tests.instruments.manager import OwnManager
from tests.instruments.waiting import wait_for
from tests.instruments.worker import FAKE


def test_a_stream_on_air_is_adopted_and_an_ordered_one_starts_once_the_folder_answers(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, check = threading.Event(), MediaLibrary.check

    def hanging_check(library: MediaLibrary, path: str) -> object:
        answers.wait()
        return check(library, path)

    with OwnManager(media=sample, command=FAKE) as own:
        on_air, ordered = (own.manager.start(own.spec(port=own.ports[number])).key for number in (0, 1))
        pid = own.wait(on_air, lambda seen: seen.worker_pid).worker_pid
        orphan = own.wait(ordered, lambda seen: seen.worker_pid).worker_pid
        assert orphan is not None
        own.manager.detach()
        os.kill(orphan, signal.SIGKILL)
        wait_for(lambda: not is_alive(orphan), deadline_s=10, what="the end of the worker")
        monkeypatch.setattr(MediaLibrary, "check", hanging_check)
        try:
            own.manager = own.new_manager()
            adopted = own.wait(on_air, lambda seen: seen.status.phase is Phase.WAITING)
            assert (adopted.worker_pid, adopted.fault) == (pid, None)
        finally:
            answers.set()
        own.wait(ordered, lambda seen: seen.status.phase is Phase.WAITING and seen.worker_pid, deadline_s=30)


def test_a_stream_that_is_changed_while_it_waits_for_the_folder_keeps_its_new_settings(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, check = threading.Event(), MediaLibrary.check

    def hanging_check(library: MediaLibrary, path: str) -> object:
        answers.wait()
        return check(library, path)

    with OwnManager(media=sample, command=FAKE) as own:
        key = own.manager.start(own.spec()).key
        own.manager.detach()
        monkeypatch.setattr(MediaLibrary, "check", hanging_check)
        try:
            own.manager = own.new_manager()
            waiting = own.manager.get(key).spec
            assert isinstance(waiting, SendSpec)
            changed = msgspec.structs.replace(waiting, source=BarsSource())
            own.manager.change(key, changed)
        finally:
            answers.set()
        wait_for(
            lambda: "media-wait" not in [each.name for each in threading.enumerate()],
            deadline_s=30,
            what="the end of the wait",
        )
        assert own.manager.get(key).spec == changed
