"""Examines processes from outside: finds the workers of a product and measures the cost of processes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
from pathlib import Path

from tests.instruments.child import is_alive
from tests.instruments.product import Product
from tests.instruments.waiting import wait_for

_TICKS_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Return the user and system time of a process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_S


def pss_mb(pid: int) -> float:
    """Return the proportional set size of a process, in MB of 2^20 bytes."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1]) / 1024


def threads_of(pid: int) -> int:
    """Return the number of threads of a process."""
    return int(Path(f"/proc/{pid}/status").read_text().split("Threads:")[1].split()[0])


def sleeps_of(pid: int, thread: str) -> int:
    """Return how often the threads whose names begin with `thread` have gone to sleep (voluntary switches)."""
    tasks = [path for path in Path(f"/proc/{pid}/task").iterdir() if (path / "comm").read_text().startswith(thread)]
    counts = [re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (path / "status").read_text(), re.M) for path in tasks]
    return sum(int(count[1]) for count in counts if count)


def workers_of(product: Product) -> set[int]:
    """Return the ids of all live workers of a product, even of those that do not serve their socket.

    A worker is a process whose standard error is a file in the product's runtime folder.
    """
    runtime = f"{product.folder / 'runtime'}/"
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                if str((folder / "fd" / "2").readlink()).startswith(runtime) and is_alive(int(folder.name)):
                    found.add(int(folder.name))
    return found


def kill_all(product: Product) -> None:
    """Send SIGKILL to the web process and all workers, so that they end without warning as in a power failure."""
    product.web.process.send_signal(signal.SIGKILL)
    product.web.process.wait(10)
    for pid in workers_of(product):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not workers_of(product), deadline_s=10, what="the end of all workers")


def udp_port_is_free(port: int) -> bool:
    """Whether no process holds a UDP port on any address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
