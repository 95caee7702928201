"""libsrt's C functions through ctypes, typed as in srt.h of 1.5. Independent of GStreamer.

The product uses libsrt through `sockets`, `epoll`, `statistics` and `options`. This module only finds the library,
declares its functions and turns its errors into SrtError.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from ctypes import POINTER, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

# Debian's libgstsrt is linked to the GnuTLS build; the other names are those of Ubuntu, Red Hat and plain builds.
_LIBRARIES: Final = ("libsrt-gnutls.so.1.5", "libsrt.so.1.5", "libsrt-openssl.so.1.5", "libsrt.so.1")


class ErrorCode(IntEnum):
    """The SRT_ERRNO values that are handled individually."""

    NO_SERVER = 1001
    CONNECTION_REJECTED = 1002
    SOCKET_SETUP = 1003
    CONNECTION_LOST = 2001
    NO_CONNECTION = 2002
    SYSTEM_RESOURCES = 3000
    NO_THREADS = 3001
    NO_MEMORY = 3002
    INVALID_SOCKET = 5004
    BIND_CONFLICT = 5013
    WOULD_BLOCK_SENDING = 6001
    WOULD_BLOCK_RECEIVING = 6002
    TIMED_OUT = 6003


class SrtUnavailable(Exception):
    """No libsrt can be loaded, or it lacks a required function."""


class SrtError(Exception):
    """A call of libsrt failed. `code` is its SRT_ERRNO, `text` the library's own text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{text} ({code})")
        self.code = code
        self.text = text


class MessageControl(ctypes.Structure):
    """SRT_MSGCTRL. `srctime` is in microseconds of `time_now_us`, 0 for the time of the call."""

    _fields_ = (
        ("flags", c_int),
        ("msgttl", c_int),
        ("inorder", c_int),
        ("boundary", c_int),
        ("srctime", c_int64),
        ("pktseq", c_int32),
        ("msgno", c_int32),
        ("grpdata", c_void_p),
        ("grpdata_size", c_size_t),
    )


# int (*)(void* opaque, SRTSOCKET new, int handshake version, const sockaddr* peer, const char* stream ID)
ListenCallback: Final = ctypes.CFUNCTYPE(c_int, c_void_p, c_int32, c_int, c_void_p, c_char_p)
# void (*)(void* opaque, int level, const char* file, int line, const char* area, const char* message)
LogHandler: Final = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_char_p, c_int, c_char_p, c_char_p)

# Name: result, arguments.
_FUNCTIONS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "srt_startup": (c_int, ()),
    "srt_getversion": (c_uint32, ()),
    "srt_create_socket": (c_int32, ()),
    "srt_close": (c_int, (c_int32,)),
    "srt_bind": (c_int, (c_int32, c_char_p, c_int)),
    "srt_listen": (c_int, (c_int32, c_int)),
    "srt_listen_callback": (c_int, (c_int32, ListenCallback, c_void_p)),
    "srt_accept": (c_int32, (c_int32, c_void_p, c_void_p)),
    "srt_connect": (c_int, (c_int32, c_char_p, c_int)),
    "srt_rendezvous": (c_int, (c_int32, c_char_p, c_int, c_char_p, c_int)),
    "srt_sendmsg2": (c_int, (c_int32, c_void_p, c_int, c_void_p)),
    "srt_recvmsg2": (c_int, (c_int32, c_void_p, c_int, c_void_p)),
    "srt_getsockstate": (c_int, (c_int32,)),
    "srt_getsockname": (c_int, (c_int32, c_void_p, POINTER(c_int))),
    "srt_getpeername": (c_int, (c_int32, c_void_p, POINTER(c_int))),
    "srt_getsockflag": (c_int, (c_int32, c_int, c_void_p, POINTER(c_int))),
    "srt_setsockflag": (c_int, (c_int32, c_int, c_char_p, c_int)),
    "srt_bistats": (c_int, (c_int32, c_void_p, c_int, c_int)),
    "srt_getrejectreason": (c_int, (c_int32,)),
    "srt_setrejectreason": (c_int, (c_int32, c_int)),
    "srt_rejectreason_str": (c_char_p, (c_int,)),
    "srt_getlasterror": (c_int, (c_void_p,)),
    "srt_getlasterror_str": (c_char_p, ()),
    "srt_connection_time": (c_int64, (c_int32,)),
    "srt_time_now": (c_int64, ()),
    "srt_epoll_create": (c_int, ()),
    "srt_epoll_release": (c_int, (c_int,)),
    "srt_epoll_add_usock": (c_int, (c_int, c_int32, POINTER(c_int))),
    "srt_epoll_update_usock": (c_int, (c_int, c_int32, POINTER(c_int))),
    "srt_epoll_remove_usock": (c_int, (c_int, c_int32)),
    "srt_epoll_add_ssock": (c_int, (c_int, c_int, POINTER(c_int))),
    "srt_epoll_remove_ssock": (c_int, (c_int, c_int)),
    "srt_epoll_wait": (c_int, (c_int, *(c_void_p, c_void_p) * 2, c_int64, *(c_void_p, c_void_p) * 2)),
    "srt_epoll_uwait": (c_int, (c_int, c_void_p, c_int, c_int64)),
    "srt_epoll_set": (c_int32, (c_int, c_int32)),
    "srt_setloghandler": (None, (c_void_p, LogHandler)),
    "srt_setloglevel": (None, (c_int,)),
}


class Library:
    """libsrt, loaded and started. Each C function is an attribute with its name. Raises SrtUnavailable."""

    def __init__(self) -> None:
        try:
            self.c = ctypes.CDLL(_path_of_loaded() or _first_installed())
            for name, (result, arguments) in _FUNCTIONS.items():
                function = getattr(self.c, name)
                function.restype, function.argtypes = result, list(arguments)
        except (OSError, AttributeError) as error:
            raise SrtUnavailable(str(error)) from None
        if self.c.srt_startup() < 0:
            raise SrtUnavailable(self.last_error().text)
        self.version: int = self.c.srt_getversion()
        self.state_of: Callable[[int], int] = self.c.srt_getsockstate

    def last_error(self) -> SrtError:
        """Return the error of this thread's latest call."""
        text: bytes = self.c.srt_getlasterror_str() or b""
        return SrtError(int(self.c.srt_getlasterror(None)), text.decode(errors="replace"))

    def checked(self, result: int) -> int:
        """Return a call's result, or raise the SrtError for a negative one."""
        if result < 0:
            raise self.last_error()
        return result


_lock: Final = threading.Lock()
_loaded: list[Library] = []


def library() -> Library:
    """Return the process's libsrt, loaded and started at the first call: the copy that GStreamer has loaded, if any.

    In a process with GStreamer, call this only after srtsink was made: a second copy would know none of its sockets.
    """
    if _loaded:  # called for each message, so without the lock, which only the first call needs
        return _loaded[0]
    with _lock:
        if not _loaded:
            _loaded.append(Library())
        return _loaded[0]


def version_text(version: int | None = None) -> str:
    """Return 0x010501 as 1.5.1; without an argument, the loaded library's version."""
    number = library().version if version is None else version
    return f"{number >> 16 & 0xFF}.{number >> 8 & 0xFF}.{number & 0xFF}"


def time_now_us() -> int:
    """Return the present time in microseconds on the clock of `srctime`; on Linux it is the monotonic clock."""
    return int(library().c.srt_time_now())


def _path_of_loaded() -> str | None:
    for line in Path("/proc/self/maps").read_text().splitlines():
        _, slash, path = line.partition("/")
        if slash and "/libsrt" in f"/{path}" and ".so" in path and "libsrtp" not in path:
            return f"/{path}"
    return None


def _first_installed() -> str:
    for name in _LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return name
    raise OSError(f"none of {', '.join(_LIBRARIES)} is installed")
