"""The network card of a live channel goes away and comes back: the stream says so, and recovers without an operator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.domain.spec import MulticastSource
from app.domain.status import Phase, Reason
from app.supervisor.launchers.local import WORKER_COMMAND
from tests.instruments.manager import OwnManager
from tests.instruments.multicast_house import GROUP, PORT, House
from tests.instruments.receivers import Receiver
from tests.instruments.sample import make_sample

Note = Callable[[str, object], None]  # pytest's record_property: figures for --junitxml

MBPS = 4
BYTES_PER_S = MBPS * 1_000_000 // 8


@pytest.fixture(scope="module")
def channel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes."""
    return make_sample(tmp_path_factory.mktemp("channel") / "channel.ts", seconds=120, bitrate_bps=MBPS * 1_000_000)


@pytest.fixture
def house() -> Iterator[House]:
    with House() as made:
        yield made


@pytest.fixture
def own(house: House) -> Iterator[OwnManager]:
    """A manager whose workers run in the house."""
    with OwnManager(command=[*house.host.enter, *WORKER_COMMAND]) as made:
        yield made


def test_a_card_that_is_taken_away_and_put_back_is_joined_again(
    house: House, own: OwnManager, channel_file: Path
) -> None:
    snapshot = own.manager.start(own.spec(source=MulticastSource(GROUP, PORT, interface="first")))
    with Receiver.calling(own.ports[0], within=house.host.enter) as receiver:
        with house.channel(channel_file, bitrate_bps=MBPS * 1_000_000):
            receiver.wait_for_bytes(2 * BYTES_PER_S)
        house.host.run("ip", "link", "delete", "first")
        own.wait(snapshot.key, lambda seen: seen.status.phase is Phase.STALLED)
        house.host.join(house.studio, "first", "10.55.1")
        before = receiver.figures().bytes
        with house.channel(channel_file, bitrate_bps=MBPS * 1_000_000):
            receiver.wait_for_bytes(before + 2 * BYTES_PER_S)
            after = own.wait(snapshot.key, lambda seen: seen.status.phase is Phase.DELIVERING)
        assert receiver.figures().state == "connected"
        assert (after.worker_pid, after.status.restarts) == (snapshot.worker_pid, 0)


def test_a_card_that_goes_down_and_up_again_is_told_and_overcome(
    house: House, own: OwnManager, channel_file: Path, record_property: Note
) -> None:
    snapshot = own.manager.start(own.spec(source=MulticastSource(GROUP, PORT, interface="first")))
    with (
        Receiver.calling(own.ports[0], within=house.host.enter) as receiver,
        house.channel(channel_file, bitrate_bps=MBPS * 1_000_000),
    ):
        own.wait(snapshot.key, lambda seen: seen.status.phase is Phase.DELIVERING)
        receiver.wait_for_bytes(2 * BYTES_PER_S)
        house.host.run("ip", "link", "set", "first", "down")
        stalled = own.wait(snapshot.key, lambda seen: seen.status.phase is Phase.STALLED)
        assert stalled.status.reason is Reason.NO_INPUT
        house.host.run("ip", "link", "set", "first", "up")
        up_at = time.monotonic()
        after = own.wait(snapshot.key, lambda seen: seen.status.phase is Phase.DELIVERING)
        record_property("back_after_s", round(time.monotonic() - up_at, 2))
        before = receiver.figures().bytes
        receiver.wait_for_bytes(before + 2 * BYTES_PER_S)
        assert (receiver.figures().state, receiver.figures().packets_dropped) == ("connected", 0)
        assert (after.worker_pid, after.status.restarts) == (snapshot.worker_pid, 0)
