"""Opens a real path without following any link in it: openat2(2) with RESOLVE_NO_SYMLINKS, from Linux 5.6.

O_NOFOLLOW checks the last component only: a folder that becomes a link would lead out of the media folder.
"""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path
from typing import Final

_SYS_OPENAT2: Final = 437  # the same on every architecture (asm-generic/unistd.h)
_AT_FDCWD: Final = -100
_RESOLVE_NO_SYMLINKS: Final = 0x04
_NOT_THERE: Final = frozenset({errno.ENOSYS, errno.EPERM})  # an older kernel, or a filter that does not know the call
_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_straight(path: str | Path, flags: int) -> int:
    """Return a descriptor of a path without links, closed on exec. Raises OSError with ELOOP if there is a link."""
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW
    how = _OpenHow(flags, 0, _RESOLVE_NO_SYMLINKS)
    descriptor = _libc.syscall(
        _SYS_OPENAT2, _AT_FDCWD, os.fsencode(path), ctypes.byref(how), ctypes.c_size_t(ctypes.sizeof(how))
    )
    if descriptor >= 0:
        return int(descriptor)
    number = ctypes.get_errno()
    if number in _NOT_THERE:
        return _open_checked(path, flags)
    raise OSError(number, os.strerror(number), str(path))


def _open_checked(path: str | Path, flags: int) -> int:
    """Open, then check where the descriptor leads: without openat2 the kernel cannot refuse a link on the way."""
    descriptor = os.open(path, flags)
    try:
        is_straight = Path(f"/proc/self/fd/{descriptor}").readlink() == Path(path)
    except OSError:
        is_straight = False
    if not is_straight:
        os.close(descriptor)
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return descriptor
