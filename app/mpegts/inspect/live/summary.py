"""Lists services and PIDs of a received stream for a report."""

from __future__ import annotations

from typing import Final

from app.domain.constants import NULL_PID
from app.domain.figures.live_report import LivePid, LiveService
from app.mpegts.codecs import WELL_KNOWN, Codec
from app.mpegts.inspect.live.pids import PidBook
from app.mpegts.inspect.live.programmes import Programmes
from app.mpegts.tables import Service

PIDS_LISTED_MAX: Final = 256
_UNKNOWN: Final = Codec("unknown", "not in any table")
_MAP: Final = Codec("tables", "PMT")


def list_services(programmes: Programmes) -> tuple[LiveService, ...]:
    """Return the programmes of the PAT in its order."""
    listed = []
    for number, map_pid in programmes.pat.items():
        service = programmes.services.get(number) or Service(number, "", "")
        programme = programmes.maps.get(number)
        clock = None if programme is None or programme.pcr_pid == NULL_PID else programme.pcr_pid
        streams = tuple(stream.pid for stream in programme.streams) if programme else ()
        listed.append(LiveService(number, service.name, service.provider, map_pid, clock, streams))
    return tuple(listed)


def list_pids(book: PidBook, programmes: Programmes, rates: dict[int, int], now: float) -> tuple[LivePid, ...]:
    """Return the PIDs since the reset in order; only the busiest ones if there are too many."""
    chosen = list(book.by_pid)
    if len(chosen) > PIDS_LISTED_MAX:
        chosen.sort(key=lambda pid: (pid not in programmes.roles, -book.by_pid[pid].packets))
        del chosen[PIDS_LISTED_MAX:]
    scrambled = book.scrambled(now)
    return tuple(_describe(pid, book, programmes, rates.get(pid, 0), pid in scrambled) for pid in sorted(chosen))


def _describe(pid: int, book: PidBook, programmes: Programmes, bitrate_bps: int, is_scrambled: bool) -> LivePid:
    state, role = book.by_pid[pid], programmes.roles.get(pid)
    codec = role.codec if role else _MAP if pid in programmes.map_pids else WELL_KNOWN.get(pid, _UNKNOWN)
    return LivePid(
        pid=pid,
        kind=codec.kind,
        codec=codec.name,
        language=role.language if role else "",
        bitrate_bps=bitrate_bps,
        packets_total=state.packets,
        continuity_errors=state.continuity_errors,
        is_scrambled=is_scrambled,
        is_pcr=pid in programmes.clock_pids,
        service=role.number if role else None,
        has_captions=state.has_captions,
    )
