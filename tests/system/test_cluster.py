"""Streams on three hosts under real corosync and pacemaker: one is lost, cut off, drained. A far capture judges.

Daily with three streams, in the campaign with twelve.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from app.fleet.resources import Place
from tests.instruments.child import Child
from tests.instruments.cluster import Cluster
from tests.instruments.cluster_on_air import OnAir, callers_on_air
from tests.instruments.cluster_streams import PORTS, Fleet, Spell, connections, longest_gap_s, overlaps, receiver
from tests.instruments.sample import make_sample
from tests.instruments.waiting import wait_for
from tests.instruments.wire import Wire

pytestmark = pytest.mark.precise  # a pause of this machine adds to the gaps

TAKEOVER_S = 10.0
DRAIN_GAP_S = 3.0
_TWELVE = pytest.param(12, marks=pytest.mark.campaign, id="twelve")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sample(tmp_path_factory.mktemp("cluster") / "bars.ts", seconds=8, bitrate_bps=1_000_000)


def check(sent: dict[int, list[Spell]], moved: list[int], gap_s: float) -> None:
    """Never two senders, a short gap for what moved, and the same connections for the rest."""
    assert {port: overlaps(found) for port, found in sent.items() if overlaps(found)} == {}
    assert {port: round(longest_gap_s(sent[port]), 1) for port in moved if longest_gap_s(sent[port]) > gap_s} == {}
    assert {port: found for port, found in sent.items() if port not in moved and connections(found) != 1} == {}


@pytest.fixture(params=[pytest.param(3, id="three"), _TWELVE])
def on_air(request: pytest.FixtureRequest, media: Path) -> Iterator[OnAir]:
    with callers_on_air(media, request.param) as made:
        yield made


@pytest.fixture
def fleet(media: Path) -> Iterator[Fleet]:
    with Cluster(3) as cluster:
        yield Fleet(cluster, media)


def _moved(on_air: OnAir, event: Callable[[], object]) -> tuple[list[int], dict[int, list[Spell]]]:
    lost = on_air.nodes[2]
    moved = on_air.ports_of(lost)
    event()
    return moved, on_air.wait_taken_over(moved, lost)


def test_the_streams_of_a_lost_host_are_sent_by_the_others_and_no_other_receiver_sees_anything(on_air: OnAir) -> None:
    moved, sent = _moved(on_air, on_air.nodes[2].power_off)
    check(sent, moved, TAKEOVER_S)


def test_a_host_that_is_cut_off_stops_before_the_others_start_and_comes_back_without_a_restart_of_the_rest(
    on_air: OnAir,
) -> None:
    # Only the cluster's network is cut: the streams of both sides still reach the far end.
    moved, sent = _moved(on_air, on_air.nodes[2].cut_cluster_network)
    check(sent, moved, TAKEOVER_S)
    wait_for(lambda: on_air.fleet.workers_on(on_air.nodes[2]) == [], deadline_s=5, what="no worker on the host cut off")
    on_air.nodes[2].join_cluster_network()
    wait_for(lambda: len(on_air.fleet.cluster.online()) == 3, deadline_s=60, what="the three hosts together")
    back_at = time.time()
    wait_for(
        lambda: all(found[-1].last_at > back_at + 3 for found in on_air.sent().values()), deadline_s=20, what="3 s"
    )
    together = on_air.sent()
    assert {port: connections(found) for port, found in together.items()} == {
        port: connections(found) for port, found in sent.items()
    }


@pytest.mark.campaign
def test_the_streams_of_a_drained_host_move_with_a_short_gap_each(on_air: OnAir) -> None:
    moved, sent = _moved(on_air, lambda: on_air.nodes[0].run("crm_standby", "--node", "host3", "--update", "on"))
    check(sent, moved, DRAIN_GAP_S)


@pytest.mark.campaign
def test_a_callers_address_moves_with_the_listener_and_it_is_served_again(fleet: Fleet) -> None:
    far, address, port = fleet.cluster.far, "10.77.0.50", 9500
    with contextlib.ExitStack() as stack:
        wire = stack.enter_context(Wire(port, card="eth0", within=far.enter))
        fleet.order([fleet.ordered("door", fleet.listener(port))])
        fleet.place("door", Place(address=f"{address}/24"))
        wait_for(lambda: fleet.placed().get("address-door"), deadline_s=30, what="the address on a host")
        fleet.order([fleet.ordered("door", fleet.listener(port), address=address)])
        caller = ["srt-live-transmit", "-q", f"srt://{address}:{port}?mode=caller", "file://con"]
        stack.enter_context(Child([*far.enter, *caller]))

        def served() -> list[float]:
            return [packet.at_ns / 1e9 for packet in wire.packets() if packet.is_data()]

        wait_for(lambda: len(served()) > 100, deadline_s=60, what="the caller served", every_s=0.5)
        carrier = next(node for node in fleet.cluster.nodes if fleet.workers_on(node))
        assert f"inet {address}/24" in carrier.run("ip", "address", "show", "dev", "eth0")
        lost_at = time.time()
        carrier.power_off()
        wait_for(lambda: served()[-1] > lost_at + 1, deadline_s=40, what="the caller served again", every_s=0.5)
        times = served()
        assert max(after - before for before, after in pairwise(times)) < TAKEOVER_S


@pytest.mark.campaign
def test_a_frozen_host_loses_its_streams_and_stops_them_when_it_comes_back(fleet: Fleet) -> None:
    with receiver(fleet.cluster, PORTS[0]), Wire(PORTS[0], card="eth0", within=fleet.cluster.far.enter) as wire:
        fleet.order([fleet.ordered("one", fleet.caller(PORTS[0]))])
        wait_for(lambda: wire.packets(), deadline_s=60, what="the stream at the far end", every_s=0.5)
        node = next(each for each in fleet.cluster.nodes if fleet.workers_on(each))
        other = next(each for each in fleet.cluster.nodes if each is not node)
        stopped = node.freeze()
        wait_for(
            lambda: fleet.placed(other).get("stream-one") not in (None, node.name), deadline_s=40, what="a takeover"
        )
        node.thaw(stopped)
        wait_for(lambda: fleet.workers_on(node) == [], deadline_s=20, what="no worker on the host that was frozen")
        wait_for(lambda: len(fleet.cluster.online(other)) == 3, deadline_s=60, what="the three hosts together")
        assert sum(len(fleet.workers_on(each)) for each in fleet.cluster.nodes) == 1
