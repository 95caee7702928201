"""A file server that hangs blocks two threads at most, and no request that does not need it."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from app.domain.errors import InvalidInput
from app.media.library import MediaLibrary
from app.media.patience import STUCK_MAX, MediaDoesNotAnswer, PatientLibrary
from app.settings import Settings
from tests.instruments.ts_maker import Recipe, make_ts
from tests.instruments.waiting import wait_for
from tests.web.conftest import API_KEY, settings
from tests.web.fake_manager import FakeManager

__all__ = ["settings"]

DEADLINE_S = 0.3


class HangingLibrary(MediaLibrary):
    """A library whose folder `nas`, and with it every listing of the top, hangs until it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.answers = threading.Event()

    def check(self, path: str) -> Any:
        self._hang_in(path)
        return super().check(path)

    def list(self, path: str = "") -> Any:
        self._hang_in(path)
        return super().list(path)

    @property
    def folder(self) -> Path:
        """The folder itself hangs too where a call of the patient library asks for it."""
        return super().folder

    def _hang_in(self, path: str) -> None:
        if not path or path.startswith("nas"):
            self.answers.wait()


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[HangingLibrary]:
    folder = tmp_path / "media"
    (folder / "nas").mkdir(parents=True)
    (folder / "local.ts").write_bytes(make_ts(Recipe(seconds=1.2)))
    library = HangingLibrary(folder)
    yield library
    library.answers.set()


def stuck_threads() -> int:
    return sum(thread.name == "media" for thread in threading.enumerate())


def test_a_call_that_hangs_is_given_up_after_the_deadline(hanging: HangingLibrary) -> None:
    patient = PatientLibrary(hanging, deadline_s=DEADLINE_S)
    began = time.monotonic()
    with pytest.raises(MediaDoesNotAnswer, match="media folder does not answer") as caught:
        patient.check("nas/a.ts")
    assert time.monotonic() - began < 20 * DEADLINE_S
    assert list(caught.value.fields) == ["source.path"]


def test_what_would_hang_as_well_is_refused_at_once_and_the_rest_is_served(hanging: HangingLibrary) -> None:
    patient = PatientLibrary(hanging, deadline_s=DEADLINE_S)
    for path in ("nas/a.ts", "nas/b.ts", "nas/c.ts"):
        with pytest.raises(MediaDoesNotAnswer):
            patient.check(path)
    with pytest.raises(MediaDoesNotAnswer):
        patient.list("")
    assert stuck_threads() == 1
    assert patient.check("local.ts").bitrate_bps > 0
    assert patient.problem() == "The media folder does not answer."
    assert patient.disk_use().free > 0


def test_however_many_ask_two_threads_are_stuck_at_most_and_all_are_answered(hanging: HangingLibrary) -> None:
    patient = PatientLibrary(hanging, deadline_s=DEADLINE_S)
    with ThreadPoolExecutor(20) as pool:
        errors = [call.exception(30) for call in [pool.submit(patient.list, f"nas{n % 7}") for n in range(20)]]
    assert all(isinstance(error, MediaDoesNotAnswer) for error in errors)
    assert stuck_threads() <= STUCK_MAX


def test_once_the_server_answers_all_is_well_again(hanging: HangingLibrary) -> None:
    patient = PatientLibrary(hanging, deadline_s=DEADLINE_S)
    with pytest.raises(MediaDoesNotAnswer):
        patient.list("")
    hanging.answers.set()
    wait_for(lambda: not stuck_threads(), deadline_s=10, what="the end of the threads that were stuck")
    assert [file.name for file in patient.list("").files] == ["local.ts"]
    assert patient.problem() is None


def test_errors_of_the_library_pass(hanging: HangingLibrary) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        PatientLibrary(hanging, deadline_s=10).check("missing.ts")


def test_an_unexpected_error_reaches_the_caller_and_does_not_count_as_a_hang(tmp_path: Path) -> None:
    class FaultyLibrary(MediaLibrary):
        def check(self, path: str) -> Any:
            raise IndexError(path)

    folder = tmp_path / "media"
    folder.mkdir()
    patient = PatientLibrary(FaultyLibrary(folder), deadline_s=10)
    for _ in range(STUCK_MAX + 1):
        with pytest.raises(IndexError):
            patient.check("strange.ts")
    assert patient.list("").files == ()


def test_health_names_the_media_folder_and_the_pages_work(hanging: HangingLibrary, settings: Settings) -> None:
    patient = PatientLibrary(hanging, deadline_s=DEADLINE_S)
    app = create_app(dataclasses.replace(settings), manager=FakeManager(), media=patient)
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {API_KEY}"
    refused = client.get("/api/media")
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (503, "media_unavailable")
    health = client.get("/health")
    assert health.status_code == 503
    assert health.get_json()["parts"]["media_folder"] == "fault"
    assert client.get("/").status_code == 200
    assert client.get("/api/dashboard").status_code == 200
