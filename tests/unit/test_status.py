"""A stream's status as a sequence of events: what happened, and the status afterwards."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.reasons import BACK_OFF_S, SLOW_BACK_OFF_S, back_off_s
from app.domain.status import (
    ALIVE,
    HEALED_AFTER_S,
    LEGAL_MOVES,
    NOT_RETRIABLE,
    Ended,
    Event,
    Health,
    Launched,
    Order,
    Phase,
    Ready,
    Reason,
    Sampled,
    StartOrdered,
    Status,
    StopOrdered,
    new_status,
    step,
)

FLOWING = Sampled(Health(connected=True, acknowledged=True, has_input=True))
ALONE = Sampled(Health(connected=False, acknowledged=False, has_input=True))
UNACKNOWLEDGED = Sampled(Health(connected=True, acknowledged=False, has_input=True))
DISCARDED = Sampled(Health(connected=True, acknowledged=False, has_input=True, is_input_discarded=True))
DRY = Sampled(Health(connected=True, acknowledged=True, has_input=False))
WRONG_PASSPHRASE = Ended(Reason.WRONG_PASSPHRASE)
LOST = Ended(Reason.CONNECTION_LOST)
CRASHED = Ended(Reason.WORKER_CRASHED)
START, STOP = StartOrdered(), StopOrdered()


def after(*events: Event, every_s: float = 1.0) -> Status:
    """Return the status after a history of events, one each `every_s` seconds, from an order to run at 0."""
    status = new_status(0.0)
    for number, event in enumerate(events, start=1):
        status = step(status, event, number * every_s)
    return status


@pytest.mark.parametrize(
    ("history", "phase", "reason"),
    [
        ([], Phase.STARTING, None),
        ([Launched()], Phase.STARTING, None),
        ([Launched(), Ready()], Phase.WAITING, None),
        ([Launched(), Ready(), ALONE], Phase.WAITING, None),
        ([Launched(), Ready(), FLOWING], Phase.DELIVERING, None),
        ([Launched(), FLOWING], Phase.DELIVERING, None),
        ([Launched(), Ready(), FLOWING, ALONE], Phase.WAITING, None),
        ([Launched(), Ready(), FLOWING, UNACKNOWLEDGED], Phase.STALLED, Reason.NO_ACKNOWLEDGEMENT),
        ([Launched(), Ready(), FLOWING, DISCARDED], Phase.STALLED, Reason.SCRAMBLED),
        ([Launched(), Ready(), FLOWING, DRY], Phase.STALLED, Reason.NO_INPUT),
        ([Launched(), Ready(), FLOWING, DRY, FLOWING], Phase.DELIVERING, None),
        ([Launched(), Ready(), FLOWING, DRY, ALONE], Phase.WAITING, None),
        ([Launched(), LOST], Phase.BACKING_OFF, Reason.CONNECTION_LOST),
        ([Launched(), Ready(), FLOWING, LOST, Launched()], Phase.STARTING, Reason.CONNECTION_LOST),
        ([Launched(), Ready(), FLOWING, LOST, Launched(), FLOWING], Phase.DELIVERING, None),
        ([Launched(), Ended(Reason.FILE_MISSING)], Phase.FAILED, Reason.FILE_MISSING),
        ([Launched(), Ended(Reason.FILE_MISSING), FLOWING], Phase.FAILED, Reason.FILE_MISSING),
        ([Launched(), Ended(Reason.FILE_MISSING), START], Phase.STARTING, None),
        ([Launched(), Ended(Reason.FILE_MISSING), STOP], Phase.STOPPED, None),
        ([Launched(), Ready(), FLOWING, Ended(Reason.END_OF_FILE)], Phase.STOPPED, Reason.END_OF_FILE),
        ([Launched(), STOP], Phase.STOPPING, None),
        ([Launched(), STOP, FLOWING], Phase.STOPPING, None),
        ([Launched(), STOP, CRASHED], Phase.STOPPED, None),
        ([Launched(), STOP, START], Phase.STOPPING, None),
        ([Launched(), STOP, START, LOST], Phase.STARTING, None),
        ([Launched(), LOST, STOP], Phase.STOPPED, None),
        ([Launched(), LOST, STOP, Launched()], Phase.STOPPED, None),
        ([Launched(), LOST, START], Phase.STARTING, None),
        ([Launched(), Ready(), FLOWING, Ended(Reason.END_OF_FILE), STOP], Phase.STOPPED, Reason.END_OF_FILE),
    ],
)
def test_a_history_leads_to_the_truth(history: list[Event], phase: Phase, reason: Reason | None) -> None:
    status = after(*history)
    assert (status.phase, status.reason) == (phase, reason)


def test_a_call_that_is_still_refused_keeps_saying_why_while_it_tries_again() -> None:
    for history in ([Launched()], [Launched(), Ready()], [Launched(), Ready(), ALONE]):
        assert after(Launched(), WRONG_PASSPHRASE, *history).reason is Reason.WRONG_PASSPHRASE


def test_a_file_that_ended_is_no_longer_ordered_to_run() -> None:
    assert after(Launched(), FLOWING, Ended(Reason.END_OF_FILE)).order is Order.STOP


def test_a_failed_stream_is_still_ordered_to_run() -> None:
    assert after(Launched(), Ended(Reason.NO_PCR)).order is Order.RUN


@pytest.mark.parametrize("reason", sorted(NOT_RETRIABLE))
def test_a_fault_that_time_cannot_heal_is_not_tried_again(reason: Reason) -> None:
    status = after(Launched(), Ended(reason))
    assert status.phase is Phase.FAILED
    assert status.retry_at is None


def test_retries_wait_longer_each_time_up_to_a_minute() -> None:
    waits, status, now = [], new_status(0.0), 0.0
    for _ in range(9):
        status = step(status, LOST, now)
        assert status.retry_at is not None
        waits.append(status.retry_at - now)
        now = status.retry_at
        status = step(status, Launched(), now)
    assert waits == [1, 2, 3, 3, 3, 3, 3, 3, 3]
    assert status.restarts == 9


@pytest.mark.parametrize("last", [FLOWING, UNACKNOWLEDGED, ALONE])
def test_a_far_end_that_was_there_until_now_is_called_after_a_second_however_often_it_was_away(last: Sampled) -> None:
    away: list[Event] = [Launched(), LOST] * 5
    assert after(*away, Launched(), FLOWING, last, LOST).retry_at == 14 + 1
    assert after(*away, Launched(), FLOWING, LOST, Launched(), ALONE, LOST).retry_at == 16 + 3


@pytest.mark.parametrize("reason", [Reason.WRONG_PASSPHRASE, Reason.PASSPHRASE_REQUIRED])
@given(attempts=st.integers(0, 1000), jitter=st.floats(0, 1))
def test_a_peer_that_refuses_us_is_asked_twice_a_minute_at_most(reason: Reason, attempts: int, jitter: float) -> None:
    assert 30 <= back_off_s(reason, attempts, jitter) <= 66


@given(reason=st.sampled_from(Reason), attempts=st.integers(0, 1000), jitter=st.floats(0, 1))
def test_a_retry_waits_between_one_second_and_a_minute_and_a_tenth(
    reason: Reason, attempts: int, jitter: float
) -> None:
    assert min(BACK_OFF_S) <= back_off_s(reason, attempts, jitter) <= max(SLOW_BACK_OFF_S) * 1.1


def test_a_minute_of_delivery_forgives_earlier_faults() -> None:
    ailing: list[Event] = [Launched(), LOST, Launched(), CRASHED, Launched()]
    minute = round(HEALED_AFTER_S)
    assert after(*ailing, *[FLOWING] * minute).attempts == 2
    healed = after(*ailing, *[FLOWING] * (minute + 1))
    assert (healed.attempts, healed.crashes, healed.restarts) == (0, 0, 2)


def test_a_minute_of_delivery_must_be_unbroken() -> None:
    broken = [*[FLOWING] * 50, UNACKNOWLEDGED, *[FLOWING] * 50]
    assert after(Launched(), LOST, Launched(), *broken).attempts == 1


def test_a_third_crash_in_a_row_is_not_bad_luck() -> None:
    twice: list[Event] = [Launched(), CRASHED, Launched(), Ended(Reason.ENGINE_ERROR), Launched()]
    assert after(*twice).phase is Phase.STARTING
    assert after(*twice, Ended(Reason.WORKER_HUNG)).phase is Phase.FAILED


def test_a_peer_that_flaps_all_day_is_called_again_all_day() -> None:
    flaps = [event for _ in range(500) for event in (FLOWING, LOST, Launched())]
    assert after(*flaps).phase is Phase.STARTING


def test_an_order_to_run_begins_a_new_count_of_restarts() -> None:
    assert after(Launched(), LOST, Launched(), LOST, START).restarts == 0


def test_the_time_of_a_phase_is_when_it_began() -> None:
    assert after(Launched(), Ready(), FLOWING, FLOWING, FLOWING).since == 3
    assert after(Launched(), Ready(), FLOWING, DRY, UNACKNOWLEDGED).since == 4


events = st.one_of(
    st.sampled_from([Launched(), Ready(), STOP, START]),
    st.builds(Sampled, st.builds(Health, connected=st.booleans(), acknowledged=st.booleans(), has_input=st.booleans())),
    st.builds(Ended, st.sampled_from(Reason), st.floats(0, 1)),
)


@settings(max_examples=400)
@given(st.lists(st.tuples(events, st.floats(0, 100)), max_size=60))
def test_no_history_makes_an_illegal_move_or_an_unexplained_end(history: list[tuple[Event, float]]) -> None:
    status, now = new_status(0.0), 0.0
    for event, pause_s in history:
        now += pause_s
        before, status = status, step(status, event, now)
        assert status.phase is before.phase or status.phase in LEGAL_MOVES[before.phase]
        assert (status.phase is Phase.BACKING_OFF) is (status.retry_at is not None)
        assert status.phase is not Phase.FAILED or status.reason is not None
        assert status.phase is not Phase.BACKING_OFF or status.reason is not None
        assert status.phase is not Phase.STALLED or status.reason is not None
        assert status.phase is not Phase.DELIVERING or status.reason is None
        assert status.order is Order.RUN or status.phase in (Phase.STOPPING, Phase.STOPPED)
        assert status.order is Order.STOP or status.phase is not Phase.STOPPED
        assert status.since <= now


@given(st.lists(events, max_size=40))
def test_an_order_to_stop_always_stops(history: list[Event]) -> None:
    status = step(after(*history), STOP, 100.0)
    if status.phase in ALIVE:
        status = step(status, CRASHED, 101.0)
    assert status.phase is Phase.STOPPED


@given(st.lists(events, max_size=40))
def test_an_order_to_run_always_runs(history: list[Event]) -> None:
    status = step(after(*history), START, 100.0)
    if status.phase is Phase.STOPPING:
        status = step(status, CRASHED, 101.0)
    assert status.order is Order.RUN
    assert status.phase in ALIVE - {Phase.STOPPING}
