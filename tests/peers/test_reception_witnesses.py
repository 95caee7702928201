"""What a receive stream counts, against witnesses: a connection of srt-live-transmit and an independent reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.instruments.mirror import Mirror
from tests.instruments.product import SAMPLE_NAME, Product
from tests.instruments.receivers import SrtLiveTransmit
from tests.instruments.relay import Relay
from tests.instruments.srt_sender import Sender
from tests.instruments.ts_reader import read_ts
from tests.instruments.ts_surgery import packets_of, pid_of
from tests.instruments.waiting import free_port

RTT_MS = 100
LOSS_PERCENT = 5
PACKETS = 8_000  # of which a twentieth is lost
ONLY_OURS = "this host was too busy"


@pytest.mark.precise
@pytest.mark.parametrize(
    ("latency_ms", "jitter_ms", "tolerance"),
    [
        # libsrt gives a packet up when the next one is due. At one RTT a resent packet arrives at that very moment, and
        # two copies of one program differ there on the same datagrams (63 against 172 were seen). Jitter, which every
        # real path has, decides it packet by packet.
        # Such a decision is a matter of a millisecond, so this case is for a quiet machine.
        pytest.param(RTT_MS, 10, 0.2, id="one RTT and jitter", marks=pytest.mark.campaign),
        # Every resent packet is 10 ms late: as much as the interval at which a quiet path is read.
        pytest.param(RTT_MS - 10, 0, 0.05, id="a little below one RTT"),
    ],
)
def test_drops_equal_those_of_srt_live_transmit_and_continuity_errors_those_of_a_reader(
    product: Product, latency_ms: int, jitter_ms: int, tolerance: float
) -> None:
    port, twin_port = product.listener_ports[-1], free_port()
    document = {
        "direction": "receive",
        "endpoint": {"mode": "listener", "port": port},
        "latency_ms": latency_ms,
        "record": {"name": "twin"},
    }
    key = product.post("/api/streams", document).document["key"]
    with (
        SrtLiveTransmit(f":{twin_port}", latency_ms=latency_ms) as twin,
        Mirror(port, second=twin_port) as both,
        Relay(
            both.port, rtt_ms=RTT_MS, jitter_ms=jitter_ms, loss_to_listener=LOSS_PERCENT, data_only=True, seed=11
        ) as path,
        Sender(product.media / SAMPLE_NAME, path.port, bitrate_bps=8_000_000),
    ):
        product.wait_for_stream(
            key,
            lambda view: view["reception"] and view["reception"]["packets_unique"] > PACKETS,
            deadline_s=60,
        )
        product.post(f"/api/streams/{key}/stop")
        theirs = twin.stats()[-1]["recv"]
    ours = product.stream(key)["reception"]
    product.dismiss(key)
    (recorded,) = product.media.glob("twin_*.ts")
    found = read_ts(recorded.read_bytes())
    recorded.unlink()
    our_part = ours["packets_dropped"] / (ours["packets_unique"] + ours["packets_dropped"])
    their_part = theirs["packetsDropped"] / (theirs["packetsUnique"] + theirs["packetsDropped"])
    assert our_part == pytest.approx(their_part, rel=tolerance), (our_part, their_part)
    assert ours["continuity_errors"] == found.continuity_errors() > 0


@pytest.mark.precise
def test_jitter_that_keeps_the_order_costs_nothing(product: Product) -> None:
    port = product.listener_ports[-1]
    document = {"direction": "receive", "endpoint": {"mode": "listener", "port": port}, "latency_ms": 250}
    key = product.post("/api/streams", document).document["key"]
    with Relay(port, rtt_ms=50, jitter_ms=20, seed=7) as path, Sender(product.media / SAMPLE_NAME, path.port):
        product.wait_for_stream(key, lambda view: view["reception"] and view["reception"]["seconds"] >= 2)
        product.post(f"/api/streams/{key}/reset")  # the connection's first second belongs to the handshake
        seen = product.wait_for_stream(key, lambda view: view["reception"]["seconds"] == 6, deadline_s=20)
        stalls_ns = path.disturbances_ns()
    reception = seen["reception"]
    assert (reception["packets_dropped"], reception["packets_recovered"], reception["continuity_errors"]) == (0, 0, 0)
    if reception["verdict"]["severity"] == "good":
        return
    # The relay witnesses that this machine, busy with other tests, held it or the sender up meanwhile.
    assert reception["verdict"]["severity"] == "attention" or reception["longest_freeze_ms"] >= 1000
    assert ONLY_OURS in " ".join(reception["verdict"]["findings"]) or stalls_ns, reception["verdict"]


def test_a_broken_counter_without_a_lost_packet_is_the_far_ends_encoder(product: Product, tmp_path: Path) -> None:
    packets = packets_of((product.media / SAMPLE_NAME).read_bytes()[: 188 * 7 * 3000])
    video = max({pid_of(packet) for packet in packets} - {0x1FFF}, key=[pid_of(packet) for packet in packets].count)
    broken = [packet for packet in packets if pid_of(packet) == video][200::400]
    for packet in broken:
        packet[3] = packet[3] & 0xF0 | (packet[3] + 7) & 0x0F
    file = tmp_path / "broken.ts"
    file.write_bytes(b"".join(packets))
    port = product.listener_ports[-1]
    document = {"direction": "receive", "endpoint": {"mode": "listener", "port": port}, "latency_ms": 500}
    key = product.post("/api/streams", document).document["key"]
    with Sender(file, port):
        seen = product.wait_for_stream(
            key, lambda view: view["reception"] and view["reception"]["continuity_errors"] > 3, deadline_s=30
        )
    reception = seen["reception"]
    assert reception["packets_dropped"] == 0
    assert reception["verdict"]["severity"] == "fault"
    assert "the far end's encoder, not the network" in reception["verdict"]["text"]
    assert set(reception["error_seconds"]) & {"continuity_network", "lost"} == set()
