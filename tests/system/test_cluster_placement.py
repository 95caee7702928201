"""Where a cluster of three hosts places streams: by their cost, by rule, and away from each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.instruments.child import ROOT
from tests.instruments.cluster import Cluster, ClusterNode
from tests.instruments.cluster_streams import PORTS, Fleet
from tests.instruments.sample import make_sample
from tests.instruments.waiting import wait_for

pytestmark = pytest.mark.campaign

PLACED_WITHIN_S = 60.0


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    media = make_sample(tmp_path / "bars.ts", seconds=8, bitrate_bps=1_000_000)
    with Cluster(3) as cluster:
        yield Fleet(cluster, media)


def mcr(node: ClusterNode, *arguments: str) -> str:
    return node.run(str(ROOT / "mcr"), "fleet", *arguments)


def order(fleet: Fleet, *keys: str) -> None:
    fleet.order([fleet.ordered(key, fleet.listener(port)) for key, port in zip(keys, PORTS, strict=False)])
    wait_placed(fleet, *keys)


def wait_placed(fleet: Fleet, *keys: str, on: ClusterNode | None = None) -> None:
    def is_placed() -> bool:
        placed = [fleet.placed().get(f"stream-{key}") for key in keys]
        return None not in placed and (on is None or set(placed) == {on.name})

    wait_for(is_placed, deadline_s=PLACED_WITHIN_S, what=f"{keys} on {on.name if on else 'any host'}", every_s=0.3)


def host_of(fleet: Fleet, key: str) -> str:
    """By the kernel."""
    hosts = [node.name for node in fleet.cluster.nodes if key in fleet.keys_on(node)]
    return hosts[0] if len(hosts) == 1 else str(hosts)


def test_a_stream_that_costs_more_has_fewer_beside_it(fleet: Fleet) -> None:
    heavy = msgspec.structs.replace(fleet.ordered("heavy", fleet.listener(PORTS[6])), cpu_permille=450)
    fleet.order([heavy])
    wait_placed(fleet, "heavy")
    light = [f"light{number}" for number in range(6)]
    order(fleet, *light)
    counts = Counter(host_of(fleet, key) for key in light)
    assert host_of(fleet, "heavy") not in counts
    assert sorted(counts.values()) == [3, 3]


def test_a_stream_stays_on_hosts_with_its_attribute_and_a_pinned_one_on_its_host(fleet: Fleet) -> None:
    first, second, third = fleet.cluster.nodes
    order(fleet, "vlan", "pinned")
    first.run("crm_attribute", "--type", "nodes", "--node", second.name, "--name", "vlan-20", "--update", "1")
    mcr(first, "place", "vlan", "--needs", "vlan-20")
    mcr(first, "place", "pinned", "--host", third.name)
    wait_placed(fleet, "vlan", on=second)
    wait_placed(fleet, "pinned", on=third)
    assert (host_of(fleet, "vlan"), host_of(fleet, "pinned")) == (second.name, third.name)
    mcr(first, "drain", second.name)
    wait_for(lambda: not fleet.workers_on(second), deadline_s=PLACED_WITHIN_S, what="a drained host without workers")
    assert host_of(fleet, "vlan") == "[]", "no other host has the network"
    assert "not carried: vlan" in mcr(first, "status")
    mcr(first, "drain", second.name, "--return")
    wait_placed(fleet, "vlan", on=second)
    mcr(first, "place", "vlan")
    assert host_of(fleet, "vlan") == second.name, "a rule that is gone moves nothing"


def test_main_and_backup_are_never_on_one_host(fleet: Fleet) -> None:
    first, second, _ = fleet.cluster.nodes
    order(fleet, "main", "backup")
    mcr(first, "place", "main", "--host", second.name)
    mcr(first, "place", "backup", "--host", second.name)
    wait_placed(fleet, "main", "backup", on=second)
    mcr(first, "place", "backup", "--apart-from", "main")
    mcr(first, "place", "main")
    wait_for(
        lambda: len({host_of(fleet, "main"), host_of(fleet, "backup")} & set(fleet.cluster.online())) == 2,
        deadline_s=PLACED_WITHIN_S,
        what="main and back-up on two hosts",
    )
    mcr(first, "drain", host_of(fleet, "main"))
    free = next(node for node in fleet.cluster.nodes if not fleet.workers_on(node))
    wait_placed(fleet, "main", on=free)
    last = host_of(fleet, "backup")
    assert host_of(fleet, "main") != last
    mcr(first, "drain", host_of(fleet, "main"))
    seen = []

    def only_main_is_carried() -> bool:
        seen.append((host_of(fleet, "main"), host_of(fleet, "backup")))
        return seen[-1] == (last, "[]")

    wait_for(only_main_is_carried, deadline_s=PLACED_WITHIN_S, what="one host: only the main stream")
    assert [hosts for hosts in seen if hosts[0] == hosts[1] != "[]"] == [], "never both on one host"
