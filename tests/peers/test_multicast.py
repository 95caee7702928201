"""Live multicast in network namespaces: which datagrams are taken, and that they reach an SRT receiver untouched."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.spec import MulticastSource
from app.domain.status import Reason
from app.protocol import Ended, Notice, Sample, Stop
from tests.instruments.child import Child
from tests.instruments.multicast_house import GROUP, OTHER_SENDER, PORT, SECOND_CABLE_SENDER, SENDER, House
from tests.instruments.receivers import Receiver
from tests.instruments.sample import make_sample
from tests.instruments.ts_reader import read_ts
from tests.instruments.waiting import stays, wait_for
from tests.instruments.worker import RunningWorker

SOME_BYTES = 1_500_000


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Two namespaces with two cables, shared by this file's tests."""
    with House() as made:
        yield made


def group(interface: str = "first", **fields: Any) -> MulticastSource:
    """Return the channel's source."""
    return MulticastSource(GROUP, PORT, interface=interface, **fields)


def hears_nothing(worker: RunningWorker) -> bool:
    """Whether no datagram of a group came to the worker so far."""
    return not any(sample.input.bytes_total for sample in worker.link.heard(Sample))


def received(receiver: Receiver) -> bytes:
    """Return all bytes that the receiver has; the SRT link has lost none."""
    figures = receiver.finish()
    assert figures.packets_dropped == 0
    return receiver.payload.read_bytes()


def test_a_channel_is_received_on_the_chosen_interface_and_on_no_other(house: House, sample: Path) -> None:
    with (
        house.worker(group("first"), port=10001) as right,
        house.worker(group("second"), port=10002) as wrong,
        house.channel(sample),
    ):
        right.wait_for_sample(lambda seen: seen.input.bytes_total > SOME_BYTES)
        assert hears_nothing(wrong)
        with house.channel(sample, sender=SECOND_CABLE_SENDER):
            wrong.wait_for_sample(lambda seen: seen.input.bytes_total > 0)


def test_without_a_chosen_interface_the_route_decides(house: House, sample: Path) -> None:
    with house.worker(group("auto")) as worker:
        wait_for(lambda: GROUP in house.host.groups()["first"], deadline_s=10, what="membership on the first card")
        assert GROUP not in house.host.groups()["second"]
        with house.channel(sample):
            worker.wait_for_sample(lambda seen: seen.input.bytes_total > 0)


def test_of_two_senders_to_one_group_the_chosen_one_is_received(house: House, sample: Path, tmp_path: Path) -> None:
    other = make_sample(tmp_path / "other.ts", seconds=8, bitrate_bps=6_000_000)
    with (
        house.worker(group(source_ip=SENDER), port=10001) as one,
        house.worker(group(source_ip=OTHER_SENDER), port=10002) as two,
        Receiver.calling(10001, within=house.host.enter) as of_one,
        Receiver.calling(10002, within=house.host.enter) as of_two,
        house.channel(sample),
        house.channel(other, sender=OTHER_SENDER, bitrate_bps=6_000_000),
    ):
        of_one.wait_for_bytes(SOME_BYTES)
        of_two.wait_for_bytes(SOME_BYTES)
        assert received(of_one) in sample.read_bytes()
        assert received(of_two) in other.read_bytes()
        for worker in (one, two):
            assert worker.wait_for_sample(lambda seen: True).input.continuity_errors_total == 0


@pytest.mark.parametrize("source", [group(), group(source_ip=SENDER), group("auto")], ids=["any", "specific", "auto"])
def test_a_stop_leaves_the_group(house: House, source: MulticastSource) -> None:
    with house.worker(source) as worker:
        wait_for(lambda: GROUP in house.host.groups()["first"], deadline_s=10, what="membership")
        worker.link.say(Stop())
        assert worker.wait_for_end().reason is None
        assert GROUP not in house.host.groups()["first"]


@pytest.mark.parametrize("protocol", ["udp", "rtp"])
def test_a_channel_arrives_bit_exact_at_an_srt_receiver(house: House, sample: Path, protocol: str) -> None:
    with (
        house.worker(group(protocol=protocol)) as worker,
        Receiver.calling(10001, within=house.host.enter) as receiver,
    ):
        worker.link.wait_for(Sample, lambda seen: seen.peers)
        with house.channel(sample, protocol=protocol) as channel:
            receiver.wait_for_bytes(3_000_000)
            assert channel.sent() * 1316 > 3_000_000
        came = received(receiver)
        assert came in sample.read_bytes()
        assert read_ts(came).continuity_errors() == 0
        source = worker.wait_for_sample(lambda seen: True).input
        assert (source.continuity_errors_total, source.rtp_gaps_total) == (0, 0)


def test_one_group_feeds_two_streams_at_once(house: House, sample: Path) -> None:
    with (
        house.worker(group(), port=10001),
        house.worker(group(), port=10002),
        Receiver.calling(10001, within=house.host.enter) as one,
        Receiver.calling(10002, within=house.host.enter) as two,
        house.channel(sample),
    ):
        one.wait_for_bytes(SOME_BYTES)
        two.wait_for_bytes(SOME_BYTES)
        assert received(one) in sample.read_bytes()
        assert received(two) in sample.read_bytes()


def test_missing_rtp_packets_are_counted_and_the_rest_goes_on(house: House, sample: Path) -> None:
    with (
        house.worker(group(protocol="rtp")) as worker,
        Receiver.calling(10001, within=house.host.enter) as receiver,
        house.channel(sample, protocol="rtp") as channel,
    ):
        receiver.wait_for_bytes(500_000)
        for lost in (70, 1):
            channel.lose(lost)
        worker.wait_for_sample(lambda seen: seen.input.rtp_gaps_total == 71)
        # The first datagram after the hole may hold null packets only: errors show with the next packet of each PID.
        worker.wait_for_sample(lambda seen: seen.input.continuity_errors_total > 0)
        receiver.wait_for_bytes(receiver.figures().bytes + SOME_BYTES)
        assert worker.wait_for_sample(lambda seen: True).input.rtp_gaps_total == 71


def test_fifty_megabits_a_second_pass_without_loss(house: House, tmp_path: Path) -> None:
    path = make_sample(tmp_path / "large.ts", seconds=6, bitrate_bps=50_000_000)
    with (
        house.worker(group()) as worker,
        Receiver.calling(10001, within=house.host.enter, latency_ms=500) as receiver,
    ):
        worker.link.wait_for(Sample, lambda seen: seen.peers)
        with house.channel(path, bitrate_bps=50_000_000):
            receiver.wait_for_bytes(28_000_000, deadline_s=20)
        came = received(receiver)
        assert came in path.read_bytes()
        assert worker.wait_for_sample(lambda seen: True).input.continuity_errors_total == 0


def test_a_group_that_another_program_holds_alone_is_named(house: House) -> None:
    alone = f"import socket, sys; s = socket.socket(2, 2); s.bind(('{GROUP}', {PORT})); print(1, flush=True); input()"
    with Child([*house.host.enter, sys.executable, "-c", alone], first_line=b"") as holder:
        wait_for(holder.output, deadline_s=10, what="a program that holds the group's port")
        with house.worker(group()) as worker:
            end = worker.wait_for_end()
    assert end.reason is Reason.ENGINE_ERROR
    assert f"{GROUP}:{PORT}" in end.detail


def test_an_interface_that_is_not_there_is_the_reason(house: House) -> None:
    with house.worker(group("third")) as worker:
        end = worker.wait_for_end()
    assert end.reason is Reason.INTERFACE_MISSING
    assert "third" in end.detail


def test_without_a_route_auto_says_to_choose_an_interface(house: House) -> None:
    house.host.run("ip", "route", "del", "224.0.0.0/4")
    try:
        with house.worker(group("auto")) as worker:
            end = worker.wait_for_end()
    finally:
        house.host.run("ip", "route", "add", "224.0.0.0/4", "dev", "first")
    assert end.reason is Reason.INTERFACE_MISSING
    assert "choose an interface" in end.detail


_ASK_FOR_MORE = (
    "import os, app.worker.worker as worker, app.sources.multicast_socket as source\n"
    "source.RECEIVE_BUFFER_BYTES = 2**28\n"
    "os._exit(worker.main())"
)


def test_a_receive_buffer_that_was_not_granted_is_told_with_its_remedy(house: House) -> None:
    powerless = ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")
    with house.worker(group(), argv=(*powerless, sys.executable, "-c", _ASK_FOR_MORE)) as worker:
        notice = worker.link.wait_for(Notice)
    assert notice.code == "small_receive_buffer"
    assert "sysctl -w net.core.rmem_max=268435456" in notice.text


def test_with_the_power_to_do_so_the_buffer_is_taken_without_a_word(house: House) -> None:
    with house.worker(group(), argv=(sys.executable, "-c", _ASK_FOR_MORE)) as worker:
        worker.link.wait_for(Sample)
        assert not worker.link.heard(Notice)


def test_datagrams_that_are_no_transport_stream_do_not_stop_it(house: House, sample: Path, tmp_path: Path) -> None:
    noise = tmp_path / "noise.bin"
    noise.write_bytes(bytes(range(256)) * 20_000)
    with (
        house.worker(group()) as worker,
        Receiver.calling(10001, within=house.host.enter) as receiver,
        house.channel(sample),
    ):
        receiver.wait_for_bytes(500_000)
        with house.channel(noise, sender=OTHER_SENDER, bitrate_bps=1_000_000):
            worker.wait_for_sample(lambda seen: seen.input.continuity_errors_total > 20)
        errors = worker.wait_for_sample(lambda seen: True).input.continuity_errors_total
        receiver.wait_for_bytes(receiver.figures().bytes + SOME_BYTES)
        stays(lambda: not worker.link.heard(Ended), for_s=1, what="the stream")
        assert worker.wait_for_sample(lambda seen: True).input.continuity_errors_total - errors < 60
