"""libsrt's counters and gauges of one connection: SRT_TRACEBSTATS, field by field, sender's and receiver's."""

from __future__ import annotations

import ctypes
from typing import Any, Final

from app.srt.binding import library

_STATS_UNIQUE_SINCE: Final = 0x010500  # pktSentUniqueTotal and its kin came with libsrt 1.5.0
_ROOM_WORDS: Final = 64  # room for fields that a later 1.x appends

_FIELD_TYPES: Final[dict[str, type[ctypes._SimpleCData[Any]]]] = {
    "l": ctypes.c_int64,
    "i": ctypes.c_int,
    "d": ctypes.c_double,
}


class Statistics(ctypes.Structure):
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
    ] + [("_room", ctypes.c_uint64 * _ROOM_WORDS)]


FIELDS: Final[tuple[str, ...]] = tuple(name for name, *_ in Statistics._fields_ if name != "_room")


def read_statistics(number: int) -> Statistics | None:
    """Return the counters and present buffer levels of the socket with that number, None if it has none."""
    srt = library()
    stats = Statistics()
    if srt.c.srt_bistats(number, ctypes.byref(stats), 0, 1) != 0:
        return None
    if srt.version < _STATS_UNIQUE_SINCE:
        stats.pktSentUniqueTotal = stats.pktSentTotal - stats.pktRetransTotal
        stats.byteSentUniqueTotal = stats.byteSentTotal - stats.byteRetransTotal
    return stats


def all_figures(stats: Statistics) -> dict[str, float]:
    """Return every figure under libsrt's own name, for the debug view."""
    return {name: getattr(stats, name) for name in FIELDS}
