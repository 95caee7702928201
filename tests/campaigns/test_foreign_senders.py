"""Every foreign sender, as caller and as listener, unencrypted and with each key: received bytes equal sent bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.instruments.byte_equality import assert_every_byte_arrives
from tests.instruments.foreign_senders import PEERS, Peer
from tests.instruments.product import Product


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("peer_mode", ["caller", "listener"])
@pytest.mark.parametrize("key_bits", [None, 128, 256])
def test_received_bytes_equal_sent_bytes(
    peer: Peer, peer_mode: str, key_bits: int | None, product: Product, tmp_path: Path
) -> None:
    assert_every_byte_arrives(product, tmp_path, peer, peer_mode=peer_mode, key_bits=key_bits)
