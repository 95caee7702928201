"""The event log in memory: bounded, newest first, and a repeated event has one entry with a count."""

from __future__ import annotations

import pytest

from app.domain.events import EventKind, LogEntry
from app.supervisor.budget import host_of
from app.supervisor.journal import EVENTS_KEPT, Journal


def entry(at: float, text: str, *, kind: str = "refused", key: str = "abcdef") -> LogEntry:
    return LogEntry(at=at, key=key, name="bars", kind=EventKind(kind), text=text)


def noted(journal: Journal, new: LogEntry) -> LogEntry:
    """Return the entry as the journal keeps it."""
    kept = journal.note(new)
    assert kept is not None
    return kept


def test_the_newest_event_comes_first_of_one_stream_or_of_all() -> None:
    journal = Journal()
    for at, key in ((1.0, "first"), (2.0, "second"), (3.0, "first")):
        journal.note(entry(at, f"at {at}", key=key))
    assert [event.at for event in journal.entries()] == [3.0, 2.0, 1.0]
    assert [event.at for event in journal.entries(key="first")] == [3.0, 1.0]
    assert [event.at for event in journal.entries(limit=1)] == [3.0]


def test_the_log_never_grows_beyond_its_bound() -> None:
    journal = Journal()
    for number in range(EVENTS_KEPT + 500):
        for kind in ("connected", "order"):
            journal.note(entry(float(number), f"number {number}", kind=kind, key=str(number)))
    kept = journal.entries(limit=10**6)
    assert len([event for event in kept if event.text.startswith("number")]) == EVENTS_KEPT
    assert kept[0].text == f"number {EVENTS_KEPT + 499}"


@pytest.mark.parametrize("kind", ["refused", "notice", "retry"])
def test_a_repeated_event_is_counted_with_its_first_and_last_time(kind: str) -> None:
    journal = Journal()
    journal.note(entry(10.0, "refused 192.0.2.7", kind=kind))
    journal.note(entry(20.0, "refused 192.0.2.8", kind=kind))
    last = noted(journal, entry(30.0, "refused 192.0.2.7", kind=kind))
    assert (last.count, last.first_at, last.at) == (2, 10.0, 30.0)
    assert [(event.text, event.count) for event in journal.entries()] == [
        ("refused 192.0.2.7", 2),
        ("refused 192.0.2.8", 1),
    ]


def test_the_same_words_of_another_stream_or_of_another_hour_are_another_event() -> None:
    journal = Journal()
    journal.note(entry(0.0, "refused 192.0.2.7"))
    assert noted(journal, entry(1.0, "refused 192.0.2.7", key="second")).count == 1
    assert noted(journal, entry(3601.0, "refused 192.0.2.7")).count == 1


@pytest.mark.parametrize("kind", ["order", "phase", "connected", "disconnected"])
def test_what_is_a_step_of_its_own_each_time_is_never_folded(kind: str) -> None:
    journal = Journal()
    for at in (1.0, 2.0):
        journal.note(entry(at, "delivering", kind=kind))
    assert [event.count for event in journal.entries()] == [1, 1]


def test_counting_goes_on_after_a_restart() -> None:
    journal = Journal()
    journal.note(entry(10.0, "refused 192.0.2.7"))
    earlier = [noted(journal, entry(11.0, "refused 192.0.2.7"))]
    assert noted(Journal(earlier), entry(12.0, "refused 192.0.2.7")).count == 3


def test_callers_that_flood_a_listener_take_one_line_a_minute_and_wash_nothing_away() -> None:
    journal = Journal()
    journal.note(entry(0.0, "start requested", kind="order"))
    journal.note(entry(0.0, "delivering", kind="phase", key="other"))
    stored = 0
    for number in range(1220):
        at, peer = number / 25, f"192.0.2.{number % 3}:{number}"
        stored += journal.note(entry(at, f"connected {peer}", kind="connected")) is not None
    assert stored == 20
    assert journal.close_minutes(59.0) == []
    assert journal.entries()[0].text == ("and 1,200 more connections, disconnections and refusals from 3 addresses")
    (line,) = journal.close_minutes(61.0)
    assert line.text.startswith("and 1,200 more")
    assert len(journal.entries()) == 23
    assert {event.text for event in journal.entries()} >= {"start requested", "delivering"}
    assert journal.note(entry(62.0, "connected 192.0.2.9:1", kind="connected")) is not None
    assert journal.close_minutes(200.0) == []


def test_orders_are_never_held_back() -> None:
    journal = Journal()
    assert all(journal.note(entry(float(number), f"order {number}", kind="order")) for number in range(500))


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("connected 192.0.2.7:41234", "192.0.2.7"),
        ("refused 192.0.2.7: wrong passphrase", "192.0.2.7"),
        ("disconnected [2001:db8::1]:9000", "[2001:db8::1]"),
        ("refused [2001:db8::1]: unknown reason", "[2001:db8::1]"),
    ],
)
def test_the_address_of_a_peer_event_has_no_port(text: str, host: str) -> None:
    assert host_of(text) == host
