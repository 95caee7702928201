"""The event log as the API and its page show it: time, stream, what happened, who; as JSON and for a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from app.domain.events import EventKind, LogEntry
from tests.web.client import Answer, Client
from tests.web.fake_manager import FakeManager

FORMULAS = ['=HYPERLINK("http://evil.example")', "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1"]


def rows_of(answer: Answer) -> Any:
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))


def test_an_event_says_when_which_stream_what_and_who(script: Client, manager: FakeManager) -> None:
    manager.log[:] = [
        LogEntry(
            at=60.0,
            first_at=0.0,
            key="lineup",
            name="Line-up",
            kind=EventKind.REFUSED,
            text="refused 192.0.2.7",
            count=3,
        )
    ]
    assert script.get("/api/events").json["events"] == [
        {
            "at": "1970-01-01T00:01:00Z",
            "first_at": None,
            "count": 3,
            "key": "lineup",
            "name": "Line-up",
            "kind": "refused",
            "text": "refused 192.0.2.7",
            "actor": "system",
        }
    ]


def test_the_csv_has_the_same_events_with_the_same_fields(script: Client) -> None:
    events = script.get("/api/events?limit=1000").json["events"]
    answer = script.get("/api/events?limit=1000&format=csv")
    rows = rows_of(answer)

    assert len(rows) > 5
    assert [{name: "" if value is None else str(value) for name, value in event.items()} for event in events] == rows
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=srt-events-")


def test_the_csv_of_one_stream_has_its_events_only(script: Client) -> None:
    rows = rows_of(script.get("/api/events?key=failed&format=csv"))

    assert rows
    assert {row["key"] for row in rows} == {"failed"}


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_name_becomes_a_formula_in_a_spreadsheet(script: Client, manager: FakeManager, formula: str) -> None:
    manager.log[:] = [LogEntry(at=1.0, key="lineup", name=formula, kind=EventKind.PHASE, text=formula, actor=formula)]
    (row,) = rows_of(script.get("/api/events?format=csv"))

    assert {row["name"], row["text"], row["actor"]} == {f"'{formula}"}


def test_commas_quotes_and_line_breaks_stay_within_their_cell(script: Client, manager: FakeManager) -> None:
    text = 'a "quoted", and\nbroken one'
    manager.log[:] = [LogEntry(at=1.0, key="lineup", name="x", kind=EventKind.NOTICE, text=text)]
    (row,) = rows_of(script.get("/api/events?format=csv"))

    assert row["text"] == text


@pytest.mark.parametrize("key", ["", "lineup"])
def test_the_page_links_to_the_csv_of_what_it_shows(browser: Client, key: str) -> None:
    page = browser.get(f"/events?key={key}" if key else "/events").get_data(as_text=True)
    narrowed = f"key={key}&amp;" if key else ""

    assert f'href="/api/events?{narrowed}limit=1000&amp;format=csv"' in page
    assert browser.get(f"/api/events?key={key}&limit=1000&format=csv").status_code == 200
