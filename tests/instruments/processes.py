"""The worker processes of a product, found without asking it: from the kernel, by where their error output goes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from pathlib import Path

from tests.instruments.child import is_alive
from tests.instruments.product import Product
from tests.instruments.waiting import wait_for


def workers_of(product: Product) -> set[int]:
    """Every live worker of a product, whether or not it serves its socket, or anybody remembers it."""
    runtime = f"{product.folder / 'runtime'}/"
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                if str((folder / "fd" / "2").readlink()).startswith(runtime) and is_alive(int(folder.name)):
                    found.add(int(folder.name))
    return found


def kill_all(product: Product) -> None:
    """SIGKILL to the web process and all of its workers, as a loss of power would."""
    product.web.process.send_signal(signal.SIGKILL)
    product.web.process.wait(10)
    for pid in workers_of(product):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not workers_of(product), deadline_s=10, what="the end of all workers")


def udp_port_is_free(port: int) -> bool:
    """Whether nobody holds a UDP port on any address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
