"""Breaks of a called receiver: one of 200 s, and ten of 3 s with each kind of receiver; half without a goodbye."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.instruments.breaks import PROGRAMS, Program, measure_returns
from tests.instruments.product import Product

Record = Callable[[str, object], None]


@pytest.mark.timeout(400)
def test_a_receiver_that_was_away_for_200_seconds_gets_payload_within_six_seconds_of_its_return(
    product: Product, record_property: Record
) -> None:
    returns = measure_returns(product, "srt-live-transmit", breaks=1, away_s=200)
    record_property("seconds until payload", returns)
    assert len(returns) == 1


@pytest.mark.timeout(400)
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_receiver_gets_payload_within_six_seconds_of_each_of_ten_returns(
    program: Program, product: Product, record_property: Record
) -> None:
    returns = measure_returns(product, program, breaks=10, away_s=3)
    record_property("seconds until payload", returns)
    assert len(returns) == 10
