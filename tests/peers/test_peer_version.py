"""The lowest libsrt of the far end: an older one is refused in the handshake and gets no byte."""

from __future__ import annotations

import pytest

from tests.instruments.product import Product
from tests.instruments.receivers import Receiver

ENGINES = pytest.mark.parametrize("engine", ["gstreamer", "direct"])


@ENGINES
def test_a_receiver_with_an_older_libsrt_is_refused(engine: str, product: Product) -> None:
    view = product.start(engine=engine, peer_version_lowest="9.0.0")
    with Receiver.calling(view["spec"]["endpoint"]["port"]) as receiver:
        receiver.wait_for_state("refused", "lost", deadline_s=10)
        assert receiver.figures().bytes == 0
    assert product.stream(view["key"])["peers"] == []


@ENGINES
def test_a_receiver_with_a_newer_libsrt_is_served(engine: str, product: Product) -> None:
    view = product.start(engine=engine, peer_version_lowest="1.2.0")
    with Receiver.calling(view["spec"]["endpoint"]["port"]) as receiver:
        receiver.wait_for_bytes(200_000)
        view = product.wait_for_phase(view["key"], "delivering")
    (row,) = [row for row in view["settings"] if row["name"] == "Lowest libsrt of the far end"]
    assert row["asked"] == "1.2.0"
    assert row["negotiated"] == view["peers"][0]["peer_version"]
