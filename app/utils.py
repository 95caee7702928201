"""Facts about this machine: load, memory, disk, addresses, interfaces, and the use of resources by workers.

Every function reads /proc and the kernel's tables at once. None waits or queries a name server.
"""

from __future__ import annotations

import ipaddress
import os
import platform
import pwd
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import psutil

_FRESH_S: Final = 1.0
_WORKER_FRESH_S: Final = 2.0


class Interface(msgspec.Struct, frozen=True):
    """A network interface. `speed_mbps` is None where the driver does not report it."""

    name: str
    addresses: list[str]
    is_up: bool
    is_loopback: bool
    can_multicast: bool
    speed_mbps: int | None


class System(msgspec.Struct, frozen=True):
    """The machine at one moment. Sizes are bytes; `cpu_percent` covers all cores since the previous reading."""

    hostname: str
    user: str
    platform: str
    uptime_s: int
    cpu_percent: float
    cpu_count: int
    memory_used_bytes: int
    memory_total_bytes: int
    disk_used_percent: float
    disk_free_bytes: int
    addresses: list[str]


class WorkerUse(msgspec.Struct, frozen=True):
    """The resources of a process. `memory_bytes` is PSS: shared pages count by their share. None: cannot be read."""

    cpu_percent: float | None
    memory_bytes: int | None


class DiskUse(NamedTuple):
    """The use of a disk, as shutil.disk_usage counts it."""

    total: int
    used: int
    free: int


def _used_percent(disk: DiskUse) -> float:
    """Return the used share as df counts it: space reserved for root is neither used nor free.

    It is 0 for a file system without a size, as some of the network and of user space report.
    """
    size = disk.used + disk.free
    return round(100 * disk.used / size, 1) if size else 0.0


class SystemMeter:
    """Reads the machine at most once a second, however many callers ask. Safe to use from many threads."""

    def __init__(self, disk_use: Callable[[], DiskUse]) -> None:
        self._disk_use = disk_use
        self._lock = threading.Lock()
        self._read_at = 0.0
        self._last: System | None = None
        self._cpu = psutil.cpu_times()

    def read(self) -> System:
        """Return the machine's state, at most a second old."""
        with self._lock:
            now = time.monotonic()
            if self._last is None or now - self._read_at >= _FRESH_S:
                self._last, self._read_at = self._measure(), now
            return self._last

    def _measure(self) -> System:
        memory = psutil.virtual_memory()
        disk = self._disk_use()
        return System(
            hostname=socket.gethostname(),
            user=_user_name(),
            platform=_platform_name(),
            uptime_s=int(time.time() - psutil.boot_time()),
            cpu_percent=self._cpu_percent(),
            cpu_count=psutil.cpu_count() or 1,
            memory_used_bytes=memory.total - memory.available,
            memory_total_bytes=memory.total,
            disk_used_percent=_used_percent(disk),
            disk_free_bytes=disk.free,
            addresses=host_addresses(),
        )

    def _cpu_percent(self) -> float:
        """Return the busy share since the previous reading.

        psutil.cpu_percent keeps a reading for each thread that asks. Here a pool of threads asks, and each would first
        read 0.
        """
        before, self._cpu = self._cpu, psutil.cpu_times()
        # user includes guest, and nice includes guest_nice (proc(5)).
        total_s = sum(self._cpu[:8]) - sum(before[:8])
        idle_s = self._cpu.idle + self._cpu.iowait - before.idle - before.iowait
        return round(100 * max(0.0, 1 - idle_s / total_s), 1) if total_s > 0 else 0.0


class WorkerMeter:
    """Reads the resources of worker processes, each at most every two seconds. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: dict[int, psutil.Process] = {}
        self._read: dict[int, tuple[float, WorkerUse]] = {}

    def read(self, pid: int) -> WorkerUse:
        """Return a process's CPU share since the previous reading, in percent of one core, and its memory."""
        with self._lock:
            read_at, use = self._read.get(pid, (0.0, None))
            now = time.monotonic()
            if use is None or now - read_at >= _WORKER_FRESH_S:
                use = self._measure(pid)
                self._read[pid] = (now, use)
                self._forget_the_gone()
            return use

    def _forget_the_gone(self) -> None:
        for pid in [pid for pid in self._read if not psutil.pid_exists(pid)]:
            del self._read[pid]
            self._processes.pop(pid, None)

    def _measure(self, pid: int) -> WorkerUse:
        try:
            process = self._processes.get(pid)
            if process is None or not process.is_running():
                process = self._processes[pid] = psutil.Process(pid)
                process.cpu_percent(interval=None)
                return WorkerUse(cpu_percent=None, memory_bytes=memory_bytes(pid))
            return WorkerUse(cpu_percent=process.cpu_percent(interval=None), memory_bytes=memory_bytes(pid))
        except psutil.Error:
            self._processes.pop(pid, None)
            return WorkerUse(cpu_percent=None, memory_bytes=None)


def memory_bytes(pid: int) -> int | None:
    """Return the proportional set size of a process, None if it is gone or belongs to another user (proc(5))."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return None


def list_interfaces() -> list[Interface]:
    """Return the network interfaces by name, those that are up first, loopback last."""
    states = psutil.net_if_stats()
    listed = []
    for name, addresses in psutil.net_if_addrs().items():
        state = states.get(name)
        flags = state.flags.split(",") if state else []
        listed.append(
            Interface(
                name=name,
                addresses=[a.address for a in addresses if a.family in (socket.AF_INET, socket.AF_INET6)],
                is_up=bool(state and state.isup),
                is_loopback="loopback" in flags,
                can_multicast="multicast" in flags,
                speed_mbps=state.speed if state and state.speed else None,
            )
        )
    return sorted(listed, key=lambda found: (found.is_loopback, not found.is_up, found.name))


def host_addresses() -> list[str]:
    """Return the addresses at which other hosts may reach this one: no loopback, no link-local; IPv4 first."""
    found = []
    for interface in list_interfaces():
        if not interface.is_up or interface.is_loopback:
            continue
        parsed = [ipaddress.ip_address(text.partition("%")[0]) for text in interface.addresses]
        found += [address for address in parsed if not address.is_link_local]
    return [str(address) for address in sorted(found, key=lambda address: address.version)]


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())  # a user in a container may have no entry


def _platform_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
