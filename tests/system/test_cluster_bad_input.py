"""A cluster of three hosts on a bad day: split in three, a full disk, a wrong key, and resources edited manually."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain.secret import Secret
from app.domain.spec import Encryption
from tests.instruments.cluster import Cluster, ClusterNode
from tests.instruments.cluster_on_air import callers_on_air
from tests.instruments.cluster_streams import PORTS, Fleet, overlaps
from tests.instruments.cluster_web import Web, webs_of
from tests.instruments.sample import make_sample
from tests.instruments.waiting import wait_for

pytestmark = [pytest.mark.campaign, pytest.mark.precise]

WITHIN_S = 60.0


@pytest.fixture
def media(tmp_path: Path) -> Path:
    return make_sample(tmp_path / "bars.ts", seconds=8, bitrate_bps=1_000_000)


@pytest.fixture
def fleet(media: Path) -> Iterator[Fleet]:
    with Cluster(3) as cluster:
        yield Fleet(cluster, media)


def carrier_of(fleet: Fleet, key: str) -> ClusterNode | None:
    """Return the host that has a worker of the stream, as its process list shows."""
    found = [node for node in fleet.cluster.nodes if key in fleet.keys_on(node)]
    assert len(found) < 2, [node.name for node in found]
    return found[0] if found else None


def wait_carried(fleet: Fleet, key: str, *hosts: ClusterNode) -> ClusterNode:
    def carrier() -> ClusterNode | None:
        found = carrier_of(fleet, key)
        return found if not hosts or found in hosts else None

    found = wait_for(carrier, deadline_s=WITHIN_S, what=f"{key} on {[node.name for node in hosts]}", every_s=0.3)
    assert found is not None
    return found


def only(fleet: Fleet, *hosts: ClusterNode) -> None:
    """Let only these hosts carry streams."""
    for node in fleet.cluster.nodes:
        fleet.cluster.nodes[0].run("crm_standby", "--node", node.name, "--update", "off" if node in hosts else "on")


def failures(node: ClusterNode) -> str:
    return " ".join(str(each.attrib) for each in node.status().findall("./failures/failure"))


def fill(node: ClusterNode) -> None:
    node.run("sh", "-c", "cat /dev/zero >> /run/mcr/filler || true")
    assert node.run("df", "--output=avail", "/run/mcr").split()[-1] == "0"


def test_three_hosts_that_all_lose_each_other_send_nothing_and_carry_on_together(media: Path) -> None:
    with callers_on_air(media, 3) as on_air:
        for node in on_air.nodes:
            node.cut_cluster_network()
        wait_for(
            lambda: not any(on_air.fleet.workers_on(node) for node in on_air.nodes),
            deadline_s=20,
            what="no worker on any host",
        )
        alone = on_air.sent()
        for node in on_air.nodes:
            node.join_cluster_network()

        def all_sent() -> bool:
            sent = on_air.sent()
            return all(found[-1].first_at > alone[port][-1].last_at for port, found in sent.items())

        wait_for(all_sent, deadline_s=WITHIN_S, what="every stream again", every_s=0.5)
        assert {port: overlaps(found) for port, found in on_air.sent().items() if overlaps(found)} == {}


def test_a_host_with_a_full_disk_lets_its_streams_go_and_takes_none(fleet: Fleet) -> None:
    first, second, _ = fleet.cluster.nodes
    second.run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", "/run/mcr")
    only(fleet, second)
    fleet.order([fleet.ordered("one", fleet.listener(PORTS[0]))])
    wait_carried(fleet, "one", second)
    fill(second)
    only(fleet, *fleet.cluster.nodes)
    first.run("crm_standby", "--node", second.name, "--update", "on")
    wait_carried(fleet, "one", *(node for node in fleet.cluster.nodes if node is not second))
    assert failures(first) == ""
    fill(second)  # the stop freed what the stream had
    only(fleet, second)
    wait_for(lambda: "No space left" in failures(first), deadline_s=WITHIN_S, what="the fault of the full host")
    assert carrier_of(fleet, "one") is None
    only(fleet, *fleet.cluster.nodes)
    wait_carried(fleet, "one", *(node for node in fleet.cluster.nodes if node is not second))


def test_a_host_with_another_fleets_key_carries_no_encrypted_stream_and_says_why(fleet: Fleet) -> None:
    first, second, third = fleet.cluster.nodes
    fleet.install(second, key=secrets.token_hex(32))
    secret = Encryption(128, Secret("correct horse battery"))
    only(fleet, second)
    spec = msgspec.structs.replace(fleet.listener(PORTS[0]), encryption=secret)
    fleet.order([fleet.ordered("secret", spec), fleet.ordered("plain", fleet.listener(PORTS[1]))])
    wait_carried(fleet, "plain", second)
    wait_for(lambda: "is not the key that" in failures(first), deadline_s=WITHIN_S, what="the fault of the key")
    assert carrier_of(fleet, "secret") is None
    only(fleet, *fleet.cluster.nodes)
    wait_carried(fleet, "secret", first, third)


def test_what_is_edited_in_the_cluster_is_followed_or_said_on_every_host(fleet: Fleet) -> None:
    with contextlib.ExitStack() as stack:
        webs = stack.enter_context(webs_of(fleet))
        source = {"kind": "file", "path": fleet.media.name, "loop": True}
        document = {"endpoint": {"mode": "listener", "port": 10001}, "source": source}
        key = webs[0].ask("POST", "/api/streams", document)["key"]
        wait_carried(fleet, key)
        node, name = fleet.cluster.nodes[1], f"stream-{key}"
        edit = ("crm_resource", "--resource", name, "--set-parameter", "job", "--parameter-value")
        job = node.run("crm_resource", "--resource", name, "--get-parameter", "job").strip()

        node.run(*edit, job.replace('"latency_ms":200', '"latency_ms":450'))
        for web in webs:
            wait_shown(web, key, lambda view: view["spec"]["latency_ms"] == 450)
        node.run("crm_resource", "--resource", name, "--meta", "-p", "target-role", "-v", "Stopped")
        for web in webs:
            wait_shown(web, key, lambda view: view["phase"] == "stopped")
        node.run("crm_resource", "--resource", name, "--meta", "-p", "target-role", "-v", "Started")
        wait_carried(fleet, key)
        for web in webs:  # also the one whose port the agent's worker holds
            wait_shown(web, key, lambda view: view["phase"] == "waiting")

        node.run(*edit, "{")
        for web in webs:
            wait_shown(web, key, lambda view: view["phase"] == "backing_off" and "cannot be read" in view["remark"])
        assert carrier_of(fleet, key) is None
        webs[2].ask("POST", f"/api/streams/{key}/start")
        wait_carried(fleet, key)
        for web in webs:
            wait_shown(web, key, lambda view: view["phase"] == "waiting")

        node.run("cibadmin", "--delete-all", "--force", "--xpath", f"//resources/primitive[@id='{name}']")
        for web in webs:
            web.wait_until_seen({}, deadline_s=WITHIN_S)
        assert carrier_of(fleet, key) is None


def wait_shown(web: Web, key: str, holds: Callable[[dict[str, Any]], bool]) -> None:
    last: list[dict[str, Any]] = []

    def shows() -> bool:
        last[:] = [web.ask("GET", f"/api/streams/{key}")]
        return bool(holds(last[0]))

    try:
        wait_for(shows, deadline_s=WITHIN_S, what=f"the stream on {web.node.name}", every_s=0.3)
    except AssertionError as error:
        raise AssertionError(f"{error}; last {last}") from None
