"""What a receive stream records and forwards, byte for byte against what was sent to it."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.instruments.product import SAMPLE_NAME, Product
from tests.instruments.srt_sender import Sender
from tests.instruments.waiting import free_port, wait_for


def drained(listener: socket.socket) -> bytes:
    """Return all bytes that wait on a socket."""
    data = bytearray()
    while True:
        try:
            data += listener.recv(2048)
        except BlockingIOError:
            return bytes(data)


def test_what_is_recorded_and_forwarded_is_what_was_sent(product: Product, tmp_path: Path) -> None:
    sent = (product.media / SAMPLE_NAME).read_bytes()[: 188 * 7 * 3000]
    excerpt = tmp_path / "excerpt.ts"
    excerpt.write_bytes(sent)
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
    listener.bind(("127.0.0.1", free_port()))
    listener.setblocking(False)
    port = product.listener_ports[-1]
    document = {
        "direction": "receive",
        "endpoint": {"mode": "listener", "port": port},
        "record": {"name": "line-up"},
        "forward": {"address": "127.0.0.1", "port": listener.getsockname()[1]},
    }
    key = product.post("/api/streams", document).document["key"]
    forwarded = bytearray()

    def has_all(view: dict[str, dict[str, dict[str, int]]]) -> bool:
        forwarded.extend(drained(listener))
        recording = (view["reception"] or {}).get("recording") or {}
        return recording.get("bytes_total", 0) >= len(sent)

    with Sender(excerpt, port, bitrate_bps=16_000_000, once=True):
        seen = product.wait_for_stream(key, has_all)
    recording, forward = seen["reception"]["recording"], seen["reception"]["forward"]
    assert (recording["is_running"], recording["state"], recording["bytes_missing"]) == (True, "recording", 0)
    assert forward["datagrams_missing"] == 0

    def has_the_rest() -> bool:
        forwarded.extend(drained(listener))
        return len(forwarded) >= len(sent)

    wait_for(has_the_rest, deadline_s=10, what="the rest")
    listener.close()
    assert bytes(forwarded) == sent
    assert (product.media / recording["file"]).read_bytes() == sent
    assert recording["file"].startswith("line-up_")
