"""A reception's history over seconds, minutes and workers."""

from __future__ import annotations

from app.domain.figures.delivery_history import DeliveryHistory
from app.domain.figures.reception import DeliveryPoint, ErrorKind, ReceivedCounters, Reception, combine


def _second(at: float, *, dropped: int = 0) -> DeliveryPoint:
    return DeliveryPoint(at=at, received=ReceivedCounters(packets_unique=10, packets_dropped=dropped))


def _filled(first: int, last: int) -> DeliveryHistory:
    history = DeliveryHistory()
    for at in range(first, last):
        history.add(_second(at, dropped=int(at == 90)))
    return history


def test_a_minute_is_summarised_when_the_next_one_begins() -> None:
    history = _filled(60, 185)
    assert [(minute.at, minute.span_s) for minute in history.minutes()] == [(119, 60), (179, 60)]
    assert [minute.received.packets_dropped for minute in history.minutes()] == [1, 0]


def test_an_hour_of_seconds_and_a_day_of_minutes_are_kept() -> None:
    history = _filled(60, 60 + 90_000)
    assert len(history.seconds()) == 3600
    assert len(history.minutes()) == 1440


def test_a_manager_that_adopts_a_worker_has_its_whole_past_and_no_second_twice() -> None:
    worker, manager = _filled(60, 200), DeliveryHistory()
    manager.recall(worker.seconds(), worker.minutes())
    manager.recall(worker.seconds(), worker.minutes())
    for at in (199, 200, 240):
        manager.add(_second(at))
    assert [point.at for point in manager.seconds()] == [*range(60, 201), 240]
    assert [minute.at for minute in manager.minutes()] == [119, 179, 200]


def test_the_account_goes_on_over_a_new_worker_and_counts_the_time_without_a_connection() -> None:
    earlier = Reception(
        since=100.0,
        second=_second(200),
        received=ReceivedCounters(packets_unique=10, packets_dropped=2),
        seconds=100,
        longest_gap_ms=700,
        longest_gap_at=150.0,
        error_seconds={ErrorKind.LOST: 1},
        last_error_at={ErrorKind.LOST: 150.0},
    )
    present = Reception(since=207.0, second=_second(210), received=ReceivedCounters(packets_unique=5), seconds=3)
    both = combine(earlier, present)
    assert (both.since, both.seconds) == (100.0, 110)
    assert both.received == ReceivedCounters(packets_unique=15, packets_dropped=2)
    assert (both.longest_gap_ms, both.longest_gap_at) == (700, 150.0)
    assert both.error_seconds == {ErrorKind.LOST: 1, ErrorKind.DISCONNECTED: 7}
    assert combine(None, present) == present
