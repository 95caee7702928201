"""A separate mount namespace for a test. Only programs that the test starts there see its mounts.

The mounts disappear when these programs end. It works in a chroot too. The root of a chroot is not a mount and cannot
be made private. Therefore nsenter enters the namespace again, which leads to its true root, and all mounts are made
private there.
"""

from __future__ import annotations

import os
import shutil
from typing import Final

_IS_ROOT: Final = os.geteuid() == 0
_AS_ROOT: Final = [] if _IS_ROOT else ["--user", "--map-root-user"]
# Absolute paths, because a program that is started in the namespace may have no PATH.
_UNSHARE, _NSENTER, _MOUNT = (str(shutil.which(name)) for name in ("unshare", "nsenter", "mount"))
_MAKE_PRIVATE: Final = f'{_NSENTER} --mount=/proc/self/ns/mnt {_MOUNT} --make-rprivate / && exec "$@"'

# A command prefix. Root is not needed. The process id does not change.
IN_OWN_MOUNTS: Final = [
    *(_UNSHARE, *_AS_ROOT, "--mount", "--propagation", "unchanged"),
    *("/bin/sh", "-c", _MAKE_PRIVATE, "sh"),
]


def in_mounts_of(pid: int) -> list[str]:
    """Return the command prefix with which a program sees the mounts of the process `pid`."""
    user = [] if _IS_ROOT else ["--user", "--preserve-credentials"]
    return [_NSENTER, *user, "--mount", "--root", f"--target={pid}"]
