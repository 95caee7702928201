"""libsrt through ctypes: what GStreamer's srtsink knows and does not tell.

One worker is one process with one srtsink, so every SRT socket in it is the stream's. Socket ids count down from a
random start, hence `SocketWalk`: it takes an id before the pipeline starts and looks at the ids below it. The very
library that libgstsrt is linked to is loaded; a second copy would have no sockets.
"""

from __future__ import annotations

import ctypes
import ipaddress
import struct
from collections.abc import Callable
from enum import IntEnum
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any, Final

_EMPTY_IDS_AFTER_LAST: Final = 64
_LOOK_EVERY_S: Final = 0.9
_STATS_UNIQUE_SINCE: Final = 0x010500  # pktSentUniqueTotal and its kin came with libsrt 1.5.0


class State(IntEnum):
    """SRT_SOCKSTATUS of srt.h."""

    INIT = 1
    OPENED = 2
    LISTENING = 3
    CONNECTING = 4
    CONNECTED = 5
    BROKEN = 6
    CLOSING = 7
    CLOSED = 8
    NONEXIST = 9


_NONEXIST: Final = int(State.NONEXIST)


class Option(IntEnum):
    """The SRT_SOCKOPT numbers that are read or set here, from srt.h."""

    MAXBW = 16
    INPUTBW = 24
    OHEADBW = 25
    PBKEYLEN = 27
    IPTOS = 30
    TLPKTDROP = 31
    NAKREPORT = 33
    PEERVERSION = 35
    MININPUTBW = 38
    SNDKMSTATE = 40
    RCVLATENCY = 43
    PEERLATENCY = 44
    STREAMID = 46


# SRT_LOG_HANDLER_FN of srt.h: opaque, level, file, line, area, message. And LOG_DEBUG of syslog.h.
_LogHandler: Final = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p
)
_LOG_DEBUG: Final = 7
_heard: Final[list[Any]] = []  # libsrt may call to the process's last breath

_WIDE_OPTIONS: Final = frozenset({Option.MAXBW, Option.INPUTBW, Option.MININPUTBW})
_KEY_STATES: Final = {0: "unsecured", 1: "securing", 2: "secured", 3: "no_secret", 4: "bad_secret"}


_FIELD_TYPES: Final[dict[str, type[ctypes._SimpleCData[Any]]]] = {
    "l": ctypes.c_int64,
    "i": ctypes.c_int,
    "d": ctypes.c_double,
}


class ByteStats(ctypes.Structure):
    """SRT_TRACEBSTATS of libsrt 1.5 (srt.h, CBytePerfMon), field by field; older libraries fill a shorter prefix."""

    _fields_ = [
        (name, _FIELD_TYPES[kind])
        for kind, names in (
            ("l", "msTimeStamp pktSentTotal pktRecvTotal"),
            ("i", "pktSndLossTotal pktRcvLossTotal pktRetransTotal pktSentACKTotal pktRecvACKTotal"),
            ("i", "pktSentNAKTotal pktRecvNAKTotal"),
            ("l", "usSndDurationTotal"),
            ("i", "pktSndDropTotal pktRcvDropTotal pktRcvUndecryptTotal"),
            ("l", "byteSentTotal byteRecvTotal byteRcvLossTotal byteRetransTotal byteSndDropTotal"),
            ("l", "byteRcvDropTotal byteRcvUndecryptTotal"),
            ("l", "pktSent pktRecv"),
            ("i", "pktSndLoss pktRcvLoss pktRetrans pktRcvRetrans pktSentACK pktRecvACK pktSentNAK pktRecvNAK"),
            ("d", "mbpsSendRate mbpsRecvRate"),
            ("l", "usSndDuration"),
            ("i", "pktReorderDistance"),
            ("d", "pktRcvAvgBelatedTime"),
            ("l", "pktRcvBelated"),
            ("i", "pktSndDrop pktRcvDrop pktRcvUndecrypt"),
            ("l", "byteSent byteRecv byteRcvLoss byteRetrans byteSndDrop byteRcvDrop byteRcvUndecrypt"),
            ("d", "usPktSndPeriod"),
            ("i", "pktFlowWindow pktCongestionWindow pktFlightSize"),
            ("d", "msRTT mbpsBandwidth"),
            ("i", "byteAvailSndBuf byteAvailRcvBuf"),
            ("d", "mbpsMaxBW"),
            ("i", "byteMSS pktSndBuf byteSndBuf msSndBuf msSndTsbPdDelay"),
            ("i", "pktRcvBuf byteRcvBuf msRcvBuf msRcvTsbPdDelay"),
            ("i", "pktSndFilterExtraTotal pktRcvFilterExtraTotal pktRcvFilterSupplyTotal pktRcvFilterLossTotal"),
            ("i", "pktSndFilterExtra pktRcvFilterExtra pktRcvFilterSupply pktRcvFilterLoss pktReorderTolerance"),
            ("l", "pktSentUniqueTotal pktRecvUniqueTotal byteSentUniqueTotal byteRecvUniqueTotal"),
            ("l", "pktSentUnique pktRecvUnique byteSentUnique byteRecvUnique"),
        )
        for name in names.split()
    ]


class LibSrtUnavailable(Exception):
    """No libsrt is loaded in this process, or it lacks the functions that are read."""


class LibSrt:
    """The functions of the loaded libsrt, typed. Raises LibSrtUnavailable when there is none."""

    def __init__(self) -> None:
        path = _loaded_library()
        try:
            self._lib = ctypes.CDLL(path)
            self._lib.srt_rejectreason_str.restype = ctypes.c_char_p
            self._lib.srt_connection_time.restype = ctypes.c_int64
            self._lib.srt_time_now.restype = ctypes.c_int64
            self._lib.srt_getversion.restype = ctypes.c_uint32
            self._lib.srt_startup()
            self._raw_state: Callable[[int], int] = self._lib.srt_getsockstate
        except (OSError, AttributeError) as error:
            raise LibSrtUnavailable(str(error)) from None
        self.version: int = self._lib.srt_getversion()

    def version_text(self) -> str:
        """The library's version, such as 1.5.1."""
        return version_text(self.version)

    def hear_log(self, on_text: Callable[[str], None]) -> None:
        """Have each line of libsrt's log, some ten for a caller, handed to `on_text` in a thread of libsrt's own.

        Not by way of GStreamer's log: debug lines would have to be let through there for all of its elements, and
        each version gives them another level.
        """

        def handle(_opaque: int, _level: int, _file: bytes, _line: int, _area: bytes, message: bytes) -> None:
            on_text(message.decode(errors="replace"))

        _heard.append(_LogHandler(handle))
        self._lib.srt_setloghandler(None, _heard[-1])
        self._lib.srt_setloglevel(_LOG_DEBUG)

    def take_id(self) -> int:
        """Create and close a socket, and give its id: the next sockets have ids below it."""
        socket = int(self._lib.srt_create_socket())
        self._lib.srt_close(socket)
        return socket

    def state(self, socket: int) -> State:
        """The socket's state; NONEXIST for an id that is no socket."""
        return State(self._raw_state(socket))

    def exists(self, socket: int) -> bool:
        """Whether the id is a socket's; asked hundreds of times a second, so without a detour."""
        return self._raw_state(socket) != _NONEXIST

    def reject_code(self, socket: int) -> int:
        """Why the socket's connection failed: SRT_REJECT_REASON, 0 when unknown."""
        return int(self._lib.srt_getrejectreason(socket))

    def reject_text(self, code: int) -> str:
        """The library's words for a reject code."""
        text = self._lib.srt_rejectreason_str(code)
        return text.decode(errors="replace") if text else ""

    def option(self, socket: int, option: Option) -> int | None:
        """An option's value in force on the socket, or None when it cannot be read."""
        value = ctypes.c_int64() if option in _WIDE_OPTIONS else ctypes.c_int()
        size = ctypes.c_int(ctypes.sizeof(value))
        if self._lib.srt_getsockflag(socket, int(option), ctypes.byref(value), ctypes.byref(size)) != 0:
            return None
        return int(value.value)

    def estimate_input_rate(self, socket: int) -> None:
        """Let the socket measure its input rate itself from now on (SRTO_INPUTBW 0 under SRTO_MAXBW 0)."""
        value = ctypes.c_int64(0)
        self._lib.srt_setsockflag(socket, int(Option.INPUTBW), ctypes.byref(value), ctypes.sizeof(value))

    def set_minimum_input(self, socket: int, bytes_per_s: int) -> None:
        """Let libsrt's estimate of the input rate not fall below this; acts with `maxbw=0`, on a live socket too."""
        value = ctypes.c_int64(bytes_per_s)
        # A socket that was closed a moment ago refuses; it needs nothing any more.
        self._lib.srt_setsockflag(socket, int(Option.MININPUTBW), ctypes.byref(value), ctypes.sizeof(value))

    def stream_id(self, socket: int) -> str:
        """The stream ID that the caller sent; it is the peer's text, so unprintable characters are replaced."""
        buffer = ctypes.create_string_buffer(513)
        size = ctypes.c_int(512)
        if self._lib.srt_getsockflag(socket, int(Option.STREAMID), buffer, ctypes.byref(size)) != 0:
            return ""
        text = buffer.raw[: max(0, size.value)].rstrip(b"\0").decode(errors="replace")
        return "".join(character if character.isprintable() else "·" for character in text)

    def key_state(self, socket: int) -> str | None:
        """SRTO_SNDKMSTATE in words: unsecured, securing, secured, no_secret, bad_secret."""
        value = self.option(socket, Option.SNDKMSTATE)
        return None if value is None else _KEY_STATES.get(value)

    def peer_address(self, socket: int) -> str | None:
        """`192.0.2.7:41234` or `[2001:db8::7]:41234`, or None while there is no peer."""
        buffer = ctypes.create_string_buffer(128)
        size = ctypes.c_int(128)
        if self._lib.srt_getpeername(socket, buffer, ctypes.byref(size)) != 0:
            return None
        return address_text(buffer.raw)

    def connected_s(self, socket: int) -> float:
        """Seconds since the connection was made."""
        made = self._lib.srt_connection_time(socket)
        return 0.0 if made <= 0 else max(0.0, (self._lib.srt_time_now() - made) / 1e6)

    def stats(self, socket: int) -> ByteStats | None:
        """The socket's counters and present buffer levels, or None when it has none."""
        stats = ByteStats()
        if self._lib.srt_bistats(socket, ctypes.byref(stats), 0, 1) != 0:
            return None
        if self.version < _STATS_UNIQUE_SINCE:
            stats.pktSentUniqueTotal = stats.pktSentTotal - stats.pktRetransTotal
            stats.byteSentUniqueTotal = stats.byteSentTotal - stats.byteRetransTotal
        return stats


class SocketWalk:
    """Finds the process's SRT sockets from their ids. Make it before the pipeline starts."""

    def __init__(self, lib: LibSrt) -> None:
        self._lib = lib
        self.first_id = lib.take_id() - 1
        self._next = self.first_id
        self._unseen_attempts = 0
        self._live: set[int] = set()
        self._called_at = self._looked_at = -inf

    def sockets(self, attempts: int = 0) -> dict[int, State]:
        """The sockets that exist now. `attempts`: calls received since the last walk, each of which took an id.

        New ones are looked for while there are none, for a while after each call (its socket is found only once it was
        let in), and else about once a second: it takes a question for each of 64 ids.
        """
        self._unseen_attempts += attempts
        now = monotonic()
        if attempts:
            self._called_at = now
        is_due = now - self._looked_at >= _LOOK_EVERY_S
        if is_due or now - self._called_at < _LOOK_EVERY_S or not self._live:
            self._looked_at = now
            self._look_for_new()
        return self.known()

    def _look_for_new(self) -> None:
        empty = 0
        candidate = self._next
        while empty < _EMPTY_IDS_AFTER_LAST + self._unseen_attempts and candidate > 0:
            if self._lib.exists(candidate):
                empty = self._unseen_attempts = 0
                self._live.add(candidate)
                self._next = candidate - 1
            else:
                empty += 1
            candidate -= 1

    def known(self) -> dict[int, State]:
        """The sockets of the last walk that still exist."""
        states = {socket: self._lib.state(socket) for socket in self._live}
        present: dict[int, State] = {socket: state for socket, state in states.items() if state is not State.NONEXIST}
        self._live = set(present)
        return present


def address_text(raw_sockaddr: bytes) -> str | None:
    """Read a struct sockaddr_in or sockaddr_in6 as Linux lays it out; None for any other family."""
    (family,) = struct.unpack_from("=H", raw_sockaddr)
    (port,) = struct.unpack_from("!H", raw_sockaddr, 2)
    if family == 2:
        return f"{ipaddress.IPv4Address(raw_sockaddr[4:8])}:{port}"
    if family == 10:
        address = ipaddress.IPv6Address(raw_sockaddr[8:24])
        return f"{address.ipv4_mapped}:{port}" if address.ipv4_mapped else f"[{address}]:{port}"
    return None


def version_text(version: int) -> str:
    """0x010501 as 1.5.1."""
    return f"{version >> 16 & 0xFF}.{version >> 8 & 0xFF}.{version & 0xFF}"


def _loaded_library() -> str:
    for line in Path("/proc/self/maps").read_text().splitlines():
        path = line.partition("/")
        if "/libsrt" in line and ".so" in path[2]:
            return "/" + path[2]
    raise LibSrtUnavailable("no libsrt in this process")
