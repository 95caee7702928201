"""The web processes of a cluster's hosts: any of them can order, all of them show, and no stream needs them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.instruments.cluster import FAR_ADDRESS, Cluster
from tests.instruments.cluster_streams import PORTS, Fleet
from tests.instruments.cluster_web import Web, webs_of
from tests.instruments.receivers import Receiver
from tests.instruments.sample import make_sample
from tests.instruments.waiting import stays, wait_for

pytestmark = [pytest.mark.campaign, pytest.mark.precise]

SHOWN_WITHIN_S = 3.0
_PATIENCE_MS = 2000  # a pause of this machine, which carries three hosts, is no loss
MONITORS_S = 25.0  # two monitors of each stream and more


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    media = make_sample(tmp_path / "bars.ts", seconds=8, bitrate_bps=1_000_000)
    with Cluster(3) as cluster:
        yield Fleet(cluster, media)


def receiving(fleet: Fleet, port: int, **wanted: Any) -> Receiver:
    within = fleet.cluster.far.enter
    return Receiver.listening(port, host="0.0.0.0", follow=True, write="", times="", within=within, **wanted)


def caller(fleet: Fleet, port: int, **changes: Any) -> dict[str, Any]:
    source = {"kind": "file", "path": fleet.media.name, "loop": True}
    return {"endpoint": {"mode": "caller", "host": FAR_ADDRESS, "port": port}, "source": source} | changes


def carriers(fleet: Fleet) -> dict[str, str]:
    """The host of each stream's worker, by the kernel: no host may have a worker of a stream that another has."""
    return {key: node.name for node in fleet.cluster.nodes for key in fleet.keys_on(node)}


def delivered(fleet: Fleet, keys: list[str]) -> dict[str, tuple[str, str]]:
    where = carriers(fleet)
    return {key: (where.get(key, ""), "delivering") for key in keys}


def failures(fleet: Fleet) -> list[str]:
    return [str(each.attrib) for each in fleet.cluster.nodes[0].status().findall("./failures/failure")]


def test_an_order_on_any_host_is_carried_out_by_the_cluster_and_shown_by_every_host(fleet: Fleet) -> None:
    with webs_of(fleet) as webs:
        first, second, third = webs
        with receiving(fleet, PORTS[0]) as receiver:
            key = first.ask("POST", "/api/streams", caller(fleet, PORTS[0], latency_ms=200))["key"]
            receiver.wait_for_state("connected", deadline_s=30)
            placed = {f"stream-{key}": carriers(fleet)[key]}
            wait_for(lambda: fleet.placed() == placed, deadline_s=20, what="the resource where its worker is")
            for web in webs:
                web.wait_until_seen(delivered(fleet, [key]), deadline_s=20)
            other = next(web for web in webs if web.node.name != carriers(fleet)[key])
            (row,) = other.ask("GET", "/api/dashboard")["streams"]
            assert (row["host"], row["remark"]) == (carriers(fleet)[key], f"carried by {carriers(fleet)[key]}")
        with receiving(fleet, PORTS[0]) as receiver:
            other.ask("PUT", f"/api/streams/{key}", caller(fleet, PORTS[0], latency_ms=700))
            receiver.wait_for_bytes(200_000, deadline_s=40)
            assert receiver.figures().latency_ms == 700
            for web in webs:
                web.wait_until_seen(delivered(fleet, [key]), deadline_s=20)
                assert web.ask("GET", f"/api/streams/{key}")["spec"]["latency_ms"] == 700
            third.ask("POST", f"/api/streams/{key}/stop")
            wait_for(lambda: carriers(fleet) == {}, deadline_s=20, what="no worker on any host")
            for web in webs:
                web.wait_until_seen({key: (web.node.name, "stopped")}, deadline_s=20)
        with receiving(fleet, PORTS[0]) as receiver:
            second.ask("POST", f"/api/streams/{key}/start")
            receiver.wait_for_bytes(200_000, deadline_s=40)
            third.ask("DELETE", f"/api/streams/{key}")
            wait_for(lambda: carriers(fleet) == {}, deadline_s=20, what="no worker on any host")
            for web in webs:
                web.wait_until_seen({}, deadline_s=20)
        assert "primitive" not in third.node.run("cibadmin", "--query", "--scope", "resources")
        assert failures(fleet) == []


def test_without_any_web_process_nothing_is_lost_and_they_come_back_and_show_everything(fleet: Fleet) -> None:
    with webs_of(fleet) as webs, contextlib.ExitStack() as stack:
        ports = list(PORTS)[:3]
        receivers = [stack.enter_context(receiving(fleet, port, latency_ms=_PATIENCE_MS)) for port in ports]
        keys = [
            web.ask("POST", "/api/streams", caller(fleet, port))["key"] for web, port in zip(webs, ports, strict=True)
        ]
        for receiver in receivers:
            receiver.wait_for_bytes(100_000, deadline_s=40)
        shown = delivered(fleet, keys)
        for web in webs:
            web.wait_until_seen(shown, deadline_s=20)
        pids = {node.name: fleet.workers_on(node) for node in fleet.cluster.nodes}
        for web in webs:
            web.kill()
        stays(lambda: failures(fleet) == [], for_s=MONITORS_S, what="green monitors", every_s=1)
        assert {node.name: fleet.workers_on(node) for node in fleet.cluster.nodes} == pids
        took_s = [_come_back(web, shown) for web in webs]
        assert max(took_s) < SHOWN_WITHIN_S, took_s
        assert {node.name: fleet.workers_on(node) for node in fleet.cluster.nodes} == pids
        for receiver in receivers:
            lost = receiver.figures()
            assert (lost.gaps, lost.continuity_errors, lost.packets_dropped) == (0, 0, 0), lost


def _come_back(web: Web, shown: dict[str, tuple[str, str]]) -> float:
    began = time.monotonic()
    web.launch()
    web.wait_until_seen(shown, deadline_s=20)
    return time.monotonic() - began
