"""Real receivers get the file's packets, from our listener and as listeners that we call."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.instruments.durations import seconds
from tests.instruments.engines import daily_on_direct, daily_on_gstreamer, on_both_engines
from tests.instruments.product import Product
from tests.instruments.receivers import Ffmpeg, ProgramReceiver, Receiver, SrtLiveTransmit
from tests.instruments.sample import make_sample
from tests.instruments.ts_reader import read_ts
from tests.instruments.waiting import free_port, wait_for

_TS_BYTES = 188


def whole_packets(path: Path) -> bytes:
    """Return the received packets without the incomplete packet that a killed program left."""
    data = path.read_bytes()
    return data[: len(data) // _TS_BYTES * _TS_BYTES]


def without_nulls(stream: bytes) -> list[bytes]:
    """Return the packets without null packets."""
    packets = (stream[at : at + _TS_BYTES] for at in range(0, len(stream), _TS_BYTES))
    return [packet for packet in packets if packet[1:3] != b"\x1f\xff"]


@on_both_engines
def test_every_kind_of_caller_gets_every_packet_of_the_file(engine: str, product: Product, sample: Path) -> None:
    view = product.start(engine=engine)
    port = view["spec"]["endpoint"]["port"]
    with (
        Receiver.calling(port) as own,
        SrtLiveTransmit(f"127.0.0.1:{port}") as slt,
        Ffmpeg(f"127.0.0.1:{port}") as ffmpeg,
    ):
        slt.wait_for_bytes(3_000_000)
        ffmpeg.wait_for_bytes(3_000_000)
        figures = own.finish()
        assert figures.bytes > 2_000_000
        assert figures.packets_dropped == figures.packets_undecrypted == 0
        file = sample.read_bytes()
        for receiver in (own, slt, ffmpeg):
            received = whole_packets(receiver.payload)
            assert received in file
            assert read_ts(received).continuity_errors() == 0


@daily_on_gstreamer
@pytest.mark.parametrize("kind", ["own", "srt-live-transmit", "ffmpeg"])
def test_every_kind_of_listener_gets_every_packet_of_the_file(
    engine: str, kind: str, product: Product, sample: Path
) -> None:
    port = free_port()
    receiver: Receiver | ProgramReceiver
    if kind == "own":
        receiver = Receiver.listening(port)
    elif kind == "ffmpeg":
        receiver = Ffmpeg(f"127.0.0.1:{port}", mode="listener")
    else:
        receiver = SrtLiveTransmit(f":{port}")
    with receiver:
        wait_for(lambda: _is_bound(port), deadline_s=10, what=f"{kind} listening on {port}")
        view = product.start(engine=engine, endpoint={"mode": "caller", "host": "127.0.0.1", "port": port})
        product.wait_for_phase(view["key"], "delivering")
        receiver.wait_for_bytes(2_000_000)
        view = product.stream(view["key"])
        assert view["phase"] == "delivering"
        # One second of a busy machine; test_figures compares the totals with the wire to 0.5 %.
        assert view["payload_mbps"] == pytest.approx(8, rel=0.3)
        assert whole_packets(receiver.payload) in sample.read_bytes()


@on_both_engines
def test_two_receivers_are_two_peers_each_with_its_own_latency(engine: str, product: Product) -> None:
    view = product.start(engine=engine, latency_ms=200)
    port = view["spec"]["endpoint"]["port"]
    with Receiver.calling(port, latency_ms=120) as quick, Receiver.calling(port, latency_ms=500) as slow:
        view = product.wait_for_stream(
            view["key"], lambda seen: len(seen["peers"]) == 2 and all(peer["payload_mbps"] for peer in seen["peers"])
        )
        assert sorted(peer["negotiated_latency_ms"] for peer in view["peers"]) == [200, 500]
        assert quick.wait_for_bytes(1_000_000).latency_ms == 200
        assert slow.wait_for_bytes(1_000_000).latency_ms == 500
        for peer in view["peers"]:
            assert peer["payload_mbps"] == pytest.approx(8, rel=0.3)
        slow.finish()
        view = product.wait_for_stream(view["key"], lambda seen: len(seen["peers"]) == 1)
        assert view["peers"][0]["negotiated_latency_ms"] == 200
        assert view["phase"] == "delivering"


@daily_on_direct
def test_a_loop_goes_on_with_no_error_but_at_its_seam(engine: str, product: Product, tmp_path: Path) -> None:
    lap_s = 5
    lap = make_sample(tmp_path / "lap.ts", seconds=lap_s)
    (product.media / "lap.ts").write_bytes(lap.read_bytes())
    watched_s = seconds(13, long=60)
    # A worker that waits for the processor for less than half of this catches up.
    view = product.start(engine=engine, latency_ms=1000, source={"kind": "file", "path": "lap.ts", "loop": True})
    with Receiver.calling(view["spec"]["endpoint"]["port"]) as receiver:
        receiver.wait_for_seconds(watched_s)
        figures = receiver.finish()
        report = read_ts(whole_packets(receiver.payload))
    seams = watched_s // lap_s + 1
    assert report.sync_errors == 0
    assert all(len(pid.continuity_errors) <= seams for pid in report.pids.values())
    assert figures.packets_dropped == 0
    # Not faster and not slower than the file, seams included.
    played = figures.seconds[2:watched_s]  # the first packet comes after the latency
    assert sum(played) * 8 == pytest.approx(8e6 * len(played), rel=0.05)


@on_both_engines
def test_a_file_that_plays_once_arrives_to_its_last_packet(engine: str, product: Product, tmp_path: Path) -> None:
    once = make_sample(tmp_path / "once.ts", seconds=4)
    (product.media / "once.ts").write_bytes(once.read_bytes())
    port = free_port()
    with Receiver.listening(port) as receiver:
        view = product.start(
            engine=engine,
            endpoint={"mode": "caller", "host": "127.0.0.1", "port": port},
            source={"kind": "file", "path": "once.ts", "loop": False},
        )
        receiver.wait_for_state("lost", deadline_s=15)
        received = whole_packets(receiver.payload)
    # tsparse fills the last SRT packets up with null packets.
    assert without_nulls(received) == without_nulls(once.read_bytes())
    view = product.wait_for_phase(view["key"], "stopped")
    assert (view["order"], view["reason"]) == ("stop", "end_of_file")
    assert view["totals"]["payload_bytes"] == len(received)


def _is_bound(port: int) -> bool:
    bound = [line.split()[1] for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return any(address.endswith(f":{port:04X}") for address in bound)
