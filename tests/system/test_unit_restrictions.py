"""What the shipped unit forbids the service, and that ping, iperf3, ffprobe, multicast and DSCP still work."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.domain.spec import MulticastSource
from app.protocol import Sample
from tests.instruments.child import Child
from tests.instruments.confined import CONFINED, settings
from tests.instruments.multicast_house import GROUP, PORT, House
from tests.instruments.netns import Namespace
from tests.instruments.product import SAMPLE_NAME, Product
from tests.instruments.receivers import Receiver
from tests.instruments.waiting import free_port, wait_for
from tests.instruments.wire import Wire
from tests.instruments.worker import RunningWorker, job_for

ROOT = Path(__file__).parents[2]

FORBIDDEN = """
import ctypes, errno, json, mmap, socket
libc = ctypes.CDLL(None, use_errno=True)
def refused(call):
    try:
        call()
    except (OSError, PermissionError) as error:
        return error.errno == errno.EPERM
    return False
def checked(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), "")
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(json.dumps({
    "capabilities": int(status["CapEff"], 16) | int(status["CapPrm"], 16),
    "gains privileges": status["NoNewPrivs"] == "0",
    "raw socket": not refused(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)),
    "packet socket": not refused(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
    "mount": not refused(lambda: checked(libc.mount(b"a", b"/tmp", b"tmpfs", 0, None))),
    "reboot": not refused(lambda: checked(libc.syscall(169, 0, 0, 0, 0))),
    "writable code": not refused(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)),
    "udp": not refused(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
}))
"""


def test_the_restrictions_of_these_tests_hold() -> None:
    asked = subprocess.run(
        [*CONFINED, sys.executable, "-c", FORBIDDEN], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(asked.stdout) == {
        "capabilities": 0,
        "gains privileges": False,
        "raw socket": False,
        "packet socket": False,
        "mount": False,
        "reboot": False,
        "writable code": False,
        "udp": True,
    }
    assert (settings("NoNewPrivileges"), settings("AmbientCapabilities")) == (["yes"], [""])


@pytest.fixture(scope="module")
def confined(sample: Path) -> Iterator[Product]:
    """The whole program under the unit's restrictions."""
    with Product(sample) as product:
        product.web.close(deadline_s=20)
        product.within = CONFINED
        product.restart_web()
        yield product


def test_dscp_reaches_the_wire_of_a_file_and_of_bars(confined: Product) -> None:
    for source in ({"kind": "file", "path": SAMPLE_NAME, "loop": True}, {"kind": "bars", "format": "720p50"}):
        view = confined.start(source=source, qos=True)
        port = view["spec"]["endpoint"]["port"]
        with Wire(port) as wire, Receiver.calling(port) as receiver:
            receiver.wait_for_bytes(300_000)
            sent = [packet for packet in wire.packets() if packet.source_port == port and packet.is_data()]
        confined.dismiss(view["key"])
        assert {packet.dscp() for packet in sent} == {34}, source


def test_ffprobe_and_mediainfo_look_into_a_file(confined: Product) -> None:
    def looked_into() -> str:
        answer = confined.get(f"/api/media/info?path={SAMPLE_NAME}")
        assert answer.status == 200, answer.document
        text = answer.body.decode()
        return text if '"tool"' in text else ""

    output = wait_for(looked_into, deadline_s=60, what="the file's details", every_s=0.5)
    assert '"tool":"ffprobe"' in output.replace(" ", "")


def test_iperf3_measures(confined: Product) -> None:
    port = free_port()
    with Child(["iperf3", "--server", "--bind", "127.0.0.1", "--port", str(port)]) as server:
        process = psutil.Process(server.pid)
        wait_for(lambda: process.net_connections("tcp"), deadline_s=10, what=f"iperf3 listens; {server.complaints()}")
        order = {"mode": "manual", "host": "127.0.0.1", "port": port, "protocol": "udp", "direction": "send"}
        begun = confined.post("/api/network-tests", order | {"duration_s": 1, "bitrate_mbps": 5.0})
        assert begun.status == 202, begun.document

        def ended() -> dict[str, Any]:
            shown = dict(confined.get(f"/api/network-tests/{begun.document['id']}").document)
            return {} if shown["state"] == "running" else shown

        view = wait_for(ended, deadline_s=40, what="the end of the network test", every_s=0.2)
    # Partial where this host's kernel allows no ping: the next test's subject.
    assert view["state"] in ("done", "partial"), view
    figures = {figure["name"]: figure for figure in view["figures"]}
    assert figures["bandwidth_mbps"]["value"] == pytest.approx(5, rel=0.2)


def test_ping_measures_once_network_tuning_has_opened_it() -> None:
    """In a namespace, whose ping_group_range is its own: closed at first, as most kernels have it."""
    asked = [*CONFINED, sys.executable, "-c", "from app.probes.ping import ping; print(ping('127.0.0.1', count=2))"]
    with Namespace() as host:
        closed = subprocess.run([*host.enter, *asked], cwd=ROOT, capture_output=True, text=True)
        assert closed.returncode != 0
        assert "ping is not allowed" in closed.stderr
        tuned = subprocess.run([*host.enter, ROOT / "network-tuning.sh"], capture_output=True, text=True)
        assert "changed  net.ipv4.ping_group_range" in tuned.stdout, tuned.stderr
        assert "received=2" in host_output(host, asked)


def host_output(host: Namespace, argv: list[str]) -> str:
    """Return the output of a command on a host. Raises AssertionError with its error output if it fails."""
    done = subprocess.run([*host.enter, *argv], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_multicast_comes_in_on_the_chosen_interface(sample: Path) -> None:
    source = MulticastSource(GROUP, PORT, interface="first")
    with House() as house:
        within = [*house.host.enter, *CONFINED]
        with RunningWorker(job_for(source, port=10001), within=within) as worker, house.channel(sample):
            worker.wait_for_sample(lambda seen: seen.input.bytes_total > 1_000_000)
            assert any(seen.input.bytes_total for seen in worker.link.heard(Sample))
            with Receiver.calling(10001, within=house.host.enter) as receiver:
                receiver.wait_for_bytes(500_000)
