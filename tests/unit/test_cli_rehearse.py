"""`mcr rehearse`: what it asks for, its table, and its exit status, against answers of the API."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from app.cli import rehearse as module
from app.cli.rehearse import rehearse
from app.domain.rehearsal.run import Rehearsal, RehearsalState
from app.web.presenters.rehearsal import present_rehearsal
from tests.web.fake_rehearsals import stored_rehearsal

NONE_HELD = stored_rehearsal().attempts[:2]


class AnsweringApi:
    """Answers with a rehearsal that runs, and then with how it ended."""

    def __init__(self, ended: Rehearsal) -> None:
        self._ended = _answer(ended)
        self.asked: list[tuple[str, Any]] = []

    def post(self, path: str, document: Any = None) -> dict[str, Any]:
        self.asked.append((path, document))
        return {**self._ended, "is_running": True}

    def get(self, path: str) -> dict[str, Any]:
        self.asked.append((path, None))
        return self._ended


def _answer(run: Rehearsal) -> dict[str, Any]:
    return dict(json.loads(msgspec.json.encode(present_rehearsal(run, run.finished_at or 0))))


def mcr(monkeypatch: pytest.MonkeyPatch, ended: Rehearsal, *arguments: str) -> tuple[int, str, AnsweringApi]:
    monkeypatch.setattr(module, "_LOOK_EVERY_S", 0)
    api = AnsweringApi(ended)
    done = CliRunner().invoke(rehearse, ["lineup", *arguments], obj=api)
    return done.exit_code, done.output, api


def test_the_options_are_the_plan_and_the_table_says_which_latency_held(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("--profile", "g1050-d", "--rehearsal", "--latency", "160", "--latency", "320", "--minutes", "0.5")
    status, output, api = mcr(monkeypatch, stored_rehearsal(), *arguments)

    (path, document), (followed, _) = api.asked
    assert (path, followed) == ("/api/rehearsals", "/api/rehearsals/20260131-081500-abcd")
    assert document["stream"] == "lineup"
    assert (document["latencies_ms"], document["duration_s"], document["output_gap_max_ms"]) == ([160, 320], 30, 40)
    assert (document["impairment"]["profile"], document["impairment"]["event_speed"]) == ("g1050-d", 15)
    lines = output.splitlines()
    assert [line.split()[0] for line in lines[2:6]] == ["80", "160", "320", "480"]
    assert ["FAILED" in lines[2], "UNCLEAR" in lines[3], "HELD" in lines[4]] == [True, True, True]
    assert lines[-1].startswith("320 ms is the lowest latency that held")
    assert status == 0


def test_the_table_as_csv_has_a_row_for_each_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    status, output, _ = mcr(monkeypatch, stored_rehearsal(), "--csv")

    rows = list(csv.DictReader(io.StringIO(output)))
    assert [(row["latency_ms"], row["verdict_text"]) for row in rows] == [
        ("80", "FAILED"),
        ("160", "UNCLEAR"),
        ("320", "HELD"),
        ("480", "HELD"),
    ]
    assert status == 0


def test_the_answer_as_json_is_that_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    _, output, _ = mcr(monkeypatch, stored_rehearsal(), "--json")
    assert json.loads(output)["lowest_held_ms"] == 320


def test_the_exit_status_says_that_none_held_or_nothing_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    none_held = msgspec.structs.replace(stored_rehearsal(), attempts=NONE_HELD)
    failed = msgspec.structs.replace(none_held, state=RehearsalState.FAILED, problem="Nothing arrived within 20 s.")

    assert mcr(monkeypatch, none_held)[0] == 2
    status, output, _ = mcr(monkeypatch, failed)
    assert status == 3
    assert output.splitlines()[-1] == "Nothing arrived within 20 s."
