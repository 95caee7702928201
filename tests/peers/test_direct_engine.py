"""The direct engine on the wire: what arrives, when, and who was let in. Delivery is judged by receivers of others."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.events import PeerChange
from app.domain.secret import Secret
from app.domain.spec import Encryption, FileSource
from app.domain.status import Reason
from app.protocol import Notice, PeerEvent, Sample
from tests.instruments import calls
from tests.instruments.pcr import pcr_jitter
from tests.instruments.processes import sleeps_of
from tests.instruments.product import Product, View
from tests.instruments.receivers import Receiver, busiest_second
from tests.instruments.specs import listener_port
from tests.instruments.ts_maker import Programme, Recipe, make_ts
from tests.instruments.ts_reader import read_ts
from tests.instruments.waiting import free_port, wait_for
from tests.instruments.wire import Wire
from tests.instruments.worker import RunningWorker, job_for

RATE = 3_000_000
MUX = Recipe(seconds=2, bitrate_bps=RATE, programmes=[Programme(video_kbps=900), Programme(number=2, scrambled=True)])
OnAir = Callable[..., RunningWorker]


@pytest.fixture
def on_air(tmp_path: Path, request: pytest.FixtureRequest) -> OnAir:
    """Starts a listener of the direct engine with these bytes as its file."""

    def start(data: bytes, *, loop: bool = True, **spec: object) -> RunningWorker:
        path = tmp_path / "made.ts"
        path.write_bytes(data)
        job = job_for(FileSource("made.ts", loop), port=free_port(), file_path=path, engine="direct", **spec)
        worker = RunningWorker(job)
        request.addfinalizer(worker.close)
        worker.link.wait_for(Sample)
        return worker

    return start


def port_of(worker: RunningWorker) -> int:
    """Return the listener's port."""
    return listener_port(worker.job.spec)


def test_a_multiplex_with_a_scrambled_programme_arrives_whole_and_loops_without_an_error(on_air: OnAir) -> None:
    worker = on_air(make_ts(MUX))
    with Receiver.calling(port_of(worker)) as receiver:
        receiver.wait_for_bytes(2 * len(make_ts(MUX)), deadline_s=25)
        receiver.finish()
        report = read_ts(receiver.payload.read_bytes())
    assert {0x201, 0x202} <= set(report.pids)
    assert (report.continuity_errors(), report.sync_errors) == (0, 0)


def test_a_file_that_is_scrambled_to_its_clock_loops_at_its_own_rate_without_a_seam(on_air: OnAir) -> None:
    data = make_ts(Recipe(seconds=2, bitrate_bps=RATE, programmes=[Programme(scrambled=True)]))
    worker = on_air(data)
    with Receiver.calling(port_of(worker)) as receiver:
        receiver.wait_for_seconds(5, deadline_s=15)
        assert busiest_second(receiver.arrivals()) * 8 <= 1.2 * RATE
        receiver.finish()
        report = read_ts(receiver.payload.read_bytes())
    assert (report.continuity_errors(), report.sync_errors) == (0, 0)
    clocks = {pid: found.pcr_steps_ms() for pid, found in report.pids.items() if found.pcrs}
    own = {pid: found.pcr_steps_ms() for pid, found in read_ts(data).pids.items() if found.pcrs}
    assert clocks.keys() == own.keys()
    for pid, steps in clocks.items():
        assert 0 < min(steps) <= max(steps) <= 1.01 * max(own[pid]), (max(steps), max(own[pid]))


def test_auto_chooses_this_engine_for_a_scrambled_file_and_the_page_says_why(product: Product) -> None:
    (product.media / "pay.ts").write_bytes(make_ts(MUX))
    view = product.start(source={"kind": "file", "path": "pay.ts"})

    def engine_of(seen: View) -> View:
        return next(setting for setting in seen["settings"] if setting["name"] == "Engine")

    view = product.wait_for_stream(view["key"], lambda seen: engine_of(seen)["applied"])
    assert (engine_of(view)["asked"], engine_of(view)["applied"]) == ("auto", "direct")
    assert "scrambled" in engine_of(view)["note"]
    view = product.wait_for_stream(view["key"], lambda seen: seen["input"]["packets_scrambled_total"])
    assert view["input"]["packets_discarded_total"] == 0


def test_the_times_in_srt_packets_follow_pcr_to_the_microsecond(on_air: OnAir) -> None:
    worker = on_air(make_ts(Recipe(seconds=5, bitrate_bps=RATE, pcr_ms=20)))
    with Wire(port_of(worker), with_payload=True) as wire, Receiver.calling(port_of(worker)) as receiver:
        receiver.wait_for_seconds(4, deadline_s=15)
        receiver.finish()
        packets = [packet for packet in wire.packets() if packet.source_port == port_of(worker)]
    jitter = pcr_jitter(packets, bitrate_bps=RATE)
    # A whole microsecond is the timestamp's own resolution.
    assert jitter.p99_us <= 1.0, jitter


def test_libsrt_sends_several_packets_at_one_wake_up(on_air: OnAir) -> None:
    worker = on_air(make_ts(Recipe(seconds=2, bitrate_bps=2 * RATE)))
    with Receiver.calling(port_of(worker)) as receiver:
        got = receiver.wait_for_bytes(RATE // 8).bytes
        asleep = sleeps_of(worker.child.pid, "SRT:SndQ")
        packets = (receiver.wait_for_bytes(got + RATE // 2).bytes - got) / 1316
        asleep = sleeps_of(worker.child.pid, "SRT:SndQ") - asleep
    assert 0 < asleep < 0.75 * packets, "without timer slack it sleeps before each packet"


def test_fifty_receivers_that_call_at_once_are_all_let_in(on_air: OnAir) -> None:
    worker = on_air(make_ts(Recipe(seconds=2, bitrate_bps=500_000, programmes=[Programme(video_kbps=200)])))
    answer = calls.together(port_of(worker), 50)
    assert (answer["refused"], answer["connected"]) == (0, 50)


@pytest.mark.parametrize(
    ("passphrase", "reason"),
    [("another passphrase", Reason.WRONG_PASSPHRASE), ("", Reason.PASSPHRASE_REQUIRED)],
    ids=["wrong", "none"],
)
def test_a_refused_caller_is_reported_with_address_stream_id_and_reason(
    on_air: OnAir, passphrase: str, reason: Reason
) -> None:
    worker = on_air(make_ts(MUX), encryption=Encryption(256, Secret("the right passphrase")))
    with Receiver.calling(port_of(worker), passphrase=passphrase, stream_id="studio 3") as receiver:
        receiver.wait_for_state("refused")
        event = worker.link.wait_for(PeerEvent)
    assert (event.change, event.reason, event.stream_id) == (PeerChange.REFUSED, reason, "studio 3")
    assert event.address.startswith("127.0.0.1:")


def test_an_encrypted_receiver_is_secured_and_agrees_on_the_higher_latency(on_air: OnAir) -> None:
    passphrase = "the right passphrase"
    worker = on_air(make_ts(MUX), encryption=Encryption(256, Secret(passphrase)), latency_ms=120)
    with Receiver.calling(port_of(worker), passphrase=passphrase, latency_ms=450) as receiver:
        figures = receiver.wait_for_bytes(300_000)
        (peer,) = worker.wait_for_sample(lambda seen: seen.peers and seen.peers[0].acks_total).peers
    assert (figures.latency_ms, figures.key_state, figures.key_bytes) == (450, "secured", 32)
    assert (peer.negotiated_latency_ms, peer.encryption_state, peer.key_bits) == (450, "secured", 256)


def test_a_receiver_that_stops_reading_delays_no_other(on_air: OnAir) -> None:
    worker = on_air(make_ts(MUX))
    with Receiver.calling(port_of(worker), pause_ms=200, buffer_bytes=200_000) as slow:
        slow.wait_for_bytes(1)
        with Receiver.calling(port_of(worker)) as quick:
            quick.wait_for_seconds(5, deadline_s=15)
            figures = quick.finish()
    assert min(figures.seconds[1:-1]) * 8 > 0.8 * RATE
    assert figures.packets_dropped == 0


def test_a_file_played_once_arrives_bit_by_bit_and_then_ends_well(on_air: OnAir, tmp_path: Path) -> None:
    data = make_ts(Recipe(seconds=6, bitrate_bps=RATE))
    worker = on_air(data, loop=False)
    received = tmp_path / "received.ts"
    command = ["srt-live-transmit", "-q", "-autoreconnect:no", f"srt://127.0.0.1:{port_of(worker)}", "file://con"]
    with received.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL) as receiver:
        try:
            assert worker.wait_for_end(deadline_s=25).reason is Reason.END_OF_FILE
            wait_for(lambda: received.read_bytes().endswith(data[-188 * 100 :]), deadline_s=10, what="the last packet")
        finally:
            receiver.kill()
    assert received.read_bytes() == data


def test_a_clock_that_jumps_inside_the_file_is_reported_and_makes_no_burst(on_air: OnAir) -> None:
    parts = [make_ts(Recipe(seconds=1, bitrate_bps=RATE, programmes=[Programme(start_pcr=at)])) for at in (9**9, 9)]
    worker = on_air(parts[0] + parts[1])
    with Receiver.calling(port_of(worker)) as receiver:
        notice = worker.link.wait_for(Notice)
        receiver.wait_for_seconds(4, deadline_s=15)
        assert busiest_second(receiver.arrivals()) * 8 <= 1.2 * RATE
    assert notice.code.startswith("clock_")
