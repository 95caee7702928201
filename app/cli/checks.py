"""`mcr check`: lists the faults of this host and installation with their remedies. Changes nothing."""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from app.cli.api import Api, Refused, ServerUnreachable
from app.fleet.link import look
from app.fleet.resources import ClusterRefused
from app.machine.versions import ask_versions, missing_programs, warnings_about
from app.probes.run import ProbeFailed, run
from app.settings import PROJECT_FOLDER, Settings
from app.utils import list_interfaces

_TIMEOUT_S: Final = 20.0
_DISK_FREE_BYTES_LOW: Final = 1_000_000_000
# A running worker keeps the library that it was started with.
_UPDATE_LIBSRT: Final = (
    "apt-get update && apt-get upgrade with the release's security archive among the sources (dnf upgrade srt-libs), "
    "then systemctl restart mcr-srt-streamer"
)
_OTHERS: Final = stat.S_IRWXO
_PRIVATE_FILES: Final = ("secret_key", "api_key", "*.sqlite3*", "*.log")


class Level(StrEnum):
    """How severe a finding is."""

    OK = "ok"
    WARN = "warn"
    FAULT = "FAULT"


class Finding(msgspec.Struct, frozen=True):
    """One check; `remedy` is empty when nothing is wrong."""

    level: Level
    text: str
    remedy: str = ""


def check_all(settings: Settings, api: Api) -> list[Finding]:
    """Make every check, in the order in which faults are best corrected."""
    return [
        *_elements(),
        *_versions(),
        *_folders(settings),
        *_kernel(),
        *_network(),
        *_ports(settings, api),
        *_server(settings, api),
        *_cluster(settings),
    ]


def _elements() -> Iterator[Finding]:
    try:
        # env sets the folder: the check is a module of this program, and mcr may be called from any folder.
        outcome = run(
            ["env", "-C", str(PROJECT_FOLDER), sys.executable, "-m", "app.engines.gstreamer.check_elements"],
            timeout_s=_TIMEOUT_S,
        )
    except ProbeFailed as failure:
        yield Finding(
            Level.FAULT, f"GStreamer cannot be checked: {failure.message}", "run ./run.sh, or deploy/install.sh"
        )
        return
    lines = [line for line in outcome.stderr.decode(errors="replace").splitlines() if line]
    level = Level.FAULT if outcome.returncode else Level.WARN
    for line in lines:
        what, _, how = line.removeprefix("error: ").removeprefix("warning: ").rpartition(": ")
        yield Finding(level, what or line, how)
    if not lines:
        yield Finding(Level.OK, "GStreamer has every element")


def _versions() -> Iterator[Finding]:
    versions = ask_versions()
    if versions.gstreamer is None or versions.libsrt is None:
        yield Finding(Level.FAULT, "GStreamer or libsrt does not load", "run ./run.sh, or deploy/install.sh")
        return
    for warning in warnings_about(versions):
        yield Finding(Level.WARN, warning, _UPDATE_LIBSRT)
    if not warnings_about(versions):
        yield Finding(Level.OK, f"GStreamer {versions.gstreamer}, libsrt {versions.libsrt}")
    for sentence in missing_programs(shutil.which):
        yield Finding(Level.WARN, sentence, "install it with the distribution's package manager")


def _folders(settings: Settings) -> Iterator[Finding]:
    media, user = settings.media_folder, _server_user(settings.data_folder)
    if not media.exists():
        yield Finding(Level.FAULT, f"the media folder {media} does not exist", f"mkdir -p {media}")
    elif not _may(user, media, "-r", "-x"):
        yield Finding(Level.FAULT, f"the media folder {media} cannot be read by {user}", f"chmod o+rx {media}")
    else:
        yield Finding(Level.OK, f"media folder {media}")
    free = shutil.disk_usage(media).free if media.exists() else None
    if free is not None and free < _DISK_FREE_BYTES_LOW:
        yield Finding(
            Level.WARN, f"{free // 10**6} MB are free on the file system of {media}", "remove files or add space"
        )
    yield from _data_folder(settings.data_folder)
    yield from _private_folder(settings.runtime_folder)


def _server_user(data_folder: Path) -> str:
    """Return the user that runs the server. For root it is the owner of the service's data folder."""
    if os.geteuid() == 0 and data_folder.exists():
        return data_folder.owner()
    return pwd.getpwuid(os.geteuid()).pw_name


def _may(user: str, path: Path, *tests: str) -> bool:
    """Return whether a user has access, by operators of test(1) run as that user: root itself always has access."""
    become = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []
    try:
        return all(run([*become, "test", each, str(path)], timeout_s=_TIMEOUT_S).returncode == 0 for each in tests)
    except ProbeFailed:
        return False


def _data_folder(folder: Path) -> Iterator[Finding]:
    if not folder.exists():
        yield Finding(Level.WARN, f"the data folder {folder} does not exist yet", "the server creates it at its start")
        return
    user = _server_user(folder)
    if not _may(user, folder, "-w", "-x"):
        yield Finding(Level.FAULT, f"the data folder {folder} cannot be written by {user}", f"chown -R {user} {folder}")
        return
    # A restore or a copy by root leaves files that the server cannot open.
    foreign = [path for path in folder.iterdir() if path.is_file() and not _may(user, path, "-r", "-w")]
    for path in foreign:
        yield Finding(Level.FAULT, f"{path} cannot be written by {user}", f"chown {user} {path}")
    exposed = [path for name in _PRIVATE_FILES for path in folder.glob(name) if path.stat().st_mode & _OTHERS]
    for path in exposed:
        yield Finding(Level.FAULT, f"{path} can be read by others", f"chmod 600 {path}")
    if not exposed and not foreign:
        yield Finding(Level.OK, f"data folder {folder}")


def _private_folder(folder: Path) -> Iterator[Finding]:
    """Check the runtime folder: anyone who can open a socket in it can send orders to a worker."""
    if not folder.exists():
        yield Finding(Level.OK, f"the runtime folder {folder} is created at the server's start")
    elif folder.stat().st_mode & (_OTHERS | stat.S_IRWXG):
        yield Finding(Level.FAULT, f"the runtime folder {folder} is open to others", f"chmod 700 {folder}")
    else:
        yield Finding(Level.OK, f"runtime folder {folder}")


def _kernel() -> Iterator[Finding]:
    script = PROJECT_FOLDER / "network-tuning.sh"
    try:
        outcome = run([str(script), "--dry-run"], timeout_s=_TIMEOUT_S)
    except ProbeFailed as failure:
        yield Finding(Level.WARN, f"kernel settings not checked: {failure.message}")
        return
    wanting = [line.split(maxsplit=1)[1] for line in outcome.text().splitlines() if line.startswith("would ")]
    for setting in wanting:
        # One script sets them all, so it is named once, below the last of them.
        yield Finding(Level.WARN, setting, f"sudo {script}" if setting is wanting[-1] else "")
    if not wanting:
        yield Finding(Level.OK, "kernel settings suit SRT")


def _network() -> Iterator[Finding]:
    usable = [each.name for each in list_interfaces() if each.is_up and each.can_multicast and not each.is_loopback]
    if usable:
        yield Finding(Level.OK, f"multicast can be received on {', '.join(usable)}")
    else:
        yield Finding(Level.WARN, "no interface is up for multicast", "ip link set dev NAME up multicast on")
    if usable and not _has_multicast_route():
        yield Finding(
            Level.WARN,
            "no route leads to multicast groups, so `auto` finds no interface",
            f"ip route add 224.0.0.0/4 dev {usable[0]}, or choose an interface with each stream",
        )


def _has_multicast_route() -> bool:
    """Return whether the routing table has a route to 239.0.0.0/8; a default route counts (proc(5), net/route)."""
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        fields = line.split()
        # Addresses are hexadecimal in the host's byte order.
        destination, mask = (int.from_bytes(bytes.fromhex(fields[at]), sys.byteorder) for at in (1, 7))
        if 0xEF000000 & mask == destination:
            return True
    return False


def _ports(settings: Settings, api: Api) -> Iterator[Finding]:
    """Find listener ports that another program uses: a stream could not start on them."""
    try:
        far_ends = [view["far_end"] for view in api.get("/api/streams")["streams"]]
        ours = {each["port"] for each in far_ends if each["calls_us"]}
    except (ServerUnreachable, Refused):
        ours = set()
    taken = [port for port in settings.listener_ports if port not in ours and _is_taken(port)]
    for port in taken:
        yield Finding(
            Level.WARN,
            f"listener port {port} (UDP) is used by a program that is not a stream of this server",
            f"`ss -lunp sport = {port}` names it: end it, or leave the port out of LISTENER_PORTS",
        )
    if not taken:
        yield Finding(Level.OK, "listener ports are free or carry streams")


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _server(settings: Settings, api: Api) -> Iterator[Finding]:
    try:
        api.get("/health")
    except ServerUnreachable:
        yield Finding(
            Level.WARN, f"no server answers at {api.address}", "./run.sh, or systemctl start mcr-srt-streamer"
        )
        return
    except Refused as refusal:
        yield Finding(Level.WARN, f"the server reports: {refusal.message}", "mcr streams shows which stream")
    else:
        yield Finding(Level.OK, f"server at {api.address}")
    if settings.api_key is None:
        yield Finding(Level.WARN, "the API accepts no scripts: API_KEY is not set", "see docs/api.md")


def _cluster(settings: Settings) -> Iterator[Finding]:
    """Find what is dangerous about the cluster; nothing on a host outside a cluster."""
    if settings.launcher != "pacemaker":
        return
    try:
        view = look()
    except ClusterRefused as refusal:
        yield Finding(Level.FAULT, f"the cluster does not answer: {refusal}", "systemctl status corosync pacemaker")
        return
    if (warning := view.warning()) is not None:
        yield Finding(Level.FAULT, warning, "see docs/fleet.md")
    else:
        yield Finding(Level.OK, f"cluster of {len(view.hosts)} hosts with quorum")
