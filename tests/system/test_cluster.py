"""Three hosts under real corosync and pacemaker, each in its own namespaces."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.instruments.cluster import Cluster
from tests.instruments.waiting import wait_for


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(3) as made:
        yield made


def test_three_hosts_form_a_cluster_and_a_dead_one_is_missed_and_comes_back(cluster: Cluster) -> None:
    names = [node.name for node in cluster.nodes]
    assert sorted(cluster.online()) == names
    cluster.nodes[2].power_off()
    wait_for(lambda: sorted(cluster.online()) == names[:2], deadline_s=20, what="the loss of a host")
    cluster.nodes[2].power_on()
    cluster.nodes[2].start_cluster()
    wait_for(lambda: sorted(cluster.online()) == names, deadline_s=60, what="the return of the host")
