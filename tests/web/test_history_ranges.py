"""A part of a stream's past by its times: seconds of the last hour, and what is no range."""

from __future__ import annotations

import csv
import io
import time

import pytest

from app.domain.figures.summaries import Summary
from app.store.unavailable import StoreUnavailable
from tests.web.client import Client
from tests.web.fake_manager import FakeManager


def test_the_seconds_of_a_range_are_those_between_its_times(script: Client) -> None:
    end = int(time.time()) - 60
    answer = script.get(f"/api/streams/lineup/history?from={end - 100}&to={end}&step=1")
    times = [sample["at"] for sample in answer.json["samples"]]

    assert 95 <= len(times) <= 101
    assert all(end - 100 < at <= end for at in times)


def test_the_spreadsheet_of_a_range_holds_exactly_that_range(script: Client) -> None:
    end = int(time.time()) - 60
    query = f"from={end - 100}&to={end}&step=1"
    samples = script.get(f"/api/streams/lineup/history?{query}").json["samples"]
    sheet = script.get(f"/api/streams/lineup/history?{query}&format=csv").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(sheet)))

    assert [float(row["at"]) for row in rows] == [sample["at"] for sample in samples]


@pytest.mark.parametrize("query", ["from=20&to=10&step=1", "from=x&step=1", "to=-1"])
def test_what_is_no_range_is_refused(script: Client, query: str) -> None:
    assert script.get(f"/api/streams/lineup/history?{query}").status_code == 400


def test_a_history_that_cannot_be_read_is_named_and_is_no_internal_error(
    script: Client, manager: FakeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def summaries(key: str, start: float, end: float) -> list[Summary]:
        raise StoreUnavailable("disk I/O error")

    monkeypatch.setattr(manager, "summaries", summaries)
    answer = script.get("/api/streams/lineup/history?from=1")
    assert answer.status_code == 503
    assert answer.json["error"]["code"] == "store_unavailable"
    assert "disk I/O error" in answer.json["error"]["message"]
