"""Sets a host up for a cluster: files, links and commands, as a plan that can be shown before it is carried out."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from app.fleet.agent import SETTINGS_FILE
from app.fleet.resources import ClusterRefused, ask
from app.settings import PROJECT_FOLDER

HOSTS_MAX: Final = 16
# Without load-threshold=0 pacemaker starts one stream after the other on a busy host: four took 17 s.
PROPERTIES: Final = {
    "no-quorum-policy": "stop",
    "stonith-enabled": "false",
    "placement-strategy": "balanced",
    "load-threshold": "0%",
}
CPU_PERMILLE_PER_CORE: Final = 900
TOKEN_MS: Final = 1000
_KEY_BYTES: Final = 256
_SERVICE: Final = "mcr-srt-streamer"
_SERVICE_USER: Final = "mcr-srt"
_CLUSTER_GROUP: Final = "haclient"
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_DROP_IN: Final = f"""\
[Service]
# The cluster's commands speak to pacemaker by group; the workers' sockets must survive a stop of the service.
SupplementaryGroups={_CLUSTER_GROUP}
PrivateUsers=no
RuntimeDirectoryPreserve=yes
"""


class BadPlan(Exception):
    """The hosts cannot form a cluster; the text names the fault and the remedy."""


class Member(msgspec.Struct, frozen=True):
    """A host of the cluster: its name, as `uname -n` prints it, and its address on the cluster's network."""

    name: str
    address: str


class Step(msgspec.Struct, frozen=True):
    """One change to this host. `text` describes it; `do` raises OSError or ClusterRefused."""

    text: str
    do: Callable[[], None]


def parse_members(texts: Sequence[str]) -> list[Member]:
    """Read NAME=ADDRESS for each host. Raises BadPlan."""
    members = [Member(*text.partition("=")[::2]) for text in texts]
    for member in members:
        if not _NAME.fullmatch(member.name) or not re.fullmatch(r"[0-9a-fA-F.:]+", member.address):
            raise BadPlan(
                f"write each host as NAME=ADDRESS, such as mcr-a=192.0.2.7, not {member.name}={member.address}"
            )
    for field in ("name", "address"):
        values = [getattr(member, field).casefold() for member in members]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise BadPlan(f"two hosts have the {field} {twice[0]}: pacemaker could not distinguish them; rename one")
    if not 2 <= len(members) <= HOSTS_MAX:
        raise BadPlan(
            f"{len(members)} hosts were named; a cluster has 3 to {HOSTS_MAX}, or 2 with a quorum device or fencing"
        )
    return members


def corosync_configuration(members: Sequence[Member], *, token_ms: int = TOKEN_MS) -> str:
    """Return /etc/corosync/corosync.conf: knet, encrypted and authenticated, one node entry per host."""
    nodes = "".join(
        f"  node {{\n    ring0_addr: {member.address}\n    name: {member.name}\n    nodeid: {number}\n  }}\n"
        for number, member in enumerate(members, 1)
    )
    return (
        "totem {\n  version: 2\n  cluster_name: mcr\n  transport: knet\n  crypto_cipher: aes256\n"
        f"  crypto_hash: sha256\n  token: {token_ms}\n}}\n"
        f"nodelist {{\n{nodes}}}\n"
        "quorum {\n  provider: corosync_votequorum\n}\n"
        "logging {\n  to_logfile: yes\n  logfile: /var/log/corosync/corosync.log\n  to_syslog: yes\n}\n"
    )


class Setup:
    """The steps for one host, whose files lie below `root`."""

    def __init__(self, root: Path = Path("/"), program: Path = PROJECT_FOLDER) -> None:
        self._root = root
        self._program = program
        self._authkey = root / "etc/corosync/authkey"
        self._fleet_key = root / "etc/mcr-srt-streamer/fleet_key"

    def create(self, members: Sequence[Member], own_name: str) -> list[Step]:
        """Return the steps for the first host, which makes the two keys. Raises BadPlan."""
        keys = [
            self._write(self._authkey, os.urandom(_KEY_BYTES), 0o400, "the key of corosync"),
            self._write(self._fleet_key, secrets.token_hex(32).encode(), 0o640, "the key of the fleet"),
        ]
        missing = [step for step, path in zip(keys, (self._authkey, self._fleet_key), strict=True) if not path.exists()]
        return [*missing, *self._membership(members, own_name), *self._start(), *self._properties()]

    def join(self, members: Sequence[Member], own_name: str) -> list[Step]:
        """Return the steps for a further host, to which the operator has copied the keys. Raises BadPlan."""
        for path in (self._authkey, self._fleet_key):
            if not path.exists():
                raise BadPlan(f"{path} is missing: copy it from the first host, for example with scp -p")
        return [*self._membership(members, own_name), *self._start()]

    def leave(self, own_name: str) -> list[Step]:
        """Return the steps that move the streams off this host and end its membership; its keys stay."""
        return [
            command("crm_standby", "--node", own_name, "--update", "on"),
            command("systemctl", "disable", "--now", "pacemaker", "corosync"),
            self._launcher("local"),
            command("systemctl", "restart", _SERVICE),
        ]

    def _membership(self, members: Sequence[Member], own_name: str) -> list[Step]:
        if own_name not in [member.name for member in members]:
            raise BadPlan(f"this host is named {own_name}, and no --host has that name; `uname -n` prints it")
        agents = self._root / "usr/lib/ocf/resource.d"
        drop_in = self._root / f"etc/systemd/system/{_SERVICE}.service.d/fleet.conf"
        return [
            self._write(self._root / "etc/corosync/corosync.conf", corosync_configuration(members).encode(), 0o644, ""),
            self._write(drop_in, _DROP_IN.encode(), 0o644, "the service may speak to pacemaker"),
            Step(f"link {agents / 'mcr'} to {self._program / 'deploy/pacemaker'}", lambda: self._link(agents)),
            self._launcher("pacemaker"),
            command("usermod", "--append", "--groups", _CLUSTER_GROUP, _SERVICE_USER),
            command("chgrp", _SERVICE_USER, str(self._fleet_key)),
        ]

    def _start(self) -> list[Step]:
        return [
            command("systemctl", "daemon-reload"),
            command("systemctl", "enable", "corosync", "pacemaker"),
            command("systemctl", "restart", "corosync", "pacemaker", _SERVICE),
            command(
                *("crm_attribute", "--type", "nodes", "--utilization", "--name", "cpu"),
                *("--update", str(CPU_PERMILLE_PER_CORE * (os.cpu_count() or 1))),
            ),
        ]

    def _properties(self) -> list[Step]:
        options = ("crm_attribute", "--type", "crm_config", "--name")
        return [command(*options, name, "--update", value) for name, value in PROPERTIES.items()]

    def _write(self, path: Path, body: bytes, mode: int, why: str) -> Step:
        def write() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=mode)
            path.chmod(mode)
            path.write_bytes(body)

        return Step(f"write {path} (mode {mode:o}){f': {why}' if why else ''}", write)

    def _link(self, agents: Path) -> None:
        agents.mkdir(parents=True, exist_ok=True)
        (agents / "mcr").unlink(missing_ok=True)
        (agents / "mcr").symlink_to(self._program / "deploy/pacemaker")

    def _launcher(self, name: str) -> Step:
        path = self._root / SETTINGS_FILE.lstrip("/")

        def set_launcher() -> None:
            kept = [line for line in path.read_text().splitlines() if not line.startswith("LAUNCHER=")]
            path.write_text("\n".join([*kept, f"LAUNCHER={name}", ""]))

        return Step(f"set LAUNCHER={name} in {path}", set_launcher)


def command(*argv: str) -> Step:
    """Return a step that runs a program."""
    return Step(f"run {' '.join(argv)}", lambda: _run(argv))


def _run(argv: Sequence[str]) -> None:
    ask(*argv, timeout_s=60.0)


def carry_out(steps: Sequence[Step], say: Callable[[str], None]) -> None:
    """Carry the steps out in order and print each. Raises BadPlan at the first failure, with the remaining steps."""
    for number, step in enumerate(steps):
        say(step.text)
        try:
            step.do()
        except (OSError, ClusterRefused) as error:
            left = "".join(f"\n  {each.text}" for each in steps[number:])
            raise BadPlan(f"{error}\nStill to do:{left}") from None
