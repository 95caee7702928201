"""A query with a parameter or value that an address does not have is refused, never ignored."""

from __future__ import annotations

import pytest

from tests.web.client import Client


@pytest.mark.parametrize(
    ("address", "field", "remedy"),
    [
        ("/api/streams/lineup/history?format=xls", "format", "json or csv"),
        ("/api/streams/lineup/history?from=1&format=xls", "format", "json or csv"),
        ("/api/streams/lineup/history?format=", "format", "json or csv"),
        ("/api/streams/lineup/history?from=1&step=10", "step", "use 1"),
        ("/api/streams/lineup/history?second=10", "second", "seconds, from, to, step and format"),
        ("/api/streams/lineup/history?seconds=10&seconds=20", "seconds", "once"),
        ("/api/streams/lineup/reception?format=CSV", "format", "json or csv"),
        ("/api/events?format=xml", "format", "json or csv"),
        ("/api/events?stream=lineup", "stream", "key, limit and format"),
        ("/api/dashboard?spark=yes", "spark", "0 or 1"),
        ("/api/line-ups/none?format=xls", "format", "json, stored, csv, pdf or junit"),
        ("/api/rehearsals/none?format=pdf", "format", "json or csv"),
        ("/api/streams?phase=failed", "phase", "no query"),
        ("/api/openapi.json?version=3", "version", "no query"),
    ],
)
def test_an_unknown_parameter_or_value_is_refused(script: Client, address: str, field: str, remedy: str) -> None:
    answer = script.get(address)

    assert answer.status_code == 400, answer.json
    assert remedy in answer.json["error"]["fields"][field]
    assert script.head(address).status_code == 400


def test_a_write_with_an_unknown_parameter_changes_nothing(script: Client) -> None:
    answer = script.delete("/api/streams/lineup?dry_run=1")

    assert answer.status_code == 400
    assert "dry_run" in answer.json["error"]["fields"]
    assert script.get("/api/streams/lineup").status_code == 200


def test_the_page_may_name_the_time_of_a_picture(script: Client) -> None:
    assert script.get("/api/streams/lineup/picture?taken=2026-03-01T12:00:00Z").status_code == 404


def test_seconds_and_a_range_exclude_each_other(script: Client) -> None:
    answer = script.get("/api/streams/lineup/history?from=1&seconds=10")

    assert answer.status_code == 400
    assert "`from`" in answer.json["error"]["fields"]["seconds"]


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("/?view=wal", "use wall"),
        ("/caller?source_kind=tape", "multicast"),
        ("/caller?key_bits=512", "use 0, 128, 256"),
        ("/caller?mode=rendezvous", "use listener, caller"),
        ("/receive?mode=rendezvous", "use listener, caller"),
        ("/receive?key_bits=512", "use 0, 128, 256"),
    ],
)
def test_a_page_that_would_show_something_else_is_refused(browser: Client, address: str, remedy: str) -> None:
    answer = browser.get(address)

    assert answer.status_code == 400
    assert remedy in answer.get_data(as_text=True)
