"""The confinement of deploy/mcr-srt-streamer.service without systemd. Tests check that the product works within it.

`CONFINED` is a command prefix. It removes all capabilities and every way to gain one, applies the unit's bounding set,
and loads a seccomp filter made from the unit's lines SystemCallFilter, RestrictAddressFamilies and
MemoryDenyWriteExecute. It does not apply the unit's namespaces and mounts; scripts/check_install.sh tests the whole
unit under a booted systemd.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "mcr-srt-streamer.service"

# Constants of seccomp.h (libseccomp) and sys/mman.h.
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_EQUAL, _MASKED_EQUAL = 4, 7
_WRITE, _EXECUTE = 2, 4
# systemd always allows these (systemd.exec(5), SystemCallFilter=).
_ALWAYS = "@default"


class _Comparison(ctypes.Structure):
    """The structure scmp_arg_cmp of libseccomp."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    )


def settings(name: str) -> list[str]:
    """Return the values of a setting of the unit, in the order of its lines."""
    lines = (line.partition("=") for line in UNIT.read_text().splitlines())
    return [value for key, _, value in lines if key == name]


def _prefix() -> list[str]:
    dropped = []
    if os.geteuid() == 0:
        kept = [f"+{name.removeprefix('CAP_').lower()}" for name in settings("CapabilityBoundingSet")[0].split()]
        # Without noroot, root would gain the capabilities of the bounding set on exec; the service's user would not.
        dropped = [f"--bounding-set={','.join(['-all', *kept])}", "--inh-caps=-all", "--securebits=+noroot"]
    inside = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "tests.instruments.confined"]
    return ["setpriv", "--no-new-privs", *dropped, "--", *inside]


CONFINED: Final = _prefix()


def calls_allowed() -> set[str]:
    """Return the system calls that the unit allows. Its SystemCallFilter lines are applied in order."""
    allowed = _expand(_ALWAYS)
    for value in settings("SystemCallFilter"):
        names = {call for word in value.removeprefix("~").split() for call in _expand(word)}
        allowed = allowed - names if value.startswith("~") else allowed | names
    return allowed


@functools.cache
def _groups() -> dict[str, list[str]]:
    """Return the groups of system calls that the installed systemd defines. A member can itself be a group."""
    shown = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, check=True)
    found: dict[str, list[str]] = {}
    members: list[str] = []
    for line in shown.stdout.decode().splitlines():
        word = line.strip()
        if line.startswith("@"):
            members = found.setdefault(word, [])
        elif word and not word.startswith("#"):
            members.append(word)
    return found


def _expand(name: str) -> set[str]:
    """Return the system call itself, or all calls of a group."""
    if not name.startswith("@"):
        return {name}
    return {call for member in _groups()[name] for call in _expand(member)}


class _Filter:
    """A seccomp filter that refuses with EPERM every system call that is not allowed."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libseccomp.so.2")
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.seccomp_init(ctypes.c_uint32(_REFUSE)))

    def allow(self, call: str, *comparisons: tuple[int, int, int, int]) -> None:
        """Allow a system call; with comparisons of its arguments, only if all of them hold."""
        number = self._library.seccomp_syscall_resolve_name(call.encode())
        if number < 0:  # the call belongs to another architecture
            return
        given = (_Comparison * len(comparisons))(*(_Comparison(*one) for one in comparisons))
        added = self._library.seccomp_rule_add_array(
            self._context, ctypes.c_uint32(_ALLOW), number, ctypes.c_uint(len(comparisons)), given
        )
        assert added == 0, (call, added)

    def load(self) -> None:
        """Apply the filter to this process and to every program that it executes."""
        loaded = self._library.seccomp_load(self._context)
        assert loaded == 0, loaded


def _confine() -> None:
    made = _Filter()
    calls = calls_allowed()
    for call in calls - {"socket", "mmap", "mprotect", "pkey_mprotect", "shmat"}:
        made.allow(call)
    (families,) = settings("RestrictAddressFamilies")
    for family in families.split():
        made.allow("socket", (0, _EQUAL, getattr(socket, family), 0))
    assert settings("MemoryDenyWriteExecute") == ["yes"]
    for permitted in (0, _WRITE, _EXECUTE):  # never both at once
        made.allow("mmap", (2, _MASKED_EQUAL, _WRITE | _EXECUTE, permitted))
    for call in ("mprotect", "pkey_mprotect"):
        made.allow(call, (2, _MASKED_EQUAL, _EXECUTE, 0))
    made.load()


if __name__ == "__main__":
    _confine()
    os.execvp(sys.argv[1], sys.argv[1:])
