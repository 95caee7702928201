"""When the direct engine sends messages: on time, and after a pause neither in a burst nor later than needed."""

from __future__ import annotations

import random

import pytest

from app.engines.direct.feed import FILE_AHEAD_US, FILE_TURN_US
from app.engines.direct.pace import Pace

MESSAGE_US = 1_000


def played(pace: Pace, wake_us: list[int], *, ahead_us: int, count: int = 20_000) -> list[tuple[int, int, float]]:
    """Return the time of each wake-up, the number of messages sent, and the timestamp of the last one."""
    sent, steps = 0, []
    for now in wake_us:
        before, carried = sent, 0.0
        until = pace.may_go(sent * MESSAGE_US, now, ahead_us)
        while sent < count and pace.time_of(sent * MESSAGE_US) <= until:
            carried = pace.time_of(sent * MESSAGE_US)
            pace.passed(sent * MESSAGE_US)
            sent += 1
        steps.append((now, sent - before, carried))
    return steps


def every(turn_us: int, until_us: int, *, start_us: int = 0) -> list[int]:
    """Wakings at a steady distance."""
    return list(range(start_us, until_us, turn_us))


def most_in(steps: list[tuple[int, int, float]], window_us: int) -> int:
    """Return the largest number of messages in a window that begins at a wake-up."""
    return max(sum(n for at, n, _ in steps if start <= at < start + window_us) for start, _, _ in steps)


def test_messages_go_out_ahead_of_time_and_carry_their_time() -> None:
    pace = Pace(turn_us=FILE_TURN_US, lag_max_us=100_000, is_live=False)
    steps = played(pace, every(FILE_TURN_US, 1_000_000), ahead_us=FILE_AHEAD_US)
    assert {n for _, n, _ in steps[1:]} == {FILE_TURN_US // MESSAGE_US}
    assert all(0 <= carried - now <= FILE_AHEAD_US for now, n, carried in steps if n)


@pytest.mark.parametrize("pause_ms", [30, 60, 90])
@pytest.mark.parametrize(("turn_us", "ahead_us"), [(10_000, 10_000), (FILE_TURN_US, FILE_AHEAD_US)])
def test_a_short_pause_is_caught_up_with_true_times_and_without_a_burst(
    turn_us: int, ahead_us: int, pause_ms: int
) -> None:
    pace = Pace(turn_us=turn_us, lag_max_us=100_000, is_live=False)
    wake = every(turn_us, 1_000_000) + every(turn_us, 3_000_000, start_us=1_000_000 + pause_ms * 1000)
    steps = played(pace, wake, ahead_us=ahead_us)
    assert steps[-1][2] - steps[-1][0] == pytest.approx(ahead_us, abs=1_000)
    assert pace.paused_us == 0
    # A fifth faster, and what the slack of one late turn lets through.
    slack = max(40, 1.2 * turn_us / MESSAGE_US)
    assert most_in([step for step in steps if step[0] >= 1_000_000], 500_000) <= 500 * 1.2 + slack


def test_turns_that_are_all_late_send_each_packet_in_time_and_make_no_burst() -> None:
    pace, late = Pace(turn_us=FILE_TURN_US, lag_max_us=100_000, is_live=False), random.Random(3)
    wake = [at and at + late.randrange(FILE_TURN_US) for at in every(FILE_TURN_US, 10_000_000)]
    sent, overdue_us, steps = 0, list[float](), list[tuple[int, int, float]]()
    for now in wake:
        until, before = pace.may_go(sent * MESSAGE_US, now, FILE_AHEAD_US), sent
        while sent * MESSAGE_US <= until:
            overdue_us.append(now - sent * MESSAGE_US)
            sent += 1
        steps.append((now, sent - before, 0.0))
    assert pace.paused_us == 0
    assert sent * MESSAGE_US >= wake[-1]
    # By as much as a turn may be late, less the margin.
    assert max(overdue_us) <= FILE_TURN_US - (FILE_AHEAD_US - FILE_TURN_US) + MESSAGE_US
    assert most_in(steps, 500_000) <= 500 * 1.2


@pytest.mark.parametrize("is_live", [False, True])
def test_after_a_long_pause_nothing_is_sent_that_is_too_late_to_play(is_live: bool) -> None:
    pace = Pace(turn_us=10_000, lag_max_us=100_000, is_live=is_live)
    wake = every(10_000, 1_000_000) + every(10_000, 14_000_000, start_us=3_000_000)
    steps = played(pace, wake, ahead_us=0)
    assert all(now - carried <= 120_000 for now, n, carried in steps if n)
    assert most_in(steps, 500_000) <= 500 * 1.2 + 40
    behind_us = steps[-1][0] - sum(n for _, n, _ in steps) * MESSAGE_US
    assert behind_us == pytest.approx(0 if is_live else 2_000_000, abs=30_000)
