"""Caller streams on three hosts of a cluster, each with a receiver, and a capture that shows which host sent when."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.instruments.child import Child
from tests.instruments.cluster import Cluster, ClusterNode
from tests.instruments.cluster_streams import PORTS, Fleet, Spell, receiver, spells
from tests.instruments.waiting import wait_for
from tests.instruments.wire import Wire


class OnAir:
    """Caller streams on three hosts, a receiver for each stream, and a capture at the far end."""

    def __init__(self, fleet: Fleet, wire: Wire, receivers: dict[int, Child]) -> None:
        self.fleet, self.wire, self.receivers = fleet, wire, receivers
        self.nodes = fleet.cluster.nodes

    def sent(self) -> dict[int, list[Spell]]:
        """Return for each port which hosts have sent its stream so far, and when."""
        return spells(self.wire.packets())

    def ports_of(self, node: ClusterNode) -> list[int]:
        """Return the ports of the streams whose last sender is this host."""
        return [port for port, found in self.sent().items() if found[-1].host == node.address]

    def wait_taken_over(self, ports: list[int], node: ClusterNode) -> dict[int, list[Spell]]:
        """Wait until hosts other than `node` send these streams. Return what `sent` returns."""

        def taken() -> dict[int, list[Spell]] | None:
            sent = self.sent()
            is_taken = all(sent[port][-1].host != node.address and _lasts(sent[port][-1]) for port in ports)
            return sent if is_taken else None

        found = wait_for(taken, deadline_s=40, what=f"the streams {ports} on another host", every_s=0.5)
        assert found is not None
        return found


@contextlib.contextmanager
def callers_on_air(media: Path, count: int) -> Iterator[OnAir]:
    """Start `count` streams and yield when they are spread evenly over the hosts."""
    ports = list(PORTS)[:count]
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(Cluster(3))
        fleet = Fleet(cluster, media)
        wire = stack.enter_context(Wire(range(PORTS.start, PORTS.stop), card="eth0", within=cluster.far.enter))
        receivers = {port: stack.enter_context(receiver(cluster, port)) for port in ports}
        fleet.order([fleet.ordered(f"s{port}", fleet.caller(port)) for port in ports])
        made = OnAir(fleet, wire, receivers)
        wait_for(lambda: len(made.sent()) == count, deadline_s=90, what="every stream at the far end", every_s=0.5)
        senders = Counter(found[-1].host for found in made.sent().values())
        assert senders == dict.fromkeys([node.address for node in cluster.nodes], count // 3)
        yield made


def _lasts(spell: Spell) -> bool:
    return spell.last_at - spell.first_at > 1
