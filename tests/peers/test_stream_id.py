"""The stream ID of a call arrives at the receiver as it was typed, with every character that has a meaning in a URI."""

from __future__ import annotations

import pytest

from tests.instruments.engines import on_both_engines
from tests.instruments.product import Product
from tests.instruments.receivers import Receiver
from tests.instruments.waiting import free_port


@on_both_engines
@pytest.mark.parametrize("stream_id", ["#!::r=live/main,m=publish", "50 % + å & mode=listener?x#y"])
def test_a_caller_sends_its_stream_id(engine: str, stream_id: str, product: Product) -> None:
    port = free_port()
    endpoint = {"mode": "caller", "host": "127.0.0.1", "port": port}
    with Receiver.listening(port) as receiver:
        view = product.start(engine=engine, endpoint=endpoint, stream_id=stream_id)
        receiver.wait_for_bytes(100_000)
        assert receiver.finish().stream_id == stream_id
    (row,) = [row for row in view["settings"] if row["name"] == "Stream ID"]
    assert row["asked"] == stream_id


def test_a_call_without_a_stream_id_sends_none(product: Product) -> None:
    port = free_port()
    with Receiver.listening(port) as receiver:
        view = product.start(endpoint={"mode": "caller", "host": "127.0.0.1", "port": port})
        receiver.wait_for_bytes(100_000)
        assert receiver.finish().stream_id == ""
    assert "Stream ID" not in [row["name"] for row in view["settings"]]
