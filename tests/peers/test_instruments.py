"""The instruments agree with each other and with other people's programs, before they judge the product."""

from __future__ import annotations

import random
import shlex
import socket
import statistics
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instruments.child import Child
from tests.instruments.pcr import pcr_jitter
from tests.instruments.receivers import Ffmpeg, Receiver, SrtLiveTransmit, busiest_second
from tests.instruments.relay import Relay
from tests.instruments.sample import BITRATE_BPS
from tests.instruments.ts_reader import Follower, read_ts
from tests.instruments.waiting import free_port
from tests.instruments.wire import Packet, Wire, bits_by_second

_RETRANSMITTED = 1 << 26


def plain_sender(sample: Path, uri: str) -> Child:
    """GStreamer's own sender, without the product."""
    return Child(
        shlex.split(
            f"gst-launch-1.0 -q filesrc location={sample} ! tsparse set-timestamps=true alignment=7 ! "
            f"srtsink wait-for-connection=false uri={uri}"
        )
    )


@pytest.fixture
def port(sample: Path) -> Iterator[int]:
    """A listener of GStreamer that sends the sample with a latency of 200 ms and DSCP 34."""
    port = free_port()
    with plain_sender(sample, f"srt://127.0.0.1:{port}?mode=listener&latency=200&iptos=136"):
        yield port


def send_through(relay: Relay, echo: socket.socket, *, packets: int) -> list[int]:
    """Send numbered SRT data packets to the relay, every tenth a retransmission; the numbers that came out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(packets):
            second = _RETRANSMITTED if number % 10 == 0 else 0
            sender.sendto(struct.pack(">IIIIQ", number, second, 0, 0, time.time_ns()), ("127.0.0.1", relay.port))
            if number % 20 == 19:
                time.sleep(0.001)  # stay below what a socket buffer holds
    came = []
    echo.settimeout(1)
    try:
        while True:
            came.append(int.from_bytes(echo.recv(2048)[:4], "big"))
    except TimeoutError:
        return came


@pytest.fixture
def echo() -> Iterator[socket.socket]:
    """A bound UDP socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        made.bind(("127.0.0.1", 0))
        yield made


def test_the_relay_loses_what_it_says_and_the_same_again_with_the_same_seed(echo: socket.socket) -> None:
    patterns = []
    for seed in (7, 7, 8):
        with Relay(echo.getsockname()[1], loss_to_listener=5, seed=seed) as relay:
            came = send_through(relay, echo, packets=4000)
            counts = relay.counts()["to_listener"]
        assert (counts.first, counts.again, counts.control) == (3600, 400, 0)
        assert counts.dropped_first + counts.dropped_again == 4000 - len(came)
        assert counts.dropped_percent() == pytest.approx(5, abs=1.1)
        patterns.append(came)
    assert patterns[0] == patterns[1] != patterns[2]


@pytest.mark.precise
def test_the_relay_delays_by_half_the_round_trip_and_keeps_the_order(echo: socket.socket) -> None:
    port = echo.getsockname()[1]
    with Relay(port, rtt_ms=100) as relay, Wire(port, with_payload=True) as wire:
        came = send_through(relay, echo, packets=500)
        packets = wire.packets()
    assert came == list(range(500))
    delays_ms = [(packet.at_ns - int.from_bytes(packet.payload(), "big")) / 1e6 for packet in packets]
    assert len(delays_ms) == 500
    assert min(delays_ms) >= 50
    assert statistics.median(delays_ms) == pytest.approx(50, abs=2)


def test_a_lossy_path_looks_the_same_to_the_relay_the_receiver_and_the_wire(port: int) -> None:
    with Wire(port) as wire, Relay(port, loss_to_caller=5, rtt_ms=40, seed=4) as relay:
        with Receiver.calling(relay.port, latency_ms=200) as receiver:
            receiver.wait_for_seconds(6)
            figures = receiver.finish()
        counts = relay.counts()["to_caller"]
        sent = [packet for packet in wire.packets() if packet.source_port == port and packet.is_data()]
    assert figures.state == "closed"
    assert figures.latency_ms == 200
    assert figures.rtt_ms == pytest.approx(40, abs=5)
    assert figures.packets_dropped == 0
    assert counts.dropped_percent() == pytest.approx(5, abs=1.5)
    # What still was on its way when the receiver left is the difference.
    assert counts.first + counts.again == pytest.approx(len(sent), abs=40)
    assert figures.packets_received == pytest.approx(
        counts.first + counts.again - counts.dropped_first - counts.dropped_again, abs=60
    )
    assert figures.packets_lost == pytest.approx(counts.dropped_first, abs=20)


def test_all_receivers_get_the_bytes_of_the_file(port: int, sample: Path) -> None:
    with (
        Receiver.calling(port) as own,
        SrtLiveTransmit(f"127.0.0.1:{port}") as slt,
        Ffmpeg(f"127.0.0.1:{port}") as ffmpeg,
    ):
        for receiver in (own, slt, ffmpeg):
            receiver.wait_for_bytes(1_000_000)
        own.finish()
        assert slt.stats()[-1]["recv"]["bytes"] > 1_000_000
        whole = sample.read_bytes()
        for receiver in (own, slt, ffmpeg):
            payload = receiver.payload.read_bytes()
            assert payload[: len(payload) // 188 * 188] in whole


def test_the_wire_shows_rate_and_marking_of_what_is_sent(port: int) -> None:
    with Wire(port, with_payload=True) as wire, Receiver.calling(port, latency_ms=200) as receiver:
        receiver.wait_for_seconds(4)
        receiver.finish()
        packets = [packet for packet in wire.packets() if packet.source_port == port]
        arrivals = receiver.arrivals()
    assert {packet.dscp() for packet in packets} == {34}
    # 44 bytes of headers on 1316, and the control packets.
    assert bits_by_second(packets)[1] == pytest.approx(BITRATE_BPS * 1360 / 1316, rel=0.02)
    assert busiest_second(arrivals) * 8 == pytest.approx(BITRATE_BPS, rel=0.1)
    jitter = pcr_jitter(packets, bitrate_bps=BITRATE_BPS)
    assert jitter.count > 150
    assert 0 < jitter.median_us <= jitter.p99_us <= jitter.worst_us


@pytest.mark.precise
@pytest.mark.parametrize("late_us", [0, 400])
def test_the_jitter_is_that_of_the_origin_times(late_us: int, sample: Path) -> None:
    """A sender that is on time has none; one that is late by 0 to 400 µs is in the median 100 µs off its middle."""
    file, packets, chance = sample.read_bytes()[: 1316 * 4000], [], random.Random(5)
    for number in range(4000):
        stamp_us = round(number * 1316 * 8e6 / BITRATE_BPS) + chance.randint(0, late_us)
        datagram = struct.pack(">IIII", number, 0, stamp_us, 0) + file[number * 1316 : (number + 1) * 1316]
        packets.append(Packet(0, 0, 1, 2, 28 + len(datagram), datagram))
    assert pcr_jitter(packets, bitrate_bps=BITRATE_BPS).median_us == pytest.approx(late_us / 4, abs=25)


@pytest.mark.parametrize("kind", ["own", "srt-live-transmit", "ffmpeg"])
def test_all_receivers_listen_as_well(kind: str, sample: Path) -> None:
    port = free_port()
    receiver: Receiver | SrtLiveTransmit | Ffmpeg
    if kind == "own":
        receiver = Receiver.listening(port)
    elif kind == "ffmpeg":
        receiver = Ffmpeg(f"127.0.0.1:{port}", mode="listener")
    else:
        receiver = SrtLiveTransmit(f":{port}")
    with receiver, plain_sender(sample, f"srt://127.0.0.1:{port}?mode=caller"):
        receiver.wait_for_bytes(500_000)


def test_a_receiver_says_why_it_was_refused() -> None:
    with Receiver.calling(free_port(), connect_ms=500) as receiver:
        assert receiver.wait_for_state("refused").error


def test_a_receiver_that_follows_finds_the_errors_that_reading_the_whole_finds(sample: Path, tmp_path: Path) -> None:
    data, damaged, port = sample.read_bytes(), tmp_path / "damaged.ts", free_port()
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    damaged.write_bytes(b"".join(packet for number, packet in enumerate(packets) if number % 97))
    with (
        plain_sender(damaged, f"srt://127.0.0.1:{port}?mode=listener&latency=200"),
        Receiver.calling(port, latency_ms=500) as keeping,
        Receiver.following(port, latency_ms=500) as following,
    ):
        keeping.wait_for_bytes(4_000_000)
        found = following.wait_for_bytes(4_000_000)
        assert (found.continuity_errors > 10, found.gaps, found.sync_errors) == (True, 0, 0)
        keeping.finish()
        whole, follower = keeping.payload.read_bytes(), Follower()
        for at in range(0, len(whole), 1316):
            follower.take(whole[at : at + 1316])
        report = read_ts(whole)
        assert follower.errors() == (report.continuity_errors(), report.sync_errors)


def test_a_receiver_that_follows_counts_the_messages_that_never_came(port: int) -> None:
    with (
        Relay(port, loss_to_caller=20, rtt_ms=150, seed=5) as relay,
        Receiver.following(relay.port, latency_ms=20) as receiver,
    ):
        receiver.wait_for_bytes(2_000_000)
        seen = receiver.figures()
        assert seen.gaps > 0
        assert seen.seconds == []
