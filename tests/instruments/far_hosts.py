"""Hosts behind paths with delay, seeded loss and a bandwidth limit, each with a real iperf3 server or none.

A process carries IP packets between the TUN devices of two network namespaces. The machine's network is not affected.
The product's network test runs in the near namespace: `run_network_test(hosts, order)`.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import heapq
import ipaddress
import json
import os
import random
import select
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from app.domain.network_order import parse_order
from app.network.geo import ExternalPlaceFinder
from app.network.iperf_servers import ServerList
from app.network.measure import Measurer
from app.network_test import NetworkTester, TestState
from app.web.presenters.network_test import present_network_test
from tests.instruments.child import ROOT, be_punctual, is_alive
from tests.instruments.waiting import wait_for

IPERF3_PORT = 5201
_NEAR = "10.77.0.1"
_CLONE_NEWNET = 0x40000000  # sched.h
_TUNSETIFF = 0x400454CA  # linux/if_tun.h
_TUN_WITHOUT_HEADER = 0x0001 | 0x1000  # IFF_TUN | IFF_NO_PI
_ICMP = 1
_LONGEST_QUEUE_NS = 200_000_000
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Host:
    """A host behind a path. Loss and bandwidth limit apply to packets sent to the host.

    `mbps` 0 means no limit. `serves` means that an iperf3 server runs on the host.
    """

    address: str
    rtt_ms: float = 0
    loss_percent: float = 0
    mbps: float = 0
    serves: bool = True
    seed: int = 1


@dataclass
class Carried:
    """Counts of the path to a host: packets to it, packets lost by chance, and the delay of each ICMP packet."""

    packets: int = 0
    lost: int = 0
    echo_delays_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """The product's view of its test, the counts of each path, and the result that each iperf3 server reported."""

    view: dict[str, Any]
    carried: dict[str, Carried]
    servers: dict[str, dict[str, Any]]

    def figure(self, name: str) -> dict[str, Any]:
        """Return the figure of the view with this name."""
        (found,) = [shown for shown in self.view["figures"] if shown["name"] == name]
        return dict(found)


def run_network_test(hosts: list[Host], order: dict[str, Any], *, own_servers: bool = True) -> Outcome:
    """Run the product's network test among these hosts. With `own_servers`, they are the operator's own servers."""
    asked = json.dumps({"hosts": [asdict(host) for host in hosts], "order": order, "own_servers": own_servers})
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    done = subprocess.run(
        ["unshare", *user, "--net", sys.executable, "-m", "tests.instruments.far_hosts", asked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    return Outcome(said["view"], {key: Carried(**value) for key, value in said["carried"].items()}, said["servers"])


class _Forwarder:
    """Carries packets between the two devices until the pipe `until` is closed."""

    def __init__(self, near: int, far: int, hosts: list[Host]) -> None:
        self._near, self._far = near, far
        self._hosts = {ipaddress.ip_address(host.address).packed: host for host in hosts}
        self._chance = {key: random.Random(host.seed) for key, host in self._hosts.items()}
        self._free_at_ns = dict.fromkeys(self._hosts, 0)
        self._queue: list[tuple[int, int, int, bytes, int]] = []
        self._order = 0
        self.carried = {host.address: Carried() for host in hosts}

    def run(self, until: int) -> None:
        while True:
            wait_s = None if not self._queue else max(0.0, (self._queue[0][0] - time.monotonic_ns()) / 1e9)
            readable, _, _ = select.select([self._near, self._far, until], [], [], wait_s)
            if until in readable:
                return
            for device in (self._near, self._far):
                if device in readable:
                    self._take_all(device)
            while self._queue and self._queue[0][0] <= time.monotonic_ns():
                _, _, device, packet, arrived = heapq.heappop(self._queue)
                with contextlib.suppress(BlockingIOError):
                    os.write(device, packet)
                if packet[9] == _ICMP:
                    self._carried_of(packet).echo_delays_ms.append((time.monotonic_ns() - arrived) / 1e6)

    def _take_all(self, device: int) -> None:
        while True:
            try:
                packet = os.read(device, 65536)
            except BlockingIOError:
                return
            is_outbound = device == self._near
            key = packet[16:20] if is_outbound else packet[12:16]
            if packet[0] >> 4 != 4 or key not in self._hosts:
                continue
            now = time.monotonic_ns()
            leaves = self._leaves_at(key, len(packet), now) if is_outbound else now
            if leaves is None:
                continue
            self._order += 1
            due = leaves + round(self._hosts[key].rtt_ms / 2 * 1e6)
            heapq.heappush(self._queue, (due, self._order, self._far if is_outbound else self._near, packet, now))

    def _leaves_at(self, key: bytes, size: int, now: int) -> int | None:
        host, carried = self._hosts[key], self.carried[self._hosts[key].address]
        carried.packets += 1
        if self._chance[key].random() * 100 < host.loss_percent:
            carried.lost += 1
            return None
        if not host.mbps:
            return now
        starts = max(now, self._free_at_ns[key])
        if starts - now > _LONGEST_QUEUE_NS:
            return None
        self._free_at_ns[key] = starts + round(size * 8e3 / host.mbps)
        return self._free_at_ns[key]

    def _carried_of(self, packet: bytes) -> Carried:
        key = packet[16:20] if packet[16:20] in self._hosts else packet[12:16]
        return self.carried[self._hosts[key].address]


def _main() -> None:
    asked = json.loads(sys.argv[1])
    hosts = [Host(**host) for host in asked["hosts"]]
    with tempfile.TemporaryDirectory(prefix="far-hosts-") as name:
        folder = Path(name)
        near, far, servers = _build(hosts, folder)
        try:
            with _forwarding(near, far, hosts, folder):
                for address, server in servers.items():
                    _wait_until_listening(server, address)
                view = _test(asked["order"], hosts if asked["own_servers"] else [], folder)
        finally:
            for server in servers.values():
                server.terminate()
                server.wait(5)
        reports = {address: _report(folder / f"{address}.json") for address in servers}
        carried = json.loads((folder / "carried.json").read_text())
    sys.stdout.write(json.dumps({"view": view, "carried": carried, "servers": reports}) + "\n")


def _build(hosts: list[Host], folder: Path) -> tuple[int, int, dict[str, subprocess.Popen[bytes]]]:
    """Create the far namespace and both devices, and start the servers. Return the devices and the servers."""
    _ip("link", "set", "lo", "up")
    near = _open_tun("near")
    _ip("address", "add", f"{_NEAR}/24", "dev", "near")
    _ip("link", "set", "near", "up")
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    _check(_libc.unshare(_CLONE_NEWNET))
    _ip("link", "set", "lo", "up")
    far = _open_tun("far")
    for host in hosts:
        _ip("address", "add", f"{host.address}/24", "dev", "far")
    _ip("link", "set", "far", "up")
    servers = {host.address: _start_server(host.address, folder) for host in hosts if host.serves}
    _check(_libc.setns(here, _CLONE_NEWNET))
    os.close(here)
    return near, far, servers


def _start_server(address: str, folder: Path) -> subprocess.Popen[bytes]:
    argv = ["iperf3", "-s", "-J", "--forceflush", "-B", address, "--logfile", str(folder / f"{address}.json")]
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def _forwarding(near: int, far: int, hosts: list[Host], folder: Path) -> Iterator[None]:
    """Forward packets in a separate process, so that the product's threads do not slow it down."""
    until, end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(end)
        be_punctual()
        forwarder = _Forwarder(near, far, hosts)
        forwarder.run(until)
        (folder / "carried.json").write_text(json.dumps({key: asdict(one) for key, one in forwarder.carried.items()}))
        os._exit(0)
    os.close(until)
    try:
        yield
    finally:
        os.close(end)
        os.waitpid(pid, 0)


def _test(order: dict[str, Any], own: list[Host], folder: Path) -> dict[str, Any]:
    """Run the product's network test offline, with these hosts as the operator's own servers."""
    (folder / "own.json").write_text(json.dumps({"servers": [{"host": host.address} for host in own]}))
    servers = ServerList(built_in=folder / "none", own=folder / "own.json", cache=folder / "no list", address=None)
    places = ExternalPlaceFinder(cache=folder / "no place", address=None)
    tester = NetworkTester(Measurer(servers, places, offline=True), servers, history_file=folder / "network_tests.json")
    record = tester.start(parse_order(order))
    wait_for(
        lambda: tester.get(record.id).state is not TestState.RUNNING,
        deadline_s=120,
        what="the network test",
        every_s=0.1,
    )
    return dict(msgspec.to_builtins(present_network_test(tester.get(record.id))))


def _wait_until_listening(server: subprocess.Popen[bytes], address: str) -> None:
    wanted = struct.pack("<I", int(ipaddress.ip_address(address))).hex().upper() + f":{IPERF3_PORT:04X}"
    listening = "0A"

    def is_listening() -> bool:
        rows = [line.split() for line in Path(f"/proc/{server.pid}/net/tcp").read_text().splitlines()[1:]]
        return is_alive(server.pid) and any(row[1] == wanted and row[3] == listening for row in rows)

    wait_for(is_listening, deadline_s=10, what=f"iperf3 at {address}")


def _report(path: Path) -> dict[str, Any]:
    """Return what the server counted in its last complete test, or nothing. Its log is a sequence of JSON reports."""
    text, decoder = path.read_text().strip() if path.exists() else "", json.JSONDecoder()
    counted: dict[str, Any] = {}
    while text:
        report, end = decoder.raw_decode(text)
        counted = report["end"].get("sum_received", counted)
        text = text[end:].lstrip()
    return counted


def _open_tun(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TUN_WITHOUT_HEADER))
    return device


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    _main()
