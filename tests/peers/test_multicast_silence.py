"""A live channel that pauses, returns or restarts: what the stream reports and what its receivers get."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from app.domain.snapshot import Snapshot
from app.domain.spec import MulticastSource
from app.domain.status import Phase, Reason
from app.protocol import Sample
from app.supervisor.launchers.local import WORKER_COMMAND
from tests.instruments.manager import OwnManager
from tests.instruments.multicast_house import GROUP, PORT, House
from tests.instruments.receivers import Receiver
from tests.instruments.sample import make_sample
from tests.instruments.waiting import wait_for
from tests.instruments.worker import RunningWorker

BYTES_PER_S = 1_000_000
CHANNEL = MulticastSource(GROUP, PORT, interface="first")


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Two namespaces with two cables."""
    with House() as made:
        yield made


@pytest.fixture(scope="module")
def channel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of 8 Mb/s."""
    return make_sample(tmp_path_factory.mktemp("channel") / "minute.ts", seconds=60)


@pytest.fixture
def own(house: House) -> Iterator[OwnManager]:
    """A manager whose workers run in the house."""
    with OwnManager(command=[*house.host.enter, *WORKER_COMMAND]) as made:
        yield made


def is_delivering(seen: Snapshot) -> bool:
    """Whether the stream delivers."""
    return seen.status.phase is Phase.DELIVERING


@pytest.mark.parametrize("goes_on", [True, False], ids=["the channel went on meanwhile", "the channel waited"])
def test_ten_seconds_of_silence_are_told_and_overcome(
    house: House, own: OwnManager, channel_file: Path, goes_on: bool
) -> None:
    key = own.manager.start(own.spec(source=CHANNEL)).key
    with (
        Receiver.calling(own.ports[0], within=house.host.enter) as receiver,
        house.channel(channel_file) as channel,
    ):
        before = own.wait(key, is_delivering).sample
        receiver.wait_for_bytes(2 * BYTES_PER_S)
        channel.fall_silent()
        stalled = own.wait(key, lambda seen: seen.status.phase is Phase.STALLED, deadline_s=3)
        assert stalled.status.reason is Reason.NO_INPUT
        time.sleep(10 - 2)
        silent = own.manager.get(key)
        assert silent.status.phase is Phase.STALLED
        assert silent.sample is not None
        assert silent.sample.input.last_packet_age_s is not None
        assert silent.sample.input.last_packet_age_s > 7
        channel.speak_again(goes_on=goes_on)
        own.wait(key, is_delivering, deadline_s=3)
        count = receiver.figures().bytes
        receiver.wait_for_bytes(count + 3 * BYTES_PER_S)
        after = own.manager.get(key).sample
        assert before is not None
        assert after is not None
        assert [peer.id for peer in after.peers] == [peer.id for peer in before.peers]
        assert receiver.figures().state == "connected"
        assert receiver.figures().packets_dropped == 0


def test_a_stream_without_any_input_waits_for_it_and_says_so(own: OwnManager) -> None:
    key = own.manager.start(own.spec(source=CHANNEL)).key
    stalled = own.wait(key, lambda seen: seen.status.phase is Phase.STALLED, deadline_s=4)
    assert stalled.status.reason is Reason.NO_INPUT
    assert stalled.sample is not None
    assert stalled.sample.input.last_packet_age_s is None


def held_back(worker: RunningWorker) -> int:
    """Bytes that came in and have not been handed to SRT, at the next sample."""
    point = worker.wait_for_sample(lambda seen: True).point
    return point.input_bytes_total - point.payload_bytes_total


@pytest.fixture
def on_air(house: House, channel_file: Path) -> Iterator[tuple[RunningWorker, Receiver]]:
    """A worker whose receiver was there before the first datagram, so that what came in and went out compare."""
    with (
        house.worker(CHANNEL) as worker,
        Receiver.calling(10001, within=house.host.enter) as receiver,
    ):
        worker.link.wait_for(Sample, lambda seen: seen.peers)
        yield worker, receiver


def test_a_sender_that_begins_anew_with_another_clock_costs_no_growing_delay(
    house: House, on_air: tuple[RunningWorker, Receiver], channel_file: Path
) -> None:
    worker, receiver = on_air
    with house.channel(channel_file, start_at=10_000) as channel:
        receiver.wait_for_bytes(2 * BYTES_PER_S)
        usual = held_back(worker)
        for datagram in (2_000, 30_000, 500):
            channel.jump_to(datagram)
            count = receiver.figures().bytes
            receiver.wait_for_bytes(count + 2 * BYTES_PER_S, deadline_s=10)
            wait_for(
                lambda: held_back(worker) < usual + BYTES_PER_S // 10,
                deadline_s=6,
                what="no more than usual being held back",
            )
        assert receiver.figures().packets_dropped == 0


def test_a_hole_in_the_input_does_not_choke_what_comes_after_it(
    house: House, on_air: tuple[RunningWorker, Receiver], channel_file: Path
) -> None:
    worker, receiver = on_air
    with house.channel(channel_file) as channel:
        receiver.wait_for_bytes(4 * BYTES_PER_S)  # two whole seconds, by which the rate is known
        channel.fall_silent()
        time.sleep(4)
        channel.speak_again(goes_on=False)
        heard = len(worker.link.heard(Sample))
        worker.link.wait_for(Sample, after=heard + 2)
        _, second, third = worker.link.heard(Sample)[heard : heard + 3]
        # libsrt's own estimate of the input rate would hold back half a second and more, for some seconds.
        assert min(second.point.send_buffer_ms or 0, third.point.send_buffer_ms or 0) < 150
        figures = receiver.finish()
        assert figures.packets_dropped == 0
        assert receiver.payload.read_bytes() in channel_file.read_bytes()


def test_memory_does_not_grow_over_silences_and_jumps(
    house: House, on_air: tuple[RunningWorker, Receiver], channel_file: Path
) -> None:
    worker, receiver = on_air

    def resident_mb() -> float:
        return int(Path(f"/proc/{worker.child.pid}/statm").read_text().split()[1]) * 4096 / 2**20

    with house.channel(channel_file, start_at=5_000) as channel:
        receiver.wait_for_bytes(2 * BYTES_PER_S)
        seen = []
        for turn in range(6):
            channel.jump_to(1_000 * (turn + 1))
            channel.fall_silent()
            channel.speak_again(goes_on=True)
            receiver.wait_for_bytes(receiver.figures().bytes + BYTES_PER_S)
            seen.append(resident_mb())
    assert all(after - before < 8 for before, after in pairwise(seen))
    assert seen[-1] - seen[1] < 8
