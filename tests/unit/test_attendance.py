"""Missing receivers: against a learnt or a set number, since when, and the address of the one that left."""

from __future__ import annotations

from app.domain.attendance import Attendance, follow, learnt

ONE, OTHER = "203.0.113.9:4000", "203.0.113.10:4000"


def after(*moments: dict[str, float], wanted: int | None = None) -> Attendance:
    """Return the attendance after these moments, a second apart; each has the receivers and how long they are there."""
    attendance = Attendance()
    for now, connected_s in enumerate(moments):
        attendance = follow(attendance, connected_s, float(now), wanted=wanted)
    return attendance


def test_a_receiver_that_stayed_a_minute_is_expected_and_missed() -> None:
    attendance = after({ONE: 61.0}, {}, {}, {})
    assert (attendance.expected, attendance.missing, attendance.missing_since) == (1, 1, 1.0)
    assert attendance.absent == (ONE,)


def test_one_that_was_there_for_seconds_is_not_missed() -> None:
    assert after({ONE: 59.0}, {}).missing == 0


def test_it_is_well_again_as_soon_as_enough_are_there() -> None:
    attendance = after({ONE: 61.0}, {}, {OTHER: 0.5})
    assert (attendance.missing, attendance.missing_since, attendance.absent) == (0, None, ())
    assert attendance.expected == 1


def test_of_two_the_one_that_left_is_named() -> None:
    attendance = after({ONE: 80.0, OTHER: 70.0}, {OTHER: 71.0})
    assert (attendance.expected, attendance.missing, attendance.absent) == (2, 1, (ONE,))


def test_what_the_operator_set_counts_from_the_start_and_is_not_learnt_over() -> None:
    assert after({}, wanted=2).missing == 2
    assert after({ONE: 61.0}, {}, wanted=0).missing == 0


def test_the_history_of_a_worker_teaches_what_it_has_had_for_a_minute() -> None:
    assert learnt([]) == 0
    assert learnt((float(at), 2) for at in range(60)) == 0
    assert learnt((float(at), 2) for at in range(61)) == 2


def test_receivers_that_came_and_went_within_a_minute_are_not_learnt() -> None:
    counts = [(float(at), 3 if at % 50 < 40 else 1) for at in range(200)]
    assert learnt(counts) == 1
