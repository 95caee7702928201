"""The lower bound of libsrt's bandwidth cap: the input's rate, not lowered by pauses of the input."""

from __future__ import annotations

import pytest

from app.srt.rate_floor import RateFloor

HEADERS = 1360 / 1316


def followed(*rates: int) -> int:
    """Return the floor after readings a second apart; the arguments are the bytes between them."""
    floor, total, answer = RateFloor(None), 0, 0
    for second, rate in enumerate((0, *rates)):
        total += rate
        answer = floor.follow(100.0 + second, total)
    return answer


def test_a_known_rate_holds_from_the_first_reading() -> None:
    assert RateFloor(8_000_000).follow(0.0, 0) == round(1_000_000 * HEADERS)


def test_an_unknown_rate_needs_two_readings_that_agree() -> None:
    assert followed() == 0
    assert followed(1_000_000) == 0
    assert followed(1_000_000, 1_000_000) == round(1_000_000 * HEADERS)


@pytest.mark.parametrize("hole", [(0,), (500_000,), (500_000, 0, 0, 300_000), (0,) * 600])
def test_a_hole_of_any_length_does_not_lower_it(hole: tuple[int, ...]) -> None:
    steady = (1_000_000,) * 5
    assert followed(*steady, *hole) == followed(*steady)


def test_one_burst_does_not_raise_it_and_a_higher_rate_does() -> None:
    assert followed(1_000_000, 1_000_000, 1_700_000, 1_000_000) == round(1_000_000 * HEADERS)
    assert followed(1_000_000, 1_000_000, 1_700_000, 1_700_000) == round(1_700_000 * HEADERS)


def test_a_channel_that_became_smaller_is_followed_within_half_a_minute() -> None:
    assert followed(*(2_000_000,) * 10, *(1_000_000,) * 30) == round(1_000_000 * HEADERS)


def test_readings_close_together_are_not_taken_for_rates() -> None:
    floor = RateFloor(None)
    for second in range(3):
        floor.follow(float(second), second * 1_000_000)
    before = floor.follow(2.1, 2_900_000)
    assert before == round(1_000_000 * HEADERS)
    assert floor.follow(3.0, 3_000_000) == before
