"""The part of libsrt's C interface that the instruments need, through ctypes. Source: srt.h of libsrt 1.5.1.

It is written independently of the product's binding of libsrt, so that a mistake there is not repeated here.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import socket
import struct
from ctypes import POINTER, Structure, c_char_p, c_double, c_int, c_int32, c_int64, c_size_t, c_uint64, c_void_p
from enum import IntEnum
from typing import Any

_LIBRARIES = ("libsrt-gnutls.so.1.5", "libsrt.so.1.5", "libsrt-openssl.so.1.5")


class Option(IntEnum):
    """Socket options: the values of SRT_SOCKOPT that are used here."""

    RCVSYN = 2
    FC = 4
    SNDBUF = 5
    RCVBUF = 6
    RCVTIMEO = 14
    MAXBW = 16
    STATE = 17
    INPUTBW = 24
    OHEADBW = 25
    PASSPHRASE = 26
    PBKEYLEN = 27
    IPTOS = 30
    TLPKTDROP = 31
    NAKREPORT = 33
    PEERVERSION = 35
    CONNTIMEO = 36
    RCVKMSTATE = 41
    RCVLATENCY = 43
    PEERLATENCY = 44
    STREAMID = 46
    TRANSTYPE = 50
    ENFORCEDENCRYPTION = 53
    PEERIDLETIMEO = 55


_WIDE = frozenset({Option.MAXBW, Option.INPUTBW})
_FLAGS = frozenset({Option.TLPKTDROP, Option.NAKREPORT})


class SocketState(IntEnum):
    """The state of a socket: SRT_SOCKSTATUS."""

    INIT = 1
    OPENED = 2
    LISTENING = 3
    CONNECTING = 4
    CONNECTED = 5
    BROKEN = 6
    CLOSING = 7
    CLOSED = 8
    NONEXIST = 9


class KeyState(IntEnum):
    """The state of the encryption key: SRT_KM_STATE."""

    UNSECURED = 0
    SECURING = 1
    SECURED = 2
    NOSECRET = 3
    BADSECRET = 4


class MessageControl(Structure):
    """The data that accompanies a message: SRT_MSGCTRL."""

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


_C_TYPES: dict[str, Any] = {"q": c_int64, "Q": c_uint64, "i": c_int, "d": c_double}
# The fields of CBytePerfMon in order. The letter before the colon is the format character of the struct module.
_PERFMON = """
q:msTimeStamp q:pktSentTotal q:pktRecvTotal i:pktSndLossTotal i:pktRcvLossTotal i:pktRetransTotal i:pktSentACKTotal
i:pktRecvACKTotal i:pktSentNAKTotal i:pktRecvNAKTotal q:usSndDurationTotal i:pktSndDropTotal i:pktRcvDropTotal
i:pktRcvUndecryptTotal Q:byteSentTotal Q:byteRecvTotal Q:byteRcvLossTotal Q:byteRetransTotal Q:byteSndDropTotal
Q:byteRcvDropTotal Q:byteRcvUndecryptTotal
q:pktSent q:pktRecv i:pktSndLoss i:pktRcvLoss i:pktRetrans i:pktRcvRetrans i:pktSentACK i:pktRecvACK i:pktSentNAK
i:pktRecvNAK d:mbpsSendRate d:mbpsRecvRate q:usSndDuration i:pktReorderDistance d:pktRcvAvgBelatedTime q:pktRcvBelated
i:pktSndDrop i:pktRcvDrop i:pktRcvUndecrypt Q:byteSent Q:byteRecv Q:byteRcvLoss Q:byteRetrans Q:byteSndDrop
Q:byteRcvDrop Q:byteRcvUndecrypt
d:usPktSndPeriod i:pktFlowWindow i:pktCongestionWindow i:pktFlightSize d:msRTT d:mbpsBandwidth i:byteAvailSndBuf
i:byteAvailRcvBuf d:mbpsMaxBW i:byteMSS i:pktSndBuf i:byteSndBuf i:msSndBuf i:msSndTsbPdDelay i:pktRcvBuf i:byteRcvBuf
i:msRcvBuf i:msRcvTsbPdDelay i:pktSndFilterExtraTotal i:pktRcvFilterExtraTotal i:pktRcvFilterSupplyTotal
i:pktRcvFilterLossTotal i:pktSndFilterExtra i:pktRcvFilterExtra i:pktRcvFilterSupply i:pktRcvFilterLoss
i:pktReorderTolerance
q:pktSentUniqueTotal q:pktRecvUniqueTotal Q:byteSentUniqueTotal Q:byteRecvUniqueTotal q:pktSentUnique q:pktRecvUnique
Q:byteSentUnique Q:byteRecvUnique
"""


class PerfMon(Structure):
    """SRT_TRACEBSTATS of libsrt 1.5. `room` is spare memory for fields that a later 1.x appends."""

    _fields_ = (
        *((name, _C_TYPES[letter]) for letter, _, name in (word.partition(":") for word in _PERFMON.split())),
        ("room", c_uint64 * 64),
    )


class SrtError(Exception):
    """A call of libsrt failed. The text is the library's error message."""


class LibSrt:
    """The initialised library libsrt. A socket is an int; a failed call raises SrtError."""

    def __init__(self) -> None:
        self._lib = _load()
        self._lib.srt_getlasterror_str.restype = c_char_p
        self._lib.srt_rejectreason_str.restype = c_char_p
        self._lib.srt_recvmsg2.argtypes = (c_int, c_char_p, c_int, POINTER(MessageControl))
        if self._lib.srt_startup() < 0:
            raise SrtError(self.error())

    def error(self) -> str:
        """Return the library's last error message."""
        return str(self._lib.srt_getlasterror_str().decode())

    def socket(self) -> int:
        """Create a socket and return its id."""
        return self._checked(self._lib.srt_create_socket())

    def set(self, sock: int, option: Option, value: int | bool | bytes) -> None:
        """Set an option. A bool is passed as a C++ bool, an int as 32 bits."""
        data = value if isinstance(value, bytes) else struct.pack("@?" if isinstance(value, bool) else "@i", value)
        self._checked(self._lib.srt_setsockflag(sock, c_int(option), data, c_int(len(data))))

    def get(self, sock: int, option: Option) -> int:
        """Return the value of an option of 32 bits."""
        value, size = c_int32(), c_int(4)
        self._checked(self._lib.srt_getsockflag(sock, c_int(option), ctypes.byref(value), ctypes.byref(size)))
        return int(value.value)

    def text(self, sock: int, option: Option) -> str:
        """Return the value of an option that is a text."""
        value, size = ctypes.create_string_buffer(1024), c_int(1024)
        self._checked(self._lib.srt_getsockflag(sock, c_int(option), value, ctypes.byref(size)))
        return value.raw[: size.value].decode()

    def read(self, sock: int, option: Option) -> int:
        """Return the value of an option of any width: 64 bits, 32 bits, or one byte for a flag."""
        value = c_int64() if option in _WIDE else c_int32()
        size = c_int(ctypes.sizeof(value))
        self._checked(self._lib.srt_getsockflag(sock, c_int(option), ctypes.byref(value), ctypes.byref(size)))
        return int(value.value) & 0xFF if option in _FLAGS else int(value.value)

    def state(self, sock: int) -> SocketState:
        """Return the socket's state."""
        return SocketState(self._lib.srt_getsockstate(sock))

    def connect(self, sock: int, host: str, port: int) -> None:
        """Call a listener. Raises SrtError with the reason if it refuses or does not answer."""
        address = _sockaddr(host, port)
        if self._lib.srt_connect(sock, address, len(address)) < 0:
            why = self._lib.srt_rejectreason_str(self._lib.srt_getrejectreason(sock)).decode()
            raise SrtError(f"{self.error()} ({why})")

    def bind(self, sock: int, host: str, port: int) -> None:
        """Bind the socket to a local address. Sockets of one process that bind the same address share its UDP port."""
        address = _sockaddr(host, port)
        self._checked(self._lib.srt_bind(sock, address, len(address)))

    def listen(self, sock: int, host: str, port: int) -> None:
        """Bind the socket to a local address and listen."""
        address = _sockaddr(host, port)
        self._checked(self._lib.srt_bind(sock, address, len(address)))
        self._checked(self._lib.srt_listen(sock, 5))

    def accept(self, sock: int) -> int:
        """Wait without a time limit for the next caller and return its socket."""
        return self._checked(self._lib.srt_accept(sock, None, None))

    def receive(self, sock: int, buffer: ctypes.Array[ctypes.c_char], control: MessageControl) -> int:
        """Wait for a message and return its length, or 0 after RCVTIMEO. Raises SrtError if the connection is lost."""
        size: int = self._lib.srt_recvmsg2(sock, buffer, len(buffer), ctypes.byref(control))
        if size >= 0:
            return size
        if self._lib.srt_getlasterror(None) == _TIMED_OUT:
            return 0
        raise SrtError(self.error())

    def stats(self, sock: int) -> PerfMon:
        """Return the connection's counters, and the current values of its gauges."""
        made = PerfMon()
        self._checked(self._lib.srt_bistats(sock, ctypes.byref(made), 0, 1))
        return made

    def close(self, sock: int) -> None:
        """Close the socket and notify the peer."""
        self._lib.srt_close(sock)

    def cleanup(self) -> None:
        """End the library's threads."""
        self._lib.srt_cleanup()

    def _checked(self, result: int) -> int:
        if result < 0:
            raise SrtError(self.error())
        return result


_TIMED_OUT = 6003  # SRT_ETIMEOUT: MJ_AGAIN 6000 + MN_XMTIMEOUT 3


def _load() -> ctypes.CDLL:
    for name in _LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise SrtError(f"none of {', '.join(_LIBRARIES)} is installed")


def _sockaddr(host: str, port: int) -> bytes:
    return struct.pack("@H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(host) + bytes(8)
