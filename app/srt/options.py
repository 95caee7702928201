"""libsrt's socket options in one table: number, type, and when each may be set (srt.h and API-socket-options.md, 1.5).

The name in lower case is also GStreamer's URI parameter. `spec_options` selects the options for a spec.
"""

from __future__ import annotations

import struct
from enum import Enum, StrEnum
from typing import Final

from app.srt.binding import SrtError

Value = int | bool | str


class Kind(StrEnum):
    """An option's C type."""

    INT = "i"
    WIDE = "q"
    FLAG = "?"
    TEXT = "s"


class Stage(StrEnum):
    """Until when an option may be set. READ options are never set."""

    BEFORE_BIND = "before_bind"
    BEFORE_CONNECT = "before_connect"
    ANY_TIME = "any_time"
    READ = "read"


class Option(Enum):
    """SRT_SOCKOPT.

    Add options when needed. `SRTO_LATENCY` stays out, because it sets both directions without saying so.
    """

    MSS = (0, Kind.INT, Stage.BEFORE_BIND)
    SNDSYN = (1, Kind.FLAG, Stage.ANY_TIME)
    RCVSYN = (2, Kind.FLAG, Stage.ANY_TIME)
    FC = (4, Kind.INT, Stage.BEFORE_CONNECT)
    SNDBUF = (5, Kind.INT, Stage.BEFORE_BIND)
    RCVBUF = (6, Kind.INT, Stage.BEFORE_BIND)
    UDP_SNDBUF = (8, Kind.INT, Stage.BEFORE_BIND)
    UDP_RCVBUF = (9, Kind.INT, Stage.BEFORE_BIND)
    RENDEZVOUS = (12, Kind.FLAG, Stage.BEFORE_CONNECT)
    SNDTIMEO = (13, Kind.INT, Stage.ANY_TIME)
    RCVTIMEO = (14, Kind.INT, Stage.ANY_TIME)
    REUSEADDR = (15, Kind.FLAG, Stage.BEFORE_BIND)
    MAXBW = (16, Kind.WIDE, Stage.ANY_TIME)
    SNDDATA = (19, Kind.INT, Stage.READ)
    RCVDATA = (20, Kind.INT, Stage.READ)
    INPUTBW = (24, Kind.WIDE, Stage.ANY_TIME)
    OHEADBW = (25, Kind.INT, Stage.ANY_TIME)
    PASSPHRASE = (26, Kind.TEXT, Stage.BEFORE_CONNECT)
    PBKEYLEN = (27, Kind.INT, Stage.BEFORE_CONNECT)
    IPTTL = (29, Kind.INT, Stage.BEFORE_BIND)
    IPTOS = (30, Kind.INT, Stage.BEFORE_BIND)
    TLPKTDROP = (31, Kind.FLAG, Stage.BEFORE_CONNECT)
    SNDDROPDELAY = (32, Kind.INT, Stage.ANY_TIME)
    NAKREPORT = (33, Kind.FLAG, Stage.BEFORE_CONNECT)
    PEERVERSION = (35, Kind.INT, Stage.READ)
    CONNTIMEO = (36, Kind.INT, Stage.BEFORE_CONNECT)
    DRIFTTRACER = (37, Kind.FLAG, Stage.ANY_TIME)
    MININPUTBW = (38, Kind.WIDE, Stage.ANY_TIME)
    SNDKMSTATE = (40, Kind.INT, Stage.READ)
    RCVKMSTATE = (41, Kind.INT, Stage.READ)
    LOSSMAXTTL = (42, Kind.INT, Stage.ANY_TIME)
    RCVLATENCY = (43, Kind.INT, Stage.BEFORE_CONNECT)
    PEERLATENCY = (44, Kind.INT, Stage.BEFORE_CONNECT)
    MINVERSION = (45, Kind.INT, Stage.BEFORE_CONNECT)
    STREAMID = (46, Kind.TEXT, Stage.BEFORE_CONNECT)
    PAYLOADSIZE = (49, Kind.INT, Stage.BEFORE_CONNECT)
    KMREFRESHRATE = (51, Kind.INT, Stage.BEFORE_CONNECT)
    KMPREANNOUNCE = (52, Kind.INT, Stage.BEFORE_CONNECT)
    ENFORCEDENCRYPTION = (53, Kind.FLAG, Stage.BEFORE_CONNECT)
    IPV6ONLY = (54, Kind.INT, Stage.BEFORE_BIND)
    PEERIDLETIMEO = (55, Kind.INT, Stage.BEFORE_CONNECT)
    BINDTODEVICE = (56, Kind.TEXT, Stage.BEFORE_BIND)
    GROUPCONNECT = (57, Kind.INT, Stage.BEFORE_CONNECT)
    PACKETFILTER = (60, Kind.TEXT, Stage.BEFORE_CONNECT)
    RETRANSMITALGO = (61, Kind.INT, Stage.BEFORE_CONNECT)
    CRYPTOMODE = (62, Kind.INT, Stage.BEFORE_CONNECT)
    MAXREXMITBW = (63, Kind.WIDE, Stage.ANY_TIME)

    def __init__(self, number: int, kind: Kind, stage: Stage) -> None:
        self.number = number
        self.kind = kind
        self.stage = stage

    @property
    def key(self) -> str:
        """The option's name in GStreamer's URI parameters and the debug view."""
        return self.name.lower()


_SECRET: Final = frozenset({Option.PASSPHRASE})


class OptionRefused(Exception):
    """This libsrt refuses an option; the message names option, value and reason, and never a passphrase."""

    def __init__(self, option: Option, value: Value, error: SrtError) -> None:
        shown = "•" if option in _SECRET else value
        super().__init__(f"libsrt refuses {option.key}={shown}: {error.text}")
        self.option = option


def encoded(option: Option, value: Value) -> bytes:
    """Return a value in the option's C type."""
    if option.kind is Kind.TEXT:
        return str(value).encode()
    return struct.pack(f"@{option.kind}", value)


def uri_parameters(options: dict[Option, Value]) -> dict[str, str]:
    """Return options as GStreamer's SRT URI spells them; its booleans must be lower case."""
    return {
        option.key: str(value).lower() if option.kind is Kind.FLAG else str(value) for option, value in options.items()
    }
