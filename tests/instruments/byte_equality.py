"""Checks that a receive stream records exactly the bytes that a foreign sender sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.instruments.foreign_senders import FILLER, PAYLOAD_BYTES, ForeignSender, Peer
from tests.instruments.product import SAMPLE_NAME, Product
from tests.instruments.waiting import free_port

PASSPHRASE = "correct-horse-battery"
_PACKETS = 1500


def _has_recorded(view: dict[str, Any], size_bytes: int) -> bool:
    reception = view["reception"]
    return bool(reception and reception["recording"]["bytes_total"] >= size_bytes and view["peers"])


def assert_every_byte_arrives(
    product: Product, tmp_path: Path, peer: Peer, *, peer_mode: str, key_bits: int | None
) -> None:
    """Receive a file from a peer that calls or listens, and compare the recording with it."""
    sent = (product.media / SAMPLE_NAME).read_bytes()[: PAYLOAD_BYTES * _PACKETS]
    file = tmp_path / "sent.ts"
    file.write_bytes(sent)
    is_called = peer_mode == "caller"
    port = product.listener_ports[-1] if is_called else free_port()
    here = {"mode": "listener", "port": port} if is_called else {"mode": "caller", "host": "127.0.0.1", "port": port}
    name = f"bytes-{peer}-{peer_mode}-{key_bits or 0}"
    document = {"direction": "receive", "endpoint": here, "latency_ms": 500, "record": {"name": name}}
    secret: dict[str, Any] = {}
    if key_bits:
        document["encryption"] = {"key_bits": key_bits, "passphrase": PASSPHRASE}
        secret = {"passphrase": PASSPHRASE, "key_bytes": key_bits // 8}
    key = product.post("/api/streams", document).document["key"] if is_called else ""
    with ForeignSender(peer, file, port, mode=peer_mode, **secret) as sender:
        if "ffmpeg" in peer:
            sender.go()  # FFmpeg reads its input first, then opens the connection and waits for it
        if not is_called:
            key = product.post("/api/streams", document).document["key"]
        try:
            product.wait_for_stream(key, lambda view: view["peers"], deadline_s=30)
            sender.go()
            seen = product.wait_for_stream(key, lambda view: _has_recorded(view, len(sent)), deadline_s=30)
        except AssertionError as error:
            raise AssertionError(f"{error}; {peer} said {sender.complaints()}") from None
    assert [each["key_bits"] for each in seen["peers"]] == [key_bits]
    product.post(f"/api/streams/{key}/stop")
    (recorded,) = product.media.glob(f"{name}_*.ts")
    data = recorded.read_bytes()
    recorded.unlink()
    assert data[: len(sent)] == sent
    after = data[len(sent) :]
    assert after == (FILLER * (len(after) // len(FILLER) + 1))[: len(after)]
