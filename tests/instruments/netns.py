"""Network namespaces for tests, with their own links and addresses. The host's network is not changed.

A namespace exists only as long as the process that this module keeps in it. Nothing remains, however a test ends. Root
is not needed: without it, each namespace belongs to a user namespace in which the test's user is root.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self

from tests.instruments.child import Child
from tests.instruments.waiting import wait_for

_CLONE_NEWNET: Final = 0x40000000  # sched.h
_IS_ROOT: Final = os.geteuid() == 0
_UNSHARE: Final = ["unshare", "--net"] if _IS_ROOT else ["unshare", "--user", "--map-root-user", "--net"]
_ENTER: Final = ["nsenter", "--net"] if _IS_ROOT else ["nsenter", "--user", "--preserve-credentials", "--net"]


class Namespace:
    """A network namespace that has only loopback: `with Namespace() as house: house.run("ip", "link")`."""

    def __init__(self, next_to: Namespace | None = None) -> None:
        """Create the namespace; with `next_to`, in that one's user namespace, so that a link can join the two."""
        # A second namespace is created from inside the first: without root, both must belong to one user namespace.
        argv = [*_UNSHARE, "cat"] if next_to is None else [*next_to.enter, "unshare", "--net", "cat"]
        outside = _network_of("self" if next_to is None else next_to.pid)
        self._keeper = Child(argv, first_line=b"")
        try:
            wait_for(lambda: self._is_made(outside), deadline_s=10, what=f"a namespace; {self._keeper.complaints()}")
            self.run("ip", "link", "set", "lo", "up")
        except BaseException:
            self.close()
            raise

    def _is_made(self, outside: Path) -> bool:
        name = Path(f"/proc/{self.pid}/comm").read_text().strip()
        return name == "cat" and _network_of(self.pid) != outside

    @property
    def pid(self) -> int:
        """The id of the process that keeps the namespace."""
        return self._keeper.pid

    @property
    def enter(self) -> list[str]:
        """The command prefix that runs a program in the namespace. The process id does not change."""
        return [*_ENTER, f"--target={self.pid}"]

    def run(self, *argv: str) -> str:
        """Run a command in the namespace and return its output. Raises AssertionError with its messages if it fails."""
        done = subprocess.run([*self.enter, *argv], capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, f"{argv}: {done.stderr}"
        return done.stdout

    def join(self, other: Namespace, name: str, network: str) -> None:
        """Connect a link to another namespace. Both interfaces are called `name`.

        For the network `192.0.2`, the address is 192.0.2.1 in this namespace and 192.0.2.2 in the other one.
        """
        self.run("ip", "link", "add", name, "type", "veth", "peer", "name", name, "netns", str(other.pid))
        for namespace, host in ((self, 1), (other, 2)):
            namespace.run("ip", "address", "add", f"{network}.{host}/24", "dev", name)
            namespace.run("ip", "link", "set", name, "up")

    def groups(self) -> dict[str, set[str]]:
        """Return the multicast groups that the namespace has joined, by interface, as the kernel lists them."""
        joined: dict[str, set[str]] = {}
        interface = ""
        for line in Path(f"/proc/{self.pid}/net/igmp").read_text().splitlines()[1:]:
            words = line.split()
            if not line.startswith("\t"):
                interface = words[1]
                continue
            address = bytes.fromhex(words[0])[::-1]  # printed as a little-endian word
            joined.setdefault(interface, set()).add(".".join(map(str, address)))
        return joined

    def close(self) -> None:
        """Release the namespace. Its links are removed with it."""
        self._keeper.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def connect_within(pid: int, address: tuple[str, int], *, timeout_s: float) -> socket.socket:
    """Return a TCP connection of this process to an address in the network namespace of another. Needs root."""

    def connect() -> socket.socket:
        with Path(f"/proc/{pid}/ns/net").open("rb") as network:
            if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        return socket.create_connection(address, timeout=timeout_s)

    with ThreadPoolExecutor(1) as pool:  # only this thread enters the namespace, and it ends after the call
        return pool.submit(connect).result()


def _network_of(process: int | str) -> Path:
    return Path(f"/proc/{process}/ns/net").readlink()
