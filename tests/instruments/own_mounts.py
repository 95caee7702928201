"""A mount namespace of a test's own: what a test mounts is seen by what it starts, and gone when that ends.

It works in a chroot too, whose root is no mount and cannot be made private: entering the namespace that one is in
already leads to its true root, and there all mounts are made private.
"""

from __future__ import annotations

import os
import shutil
from typing import Final

_IS_ROOT: Final = os.geteuid() == 0
_AS_ROOT: Final = [] if _IS_ROOT else ["--user", "--map-root-user"]
# With their paths: what is started in there may have no PATH.
_UNSHARE, _NSENTER, _MOUNT = (str(shutil.which(name)) for name in ("unshare", "nsenter", "mount"))
_MAKE_PRIVATE: Final = f'{_NSENTER} --mount=/proc/self/ns/mnt {_MOUNT} --make-rprivate / && exec "$@"'

# Put it before a command; root is not needed. The process keeps its id.
IN_OWN_MOUNTS: Final = [
    *(_UNSHARE, *_AS_ROOT, "--mount", "--propagation", "unchanged"),
    *("/bin/sh", "-c", _MAKE_PRIVATE, "sh"),
]


def in_mounts_of(pid: int) -> list[str]:
    """Return what to put before a command so that it sees the mounts of that process."""
    user = [] if _IS_ROOT else ["--user", "--preserve-credentials"]
    return [_NSENTER, *user, "--mount", "--root", f"--target={pid}"]
