"""One SRT socket: create, listen, call, send, options, state. `statistics` has the figures."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from enum import IntEnum
from typing import Final

import msgspec

from app.srt.addresses import address_at, address_text, printable, sockaddr
from app.srt.binding import ErrorCode, ListenCallback, MessageControl, library
from app.srt.callbacks import kept_callback
from app.srt.options import Kind, Option, OptionRefused, Value, encoded
from app.srt.statistics import Statistics, read_statistics

_SOCKADDR_ROOM: Final = 128
_TEXT_ROOM: Final = 513
_REFUSED: Final = -1


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


ENDED: Final = frozenset({State.BROKEN, State.CLOSING, State.CLOSED, State.NONEXIST})
KEY_STATES: Final = ("unsecured", "securing", "secured", "no_secret", "bad_secret")


class Call(msgspec.Struct, frozen=True):
    """A caller before it is admitted.

    `number` is the socket that it will get; `version` is that of its handshake, 5 today.
    """

    number: int
    address: str
    stream_id: str
    version: int


# Decides about a caller in a thread of libsrt: 0 admits it, a reject code (see `rejections`) refuses it.
OnCall = Callable[[Call], int]


class SrtSocket:
    """A socket by its number; equal numbers are the same socket. Methods raise SrtError unless stated otherwise."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    @classmethod
    def create(cls) -> SrtSocket:
        """Make a socket."""
        srt = library()
        return cls(srt.checked(srt.c.srt_create_socket()))

    def set(self, option: Option, value: Value) -> None:
        """Set an option. Raises OptionRefused, which names option, value and reason."""
        srt, data = library(), encoded(option, value)
        if srt.c.srt_setsockflag(self.number, option.number, data, len(data)) < 0:
            raise OptionRefused(option, value, srt.last_error())

    def set_all(self, options: dict[Option, Value]) -> None:
        """Set options in their order. Raises OptionRefused."""
        for option, value in options.items():
            self.set(option, value)

    def try_to_set(self, option: Option, value: Value) -> bool:
        """Set an option on a socket that may already be closed, in which case nothing is needed."""
        data = encoded(option, value)
        return bool(library().c.srt_setsockflag(self.number, option.number, data, len(data)) == 0)

    def option(self, option: Option) -> int | None:
        """Return a number or flag (0, 1) in force, None if it cannot be read."""
        value = ctypes.c_int64() if option.kind is Kind.WIDE else ctypes.c_int()
        size = ctypes.c_int(ctypes.sizeof(value))
        read = library().c.srt_getsockflag
        if read(self.number, option.number, ctypes.byref(value), ctypes.byref(size)) != 0:
            return None
        # libsrt writes one byte for a flag.
        return int(value.value) & 0xFF if option.kind is Kind.FLAG else int(value.value)

    def text_option(self, option: Option) -> str:
        """Return a text in force, which may be the peer's: unprintable characters are replaced. Empty without one."""
        buffer, size = ctypes.create_string_buffer(_TEXT_ROOM), ctypes.c_int(_TEXT_ROOM - 1)
        if library().c.srt_getsockflag(self.number, option.number, buffer, ctypes.byref(size)) != 0:
            return ""
        return printable(buffer.raw[: max(0, size.value)].rstrip(b"\0"))

    def bind(self, address: str, port: int) -> None:
        """Bind to a numeric address; "" is every IPv4 address."""
        raw, srt = sockaddr(address, port), library()
        srt.checked(srt.c.srt_bind(self.number, raw, len(raw)))

    def listen(self, backlog: int) -> None:
        """Accept calls from now on; call `on_call` before this."""
        srt = library()
        srt.checked(srt.c.srt_listen(self.number, backlog))

    def on_call(self, decide: OnCall) -> None:
        """Call `decide` for each caller, before its passphrase is checked. An exception of it refuses the caller."""
        srt = library()

        def handle(_opaque: int, number: int, version: int, peer: int, stream_id: bytes | None) -> int:
            code = decide(Call(number, address_at(peer), printable(stream_id), version))
            if code:
                srt.c.srt_setrejectreason(number, code)
            return _REFUSED if code else 0

        callback = kept_callback(ListenCallback, handle, _REFUSED)
        srt.checked(srt.c.srt_listen_callback(self.number, callback, None))

    def accept(self) -> SrtSocket | None:
        """Return the next connection, None if none waits (with RCVSYN off)."""
        srt = library()
        number = srt.c.srt_accept(self.number, None, None)
        if number >= 0:
            return SrtSocket(number)
        if (error := srt.last_error()).code == ErrorCode.WOULD_BLOCK_RECEIVING:
            return None
        raise error

    def connect(self, address: str, port: int) -> None:
        """Call a numeric address.

        With RCVSYN off it returns at once, and `state` is CONNECTING until the call is answered.
        """
        raw, srt = sockaddr(address, port), library()
        srt.checked(srt.c.srt_connect(self.number, raw, len(raw)))

    def meet(self, local: tuple[str, int], remote: tuple[str, int]) -> None:
        """Call in rendezvous mode: both ends call each other, each from its own address and port."""
        here, there, srt = sockaddr(*local), sockaddr(*remote), library()
        srt.checked(srt.c.srt_rendezvous(self.number, here, len(here), there, len(there)))

    def send(self, data: bytes, due_us: int = 0) -> bool:
        """Send a message with a time of `time_now_us`. Return False if the send buffer is full (with SNDSYN off)."""
        srt, control = library(), MessageControl(0, -1, 0, 0, due_us, -1, -1)
        if srt.c.srt_sendmsg2(self.number, data, len(data), ctypes.byref(control)) >= 0:
            return True
        if (error := srt.last_error()).code == ErrorCode.WOULD_BLOCK_SENDING:
            return False
        raise error

    def state(self) -> State:
        """Return the socket's state; NONEXIST for a number without a socket."""
        return State(library().state_of(self.number))

    def statistics(self) -> Statistics | None:
        """Return counters and gauges, None if the socket has none."""
        return read_statistics(self.number)

    def peer_address(self) -> str | None:
        """Return `192.0.2.7:41234` or `[2001:db8::7]:41234`, None while there is no peer."""
        return self._address(library().c.srt_getpeername)

    def own_address(self) -> str | None:
        """Return the address and port to which the socket is bound, or None."""
        return self._address(library().c.srt_getsockname)

    def _address(self, function: Callable[..., int]) -> str | None:
        buffer, size = ctypes.create_string_buffer(_SOCKADDR_ROOM), ctypes.c_int(_SOCKADDR_ROOM)
        return address_text(buffer.raw) if function(self.number, buffer, ctypes.byref(size)) == 0 else None

    def reject_code(self) -> int:
        """Return why the call failed (SRT_REJECT_REASON), 0 if that is not known; see `rejections`."""
        return int(library().c.srt_getrejectreason(self.number))

    def key_state(self) -> str | None:
        """Return SRTO_SNDKMSTATE in words: one of KEY_STATES, or None."""
        value = self.option(Option.SNDKMSTATE)
        return KEY_STATES[value] if value is not None and 0 <= value < len(KEY_STATES) else None

    def connected_s(self) -> float:
        """Return the seconds since the connection was made."""
        srt = library()
        made = srt.c.srt_connection_time(self.number)
        return 0.0 if made <= 0 else max(0.0, (srt.c.srt_time_now() - made) / 1e6)

    def close(self) -> None:
        """Close the socket, which notifies the peer; may be called twice."""
        library().c.srt_close(self.number)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SrtSocket) and other.number == self.number

    def __hash__(self) -> int:
        return self.number
