"""The present contents of PAT, PMT, CAT and SDT: programmes, roles of PIDs, service names."""

from __future__ import annotations

from typing import Final

import msgspec

from app.domain.constants import NULL_PID
from app.mpegts.codecs import Codec, codec_of, language_of
from app.mpegts.tables import Programme, Service, Stream, read_cat, read_pat, read_pmt, read_sdt

_PROGRAMMES_MAX: Final = 256
_STREAMS_MAX: Final = 1024
_SERVICES_MAX: Final = 512
_SPLICE_PIDS_MAX: Final = 16
_CA_DESCRIPTOR: Final = 0x09
_SCTE35: Final = "SCTE-35"


class StreamRole(msgspec.Struct, frozen=True):
    """What the PID of an elementary stream carries, and the first programme that names it."""

    number: int
    codec: Codec
    language: str


class Programmes:
    """The programmes of the latest PAT with their latest maps. `revision` changes whenever roles of PIDs may change."""

    def __init__(self) -> None:
        self.revision = 0
        self.pat: dict[int, int] = {}
        self.maps: dict[int, Programme] = {}
        self.services: dict[int, Service] = {}
        self.roles: dict[int, StreamRole] = {}
        self.map_pids: frozenset[int] = frozenset()
        self.clock_pids: frozenset[int] = frozenset()
        self.splice_pids: frozenset[int] = frozenset()
        self.conditional_access_pids: frozenset[int] = frozenset()
        self._network_pid: int | None = None
        self._pat_parts: dict[int, dict[int, int]] = {}
        self._pat_version = -1
        self._cat_pids: frozenset[int] = frozenset()
        self._service_version = -1

    def numbers(self) -> set[int]:
        """Return the numbers of all programmes."""
        return set(self.pat)

    def are_complete(self) -> bool:
        """Return whether the PAT and the map of each of its programmes are known."""
        return bool(self.pat) and len(self.maps) == len(self.pat)

    def is_referenced(self, pid: int) -> bool:
        """Return whether a table refers to a PID, or a standard reserves it."""
        return (
            pid < 0x20
            or pid in self.roles
            or pid in self.map_pids
            or pid in self.clock_pids
            or pid in self.conditional_access_pids
            or pid in (NULL_PID, self._network_pid, 0x1FFB)
        )

    def take_pat(self, section: bytes) -> bool:
        """Read a PAT section with a correct CRC. Return whether it changed the programmes."""
        found = read_pat(section)
        if found is None:
            return False  # announced for later
        version = section[5] >> 1 & 0x1F
        if version != self._pat_version:
            self._pat_version = version
            self._pat_parts.clear()
        self._network_pid = _network_pid(section)
        self._pat_parts[section[6]] = found
        pat: dict[int, int] = {}
        for part in self._pat_parts.values():
            pat.update(part)
        pat = dict(list(pat.items())[:_PROGRAMMES_MAX])
        if pat == self.pat:
            return False
        self.pat = pat
        self.maps = {number: found for number, found in self.maps.items() if number in pat}
        self.map_pids = frozenset(pat.values())
        self._refresh()
        return True

    def take_pmt(self, pid: int, section: bytes) -> int | None:
        """Read a PMT section with a correct CRC. Return the programme's number if the PAT expects it on this PID."""
        programme = read_pmt(section)
        if programme is None or self.pat.get(programme.number) != pid:
            return None
        if self.maps.get(programme.number) != programme:
            self.maps[programme.number] = programme
            self._refresh()
        return programme.number

    def take_cat(self, section: bytes) -> None:
        """Read a CAT section with a correct CRC, which names the PIDs of entitlement messages."""
        pids = frozenset(_access_pids(read_cat(section) or ()))
        if pids != self._cat_pids:
            self._cat_pids = pids
            self._refresh()

    def take_sdt(self, section: bytes) -> None:
        """Read the service names from an SDT section with a correct CRC."""
        version = section[5] >> 1 & 0x1F
        if version != self._service_version:
            self._service_version = version
            self.services.clear()
        for service in read_sdt(section) or ():
            if len(self.services) < _SERVICES_MAX:
                self.services[service.id] = service

    def _refresh(self) -> None:
        self.revision += 1
        self.roles = {}
        clocks: set[int] = set()
        splices: set[int] = set()
        access = set(self._cat_pids)
        for number, programme in self.maps.items():
            if programme.pcr_pid != NULL_PID:
                clocks.add(programme.pcr_pid)
            access.update(_access_pids(programme.descriptors))
            for stream in programme.streams[: _STREAMS_MAX - len(self.roles)]:
                role = self.roles.setdefault(stream.pid, _role(number, stream))
                access.update(_access_pids(stream.descriptors))
                if role.codec.name == _SCTE35 and len(splices) < _SPLICE_PIDS_MAX:
                    splices.add(stream.pid)
        self.clock_pids, self.splice_pids = frozenset(clocks), frozenset(splices)
        self.conditional_access_pids = frozenset(access)


def _role(number: int, stream: Stream) -> StreamRole:
    return StreamRole(number, codec_of(stream), language_of(stream))


def _network_pid(section: bytes) -> int | None:
    for at in range(8, len(section) - 7, 4):
        if section[at : at + 2] == b"\0\0":
            return (section[at + 2] & 0x1F) << 8 | section[at + 3]
    return None


def _access_pids(descriptors: tuple[tuple[int, bytes], ...]) -> list[int]:
    return [(body[2] & 0x1F) << 8 | body[3] for tag, body in descriptors if tag == _CA_DESCRIPTOR and len(body) >= 4]
