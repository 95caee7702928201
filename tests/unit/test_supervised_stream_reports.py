"""What one stream reports of itself: totals, rates, history, refusals, notices, and what is noted about it."""

from __future__ import annotations

import pytest

from app.domain.events import NoticeCode, PeerChange
from app.domain.spec import CallerEndpoint
from app.domain.status import Phase, Reason
from app.protocol import Ended, History, Notice, PeerEvent, Point, Ready, Report
from tests.instruments.pretended_launcher import BYTES_PER_S, Stage


@pytest.fixture
def stage() -> Stage:
    """A stream that was ordered to run, its worker launched."""
    made = Stage()
    made.order_start()
    return made


def phase(stage: Stage) -> tuple[Phase, Reason | None]:
    """Return the phase and the reason."""
    return stage.stream.status.phase, stage.stream.status.reason


def test_totals_run_on_over_the_workers_of_a_stream(stage: Stage) -> None:
    stage.come_up()
    stage.deliver(5)
    stage.end_worker(Reason.CONNECTION_LOST)
    assert stage.stream.snapshot(stage.now).totals.payload_bytes_total == 5 * BYTES_PER_S
    stage.pass_time(1.2)
    stage.come_up()
    stage.deliver(3)
    assert stage.stream.snapshot(stage.now).totals.payload_bytes_total == 8 * BYTES_PER_S


def test_the_last_sample_counts_though_it_moves_nothing(stage: Stage) -> None:
    stage.come_up()
    stage.deliver(3)
    stage.stream.stop(stage.now, "operator")
    stage.worker.say(stage.sample(peers=0, is_last=True))
    stage.pass_time(0)
    assert phase(stage) == (Phase.STOPPING, None)
    stage.end_worker(None)
    assert stage.stream.snapshot(stage.now).totals.payload_bytes_total == 3 * BYTES_PER_S


def test_rates_are_those_between_the_last_two_samples(stage: Stage) -> None:
    stage.come_up()
    stage.deliver(1)
    assert stage.stream.snapshot(stage.now).rates is None
    stage.deliver(2)
    snapshot = stage.stream.snapshot(stage.now)
    assert snapshot.rates is not None
    assert snapshot.rates.payload_mbps == pytest.approx(8.0)
    assert snapshot.peer_rates[1].payload_mbps == pytest.approx(8.0)


def test_a_connection_that_breaks_is_made_again_and_history_has_no_point_twice(stage: Stage) -> None:
    stage.come_up()
    stage.deliver(3)
    known = list(stage.stream.figures.history)
    stage.worker.say(b'{"type":"sample","poi')
    stage.pass_time(0)
    stage.worker.hang_up()
    stage.pass_time(0.3)
    assert stage.worker.connections == 2
    missed = Point(at=stage.now)
    stage.worker.say(stage.hello(), History.of([*known, missed]), Ready())
    stage.pass_time(0)
    assert list(stage.stream.figures.history) == [*known, missed]
    assert phase(stage) == (Phase.DELIVERING, None)
    assert not stage.stream.snapshot(stage.now).notices


def test_lines_that_are_not_understood_are_told_once_and_the_rest_is_heard(stage: Stage) -> None:
    stage.come_up()
    stage.worker.say(b"{}\n", b'{"type":"hologram"}\n', b"\xff\n")
    stage.deliver(3)
    assert phase(stage) == (Phase.DELIVERING, None)
    assert len(stage.stream.snapshot(stage.now).notices) == 1


def test_refused_callers_are_counted_by_address_and_reason(stage: Stage) -> None:
    stage.come_up()
    for port in range(3):
        stage.worker.say(PeerEvent(stage.now, PeerChange.REFUSED, f"192.0.2.9:{port}", Reason.WRONG_PASSPHRASE))
    stage.worker.say(PeerEvent(stage.now, PeerChange.REFUSED, "[2001:db8::9]:1", None))
    stage.pass_time(0)
    refusals = stage.stream.snapshot(stage.now).refusals
    assert [(refusal.address, refusal.reason, refusal.count) for refusal in refusals] == [
        ("[2001:db8::9]", None, 1),
        ("192.0.2.9", Reason.WRONG_PASSPHRASE, 3),
    ]


def test_a_scan_of_ten_thousand_addresses_does_not_fill_the_memory(stage: Stage) -> None:
    stage.come_up()
    for number in range(10_000):
        address = f"192.0.{number >> 8}.{number & 255}:1"
        event = PeerEvent(stage.now, PeerChange.REFUSED, address, Reason.PASSPHRASE_REQUIRED)
        stage.worker.say(event)
        if number % 100 == 99:
            stage.pass_time(0)
    assert len(stage.stream.snapshot(stage.now).refusals) == 50


def test_notices_are_shown_and_noted(stage: Stage) -> None:
    stage.come_up()
    stage.worker.say(Notice(stage.now, NoticeCode.SMALL_RECEIVE_BUFFER, "too small"))
    stage.pass_time(0)
    assert stage.stream.snapshot(stage.now).notices == ("too small",)
    assert [entry.text for entry in stage.entries if entry.kind == "notice"] == ["too small"]


def test_each_change_of_phase_is_noted_with_its_reason_and_each_order_with_its_giver(stage: Stage) -> None:
    stage.come_up()
    stage.deliver(3)
    stage.end_worker(Reason.CONNECTION_LOST)
    stage.stream.stop(stage.now, "script")
    texts = [entry.text for entry in stage.entries if entry.kind == "phase"]
    assert texts == ["waiting", "delivering", "retrying: connection lost", "stopped"]
    orders = [(entry.text, entry.actor) for entry in stage.entries if entry.kind == "order"]
    assert orders == [("start requested", "operator"), ("stop requested", "script")]
    assert [status.phase for status in stage.statuses] == [
        Phase.WAITING,
        Phase.DELIVERING,
        Phase.BACKING_OFF,
        Phase.STOPPED,
    ]


def test_the_debug_view_is_asked_for(stage: Stage) -> None:
    stage.come_up()
    stage.stream.ask_debug()
    assert stage.worker.orders() == [Report()]


def test_an_end_that_was_said_is_believed_more_than_one_left_behind(stage: Stage) -> None:
    stage.come_up()
    stage.worker.say(Ended(stage.now, Reason.PORT_IN_USE, "said"))
    stage.worker.die(Ended(stage.now, Reason.ENGINE_ERROR, "left"))
    stage.pass_time(0)
    assert phase(stage) == (Phase.BACKING_OFF, Reason.PORT_IN_USE)


def test_a_call_that_is_made_again_and_again_is_one_event_that_repeats() -> None:
    stage = Stage(endpoint=CallerEndpoint("192.0.2.10", 9000))
    stage.order_start()
    for wait_s in (1.2, 2.3, 4.5):
        stage.come_up()
        stage.end_worker(Reason.CONNECTION_TIMEOUT)
        stage.pass_time(wait_s)
    stage.come_up()
    stage.deliver(3)
    noted = [(entry.kind, entry.text) for entry in stage.entries if entry.kind != "order"]
    assert noted == [
        ("phase", "waiting"),
        ("phase", "retrying: no answer"),
        ("retry", "retrying: no answer"),
        ("retry", "retrying: no answer"),
        ("phase", "delivering"),
    ]
