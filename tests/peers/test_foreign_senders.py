"""Each foreign sender once: received bytes equal sent bytes. The full matrix is in the campaigns."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.instruments.byte_equality import assert_every_byte_arrives
from tests.instruments.foreign_senders import Peer
from tests.instruments.product import Product


@pytest.mark.parametrize(
    ("peer", "peer_mode", "key_bits"),
    [
        ("srt-live-transmit", "listener", 256),
        ("ffmpeg", "caller", 128),
        ("imageio-ffmpeg", "listener", 128),
        ("srtsink", "caller", 256),
    ],
)
def test_received_bytes_equal_sent_bytes(
    peer: Peer, peer_mode: str, key_bits: int, product: Product, tmp_path: Path
) -> None:
    assert_every_byte_arrives(product, tmp_path, peer, peer_mode=peer_mode, key_bits=key_bits)
