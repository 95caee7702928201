"""Streams on a test cluster: the settings of its hosts, receivers at the far end, and evaluation of captures there."""

from __future__ import annotations

import itertools
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.domain.spec import CallerEndpoint, Engine, FileSource, ListenerEndpoint, SendSpec
from app.fleet.agent import SETTINGS_FILE
from app.fleet.cost import cpu_permille
from app.fleet.parcel import bound_to, pack, read_fleet_key
from app.fleet.resources import Ordered, Place, configuration_of, placement_of
from app.protocol import Job
from tests.instruments.child import Child
from tests.instruments.cluster import FAR_ADDRESS, Cluster, ClusterNode
from tests.instruments.wire import Packet

BITRATE_BPS: Final = 1_000_000
PORTS: Final = range(9001, 9013)


@dataclass(frozen=True)
class Spell:
    """A period in which one host sent data packets on one connection without a long pause. Times are Unix time.

    `connection` is the receiver's SRT socket ID, which a new connection never has.
    """

    host: str
    connection: int
    first_at: float
    last_at: float


class Fleet:
    """A cluster whose hosts have the product and one key: `fleet.order([fleet.ordered(key, fleet.caller(port))])`."""

    def __init__(self, cluster: Cluster, media: Path) -> None:
        self.cluster, self.media = cluster, media
        self.key = secrets.token_hex(32)
        self._key_file = cluster.folder / "fleet_key"
        write_secret(self._key_file, self.key)
        for node in cluster.nodes:
            self.install(node)
            # Pacemaker places no stream on a host without a capacity.
            self.cluster.nodes[0].run(
                *("crm_attribute", "--type", "nodes", "--node", node.name, "--utilization"),
                *("--name", "cpu", "--update", "2000"),
            )

    def install(self, node: ClusterNode, *, key: str = "") -> None:
        """Write the files that the agent needs on a host. Call it after each start of the host: /run is empty then."""
        run = node.folder / "run"
        for name in ("mcr", "mcr-data"):
            (run / name).mkdir(exist_ok=True)
        settings = node.folder / SETTINGS_FILE.lstrip("/")
        write_secret(settings.with_name("fleet_key"), key or self.key)
        write_secret(
            settings,
            f"SECRET_KEY={secrets.token_hex(32)}\nDATA_FOLDER=/run/mcr-data\nRUNTIME_FOLDER=/run/mcr\n"
            f"MEDIA_FOLDER={self.media.parent}\nLAUNCHER=pacemaker\nMAX_STREAMS=50\n",
        )

    def caller(self, port: int) -> SendSpec:
        """Return a stream that calls this port of the far end and sends the sample."""
        return SendSpec(endpoint=CallerEndpoint(FAR_ADDRESS, port), source=FileSource(self.media.name))

    def listener(self, port: int) -> SendSpec:
        """Return a stream that listens on every address of its host, including an address that moves between hosts."""
        return SendSpec(endpoint=ListenerEndpoint(port), source=FileSource(self.media.name))

    def ordered(self, key: str, spec: SendSpec, *, address: str = "") -> Ordered:
        """Return the stream in the form that the cluster takes."""
        job = Job(
            key=key,
            spec=spec,
            file_path=str(self.media),
            bitrate_bps=BITRATE_BPS,
            engine=Engine.DIRECT,  # as the web process chooses for such a file
            memory_bytes=256 * 1024 * 1024,
        )
        parcel = bound_to(pack(job, read_fleet_key(self._key_file)), address)
        return Ordered(key, parcel, cpu_permille=cpu_permille(job))

    def order(self, streams: Sequence[Ordered]) -> None:
        """Order the cluster to carry the streams. The command runs on the first host."""
        self._modify(configuration_of(streams))

    def place(self, key: str, place: Place) -> None:
        """Set where a stream may run."""
        self._modify(placement_of(key, place))

    def _modify(self, configuration: str) -> None:
        node = self.cluster.nodes[0]
        (node.folder / "run" / "order.xml").write_text(configuration)
        node.run("cibadmin", "--modify", "--allow-create", "--scope", "configuration", "--xml-file", "/run/order.xml")

    def placed(self, seen_by: ClusterNode | None = None) -> dict[str, str]:
        """Return the host of each running stream, as the first host or `seen_by` reports it."""
        node = seen_by or self.cluster.nodes[0]
        found = {}
        for resource in node.status().iter("resource"):
            host = resource.find("node")
            if (
                resource.get("role") == "Started"
                and resource.get("pending") not in ("Starting", "Stopping")
                and host is not None
            ):
                found[str(resource.get("id"))] = str(host.get("name"))
        return found

    def workers_on(self, node: ClusterNode) -> list[int]:
        """Return the ids of the worker processes on a host, as the kernel lists them."""
        return [pid for pid in node.processes() if b"app.worker.worker" in _command(pid)]

    def keys_on(self, node: ClusterNode) -> list[str]:
        """Return the keys of the streams that have a worker on a host, as the kernel lists the processes."""
        sockets = [_command(pid).rstrip(b"\0").rpartition(b"\0")[2].decode() for pid in self.workers_on(node)]
        return [Path(path).stem for path in sockets]


def receiver(cluster: Cluster, port: int) -> Child:
    """Start srt-live-transmit at the far end. It serves one caller at a time and then waits for the next."""
    return Child([*cluster.far.enter, "srt-live-transmit", "-q", f"srt://:{port}?mode=listener", "file://con"])


def spells(packets: Iterable[Packet], *, pause_s: float = 0.8) -> dict[int, list[Spell]]:
    """Return the spells of each port from a capture at the far end: who sent data, on which connection, and when.

    A pause of more than `pause_s` ends a spell.
    """
    seen: dict[int, dict[tuple[str, int], list[float]]] = defaultdict(lambda: defaultdict(list))
    for packet in packets:
        header = packet.header()
        if header is not None and header.control_type is None:
            sender = packet.source_address, header.destination
            seen[packet.destination_port][sender].append(packet.at_ns / 1e9)
    return {
        port: sorted(
            (Spell(*sender, part[0], part[-1]) for sender, times in found.items() for part in _parts(times, pause_s)),
            key=lambda spell: spell.first_at,
        )
        for port, found in seen.items()
    }


def overlaps(found: Sequence[Spell]) -> list[tuple[Spell, Spell]]:
    """Return the pairs of spells in which different hosts sent at the same time."""
    return [
        (one, other)
        for one, other in itertools.combinations(found, 2)
        if one.host != other.host and one.first_at <= other.last_at and other.first_at <= one.last_at
    ]


def connections(found: Sequence[Spell]) -> int:
    """Return how many connections sent these spells."""
    return len({(spell.host, spell.connection) for spell in found})


def longest_gap_s(found: Sequence[Spell]) -> float:
    """Return the longest time between two successive spells, in which no host sent."""
    return max((after.first_at - before.last_at for before, after in itertools.pairwise(found)), default=0.0)


def _parts(times: list[float], pause_s: float) -> Iterable[list[float]]:
    part = [times[0]]
    for at in times[1:]:
        if at - part[-1] > pause_s:
            yield part
            part = []
        part.append(at)
    yield part


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    path.touch(mode=0o600)
    path.write_text(text)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
