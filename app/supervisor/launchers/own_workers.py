"""Finds workers of this user among the processes by their sockets, whether or not the socket's file still exists.

A worker keeps its socket when the file is removed. The kernel still lists it under its old path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

# The module in the command line of a worker, of this and of the previous version.
WORKER_MODULES: Final = ("app.worker.worker", "app.engine.worker")
_SOCKET: Final = "socket:["


class OwnWorker(NamedTuple):
    """A process and the path of its socket, which may have been removed."""

    pid: int
    path: Path


def own_workers(modules: Sequence[str] = WORKER_MODULES, *, proc: Path = Path("/proc")) -> list[OwnWorker]:
    """Return all workers of this user with the paths of their sockets. Processes that end meanwhile are left out."""
    return [
        OwnWorker(int(process.name), path)
        for process in _processes_of_own(proc)
        if _runs_one_of(process, modules)
        for path in _served_paths(process)
    ]


def _processes_of_own(proc: Path) -> Iterator[Path]:
    for process in proc.iterdir():
        try:
            if process.name.isdigit() and process.stat().st_uid == os.geteuid():
                yield process
        except OSError:
            continue


def _runs_one_of(process: Path, modules: Sequence[str]) -> bool:
    try:
        arguments = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(flag == b"-m" and module.decode(errors="replace") in modules for flag, module in pairwise(arguments))


def _served_paths(process: Path) -> set[Path]:
    try:
        held = {link for fd in (process / "fd").iterdir() if (link := _target(fd)).startswith(_SOCKET)}
        listed = (process / "net" / "unix").read_text(errors="replace").splitlines()[1:]
    except OSError:
        return set()
    # Num RefCount Protocol Flags Type St Inode Path (proc(5)); a socket without a name has no path.
    rows = [row for line in listed if len(row := line.split(maxsplit=7)) == 8]
    return {Path(row[7]) for row in rows if f"{_SOCKET}{row[6]}]" in held}


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""
