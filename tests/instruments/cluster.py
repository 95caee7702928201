"""A real corosync and pacemaker cluster on one machine: each node has a separate network, mounts, processes and name.

A node exists as long as its first process. When that process ends, everything on the node ends at once, as in a loss
of power. The nodes and the namespace `far`, where receivers run, share one Ethernet segment, 10.77.0.0/24. The cluster
needs root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from app.fleet.setup import PROPERTIES, Member, corosync_configuration
from tests.instruments.child import ROOT, Child
from tests.instruments.netns import Namespace
from tests.instruments.waiting import wait_for

FAR_ADDRESS: Final = "10.77.0.100"
CLUSTER_PORT: Final = 5405
AGENTS: Final = Path("/usr/lib/ocf/resource.d")
_OWN: Final = ("etc/corosync", "etc/mcr-srt-streamer", "var/lib/corosync", "var/lib/pacemaker", "var/log", "run")
# The first process of a node. It keeps running and adopts orphaned processes.
_INIT: Final = r"""
set -e
nsenter --mount=/proc/self/ns/mnt mount --make-rprivate /
hostname "$1"
# Files that a host adds to /etc exist on this host only.
mkdir -p "$2/over"
mount -t tmpfs tmpfs "$2/over"
mkdir "$2/over/upper" "$2/over/work"
mount -t overlay -o "lowerdir=/etc,upperdir=$2/over/upper,workdir=$2/over/work" overlay /etc
mkdir -p /etc/mcr-srt-streamer
for own in etc/corosync etc/mcr-srt-streamer var/lib/corosync var/lib/pacemaker var/log run; do
    [ -d "$2/$own" ] && mount --bind "$2/$own" "/$own"
done
mount --bind "$2/agents" /usr/lib/ocf/resource.d
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
ip link set lo up
touch "$2/ready"
while :; do sleep 3600 & wait $!; done
"""


def _first_configuration(properties: Mapping[str, str]) -> str:
    """Return pacemaker's initial configuration. Without dc-deadtime, pacemaker would wait 20 s for further hosts."""
    pairs = "".join(
        f'<nvpair id="option-{name}" name="{name}" value="{value}"/>'
        for name, value in {"dc-deadtime": "3s", **properties}.items()
    )
    options = f'<cluster_property_set id="cib-bootstrap-options">{pairs}</cluster_property_set>'
    return (
        '<cib crm_feature_set="3.0.14" validate-with="pacemaker-3.0" epoch="1" num_updates="0" admin_epoch="0">'
        f"<configuration><crm_config>{options}</crm_config><nodes/><resources/><constraints/></configuration>"
        "<status/></cib>"
    )


class ClusterNode:
    """One host of the cluster."""

    def __init__(self, number: int, folder: Path, switch: Namespace) -> None:
        self.number, self.name, self.address = number, f"host{number}", f"10.77.0.{number}"
        self.folder = folder / self.name
        for own in _OWN:
            (self.folder / own).mkdir(parents=True)
        shutil.copytree(AGENTS, self.folder / "agents", symlinks=True)
        (self.folder / "var/lib/pacemaker/cib").mkdir()
        (self.folder / "agents" / "mcr").symlink_to(ROOT / "deploy" / "pacemaker")
        self._switch = switch
        self._children: list[Child] = []
        self._keeper: Child | None = None
        self.pid = 0

    def power_on(self) -> None:
        """Start the node's first process and connect its network. The cluster programs do not run yet."""
        (self.folder / "ready").unlink(missing_ok=True)
        for path in ("run", "var/lib/pacemaker", "var/log"):
            self._prepare(path)
        argv = [
            "unshare",
            "--net",
            "--mount",
            "--propagation=unchanged",  # the root of a chroot is not a mount: see own_mounts
            "--uts",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ]
        self._keeper = Child([*argv, "bash", "-c", _INIT, "init", self.name, self.folder])
        keeper = self._keeper
        wait_for((self.folder / "ready").exists, deadline_s=10, what=f"{self.name}: {keeper.complaints()}")
        self.pid = int(Path(f"/proc/{keeper.pid}/task/{keeper.pid}/children").read_text().split()[0])
        port = f"to-{self.name}"
        self._switch.run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(self.pid))
        self._switch.run("ip", "link", "set", port, "master", "lan", "up")
        self.run("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")

    def _prepare(self, path: str) -> None:
        """Create what the packages create in `path`. Empty `run` first: a tmpfs loses its files with the power."""
        folder = self.folder / path
        if path == "run":
            shutil.rmtree(folder)
            folder.mkdir()
            for name in ("lock", "resource-agents"):
                (folder / name).mkdir()
        if path == "var/lib/pacemaker":
            for name in ("blackbox", "cib", "cores", "pengine"):
                (folder / name).mkdir(exist_ok=True)
                for file in (folder / name).iterdir():
                    shutil.chown(file, "hacluster", "haclient")
        if path == "var/log":
            for name in ("pacemaker", "corosync"):
                (folder / name).mkdir(exist_ok=True)
        for each in (folder, *folder.iterdir()):
            if path != "run":
                shutil.chown(each, "hacluster", "haclient")

    @property
    def enter(self) -> list[str]:
        """The command prefix that runs a program on this node."""
        return ["nsenter", f"--target={self.pid}", "--net", "--mount", "--root", "--uts", "--pid"]

    def run(self, *argv: str, within_s: float = 20, stdin: str | None = None) -> str:
        """Run a command on this node and return its output. Raises AssertionError with its messages if it fails."""
        done = self.try_to(*argv, within_s=within_s, stdin=stdin)
        assert done.returncode == 0, f"{self.name} {argv}: {done.returncode} {done.stderr}{done.stdout}"
        return done.stdout

    def try_to(self, *argv: str, within_s: float = 20, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command on this node and ignore its exit status."""
        return subprocess.run(
            [*self.enter, *argv], capture_output=True, text=True, timeout=within_s, check=False, input=stdin, cwd=ROOT
        )

    def start(self, argv: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Child:
        """Start a program on this node. The program ends when the node is powered off."""
        # A higher priority: a real host does not share its processors with other tests.
        child = Child(["nice", "-n", "-5", *self.enter, *argv], env=environment)
        self._children.append(child)
        return child

    def start_cluster(self) -> None:
        """Start corosync and pacemaker."""
        corosync = self.start(["corosync", "-f"])
        wait_for(
            lambda: self.try_to("corosync-cfgtool", "-s").returncode == 0,
            deadline_s=20,
            what=f"corosync on {self.name}; {corosync.complaints()}",
        )
        self.start(["pacemakerd"])

    def status(self) -> ET.Element:
        """Return what this node's pacemaker reports about the cluster."""
        return ET.fromstring(self.run("crm_mon", "--one-shot", "--output-as=xml", "--inactive"))

    def processes(self) -> list[int]:
        """Return the ids of the processes on this node, as the test's PID namespace numbers them."""
        mine = Path(f"/proc/{self.pid}/ns/pid").stat().st_ino
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "ns" / "pid").stat().st_ino == mine:
                    found.append(int(process.name))
            except OSError:
                continue
        return found

    def freeze(self) -> list[int]:
        """Stop every process of the node, as when a virtual machine is paused. Return their ids for `thaw`."""
        stopped = [pid for pid in self.processes() if pid != self.pid]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        return stopped

    def thaw(self, stopped: Sequence[int]) -> None:
        """Continue the processes, and also each nsenter: it stops itself when its child stops."""
        for pid in (*stopped, *(child.pid for child in self._children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def cut_cluster_network(self) -> None:
        """Drop only the cluster's traffic, to and from this node. The streams still reach their peers."""
        rule = f"udp dport {CLUSTER_PORT} drop"
        chains = [f"chain {way} {{\ntype filter hook {way} priority 0\n{rule}\n}}\n" for way in ("input", "output")]
        self.run("nft", "-f", "-", stdin=f"table inet cut {{\n{''.join(chains)}}}\n")

    def join_cluster_network(self) -> None:
        """Remove the rules of `cut_cluster_network`, so that the cluster's traffic passes again."""
        self.run("nft", "delete", "table", "inet", "cut")

    def power_off(self) -> None:
        """End everything on the node at once."""
        if self._keeper is None:
            return
        os.kill(self.pid, signal.SIGKILL)
        self._keeper.wait(deadline_s=10)
        for child in (*self._children, self._keeper):
            child.close()
        self._children, self._keeper = [], None


class Cluster:
    """A running cluster with `count` nodes: `with Cluster(3) as cluster:`."""

    def __init__(self, count: int = 3, *, properties: Mapping[str, str] = PROPERTIES) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mcr-cluster-"))
        self.folder.chmod(0o755)
        self.nodes: list[ClusterNode] = []
        self.switch = Namespace()
        try:
            self.switch.run("ip", "link", "add", "lan", "type", "bridge")
            self.switch.run("ip", "link", "set", "lan", "up")
            self.far = self._plug_in_far_end()
            self.nodes = [ClusterNode(number, self.folder, self.switch) for number in range(1, count + 1)]
            self._start(properties)
        except BaseException:
            self.close()
            raise

    def _plug_in_far_end(self) -> Namespace:
        far = Namespace()
        self.switch.run("ip", "link", "add", "to-far", "type", "veth", "peer", "name", "eth0", "netns", str(far.pid))
        self.switch.run("ip", "link", "set", "to-far", "master", "lan", "up")
        far.run("ip", "address", "add", f"{FAR_ADDRESS}/24", "dev", "eth0")
        far.run("ip", "link", "set", "eth0", "up")
        return far

    def _start(self, properties: Mapping[str, str]) -> None:
        configuration, key = (
            corosync_configuration([Member(node.name, node.address) for node in self.nodes]),
            os.urandom(256),
        )
        for node in self.nodes:
            corosync = node.folder / "etc" / "corosync"
            (corosync / "corosync.conf").write_text(configuration)
            (corosync / "authkey").write_bytes(key)
            (corosync / "authkey").chmod(0o400)
            (node.folder / "var/lib/pacemaker/cib/cib.xml").write_text(_first_configuration(properties))
            node.power_on()
        for node in self.nodes:
            node.start_cluster()
        wait_for(lambda: len(self.online()) == len(self.nodes), deadline_s=90, what="all nodes online", every_s=0.5)

    def online(self, seen_by: ClusterNode | None = None) -> list[str]:
        """Return the names of the nodes that are online, as the first node or `seen_by` reports them."""
        node = seen_by or self.nodes[0]
        try:
            nodes = node.status().findall("./nodes/node")
        except (AssertionError, subprocess.TimeoutExpired):
            return []
        return [each.get("name", "") for each in nodes if each.get("online") == "true"]

    def close(self) -> None:
        """End all nodes and remove their namespaces and files."""
        for node in self.nodes:
            node.power_off()
        if hasattr(self, "far"):
            self.far.close()
        self.switch.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
