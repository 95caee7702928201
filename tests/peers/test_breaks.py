"""Short breaks of a called receiver. The long version is tests/campaigns/test_breaks.py."""

from __future__ import annotations

from collections.abc import Callable

from tests.instruments.breaks import measure_returns
from tests.instruments.product import Product


def test_a_called_receiver_gets_payload_within_six_seconds_of_each_return(
    product: Product, record_property: Callable[[str, object], None]
) -> None:
    returns = measure_returns(product, "srt-live-transmit", breaks=2, away_s=3)
    record_property("seconds until payload", returns)
    assert len(returns) == 2
