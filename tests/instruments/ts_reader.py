"""A simple, slow reader of transport streams for tests, independent of the product's code.

It was written from ISO/IEC 13818-1 alone and shares no code with app.mpegts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

WRAP_27 = (1 << 33) * 300
WRAP_90 = 1 << 33


@dataclass
class Pid:
    """The findings of one PID. PCRs are (packet index, 27 MHz); units are (packet index, PTS, DTS) in 90 kHz."""

    packets: int = 0
    continuity_errors: list[int] = field(default_factory=list)
    pcrs: list[tuple[int, int]] = field(default_factory=list)
    opcrs: list[int] = field(default_factory=list)
    units: list[tuple[int, int | None, int | None]] = field(default_factory=list)
    sections: list[bytes] = field(default_factory=list)
    section_errors: int = 0
    discontinuities: int = 0
    _counter: int | None = None
    _twin: bytes = b""
    _twins: int = 0
    _pes: bytearray = field(default_factory=bytearray)
    _pes_at: int = 0
    _section: bytearray = field(default_factory=bytearray)

    def pcr_steps_ms(self) -> list[float]:
        """Return the milliseconds between successive PCRs, negative where the clock jumps back."""
        return [signed(after - before, WRAP_27) / 27_000 for (_, before), (_, after) in pairwise(self.pcrs)]

    def decode_steps(self) -> list[int]:
        """Return the 90 kHz ticks between the decoding times of access units (DTS, or PTS where there is no DTS)."""
        times = [dts if dts is not None else pts for _, pts, dts in self.units if pts is not None]
        return [signed(after - before, WRAP_90) for before, after in pairwise(times)]


@dataclass
class Report:
    """The findings of a whole stream."""

    packets: int = 0
    sync_errors: int = 0
    pids: dict[int, Pid] = field(default_factory=dict)

    def continuity_errors(self) -> int:
        """Return the number of continuity errors on all PIDs together."""
        return sum(len(pid.continuity_errors) for pid in self.pids.values())

    def section_errors(self) -> int:
        """Return the number of sections whose CRC is wrong."""
        return sum(pid.section_errors for pid in self.pids.values())


def signed(difference: int, wrap: int) -> int:
    """Return the difference of two clock values that wrap, as the signed value with the smaller magnitude."""
    difference %= wrap
    return difference if difference < wrap // 2 else difference - wrap


def read_ts(data: bytes | bytearray) -> Report:
    """Read a stream that begins with a whole packet. A partial packet at the end counts as a sync error."""
    report = Report()
    for at in range(0, len(data), 188):
        packet = data[at : at + 188]
        if len(packet) < 188 or packet[0] != 0x47:
            report.sync_errors += 1
            continue
        number = (packet[1] & 0x1F) << 8 | packet[2]
        pid = report.pids.setdefault(number, Pid())
        _read_packet(pid, number, bytes(packet), report.packets)
        report.packets += 1
    for pid in report.pids.values():
        _close_pes(pid)
    return report


class Follower:
    """Checks a stream for hours as its packets arrive. Keeps only the errors."""

    def __init__(self) -> None:
        self._report = Report()

    def take(self, packets: bytes) -> None:
        """Read the next packets. A partial packet counts as a sync error."""
        report = self._report
        for at in range(0, len(packets), 188):
            packet = packets[at : at + 188]
            if len(packet) < 188 or packet[0] != 0x47:
                report.sync_errors += 1
                continue
            report.packets += 1
            number = (packet[1] & 0x1F) << 8 | packet[2]
            if number != 0x1FFF:
                pid = report.pids.setdefault(number, Pid())
                announced = bool(packet[3] & 0x20 and packet[4] and packet[5] & 0x80)
                has_payload = bool(packet[3] & 0x10)
                _follow_counter(pid, packet, report.packets, has_payload=has_payload, announced=announced)

    def errors(self) -> tuple[int, int]:
        """Return the numbers of continuity errors and sync errors so far."""
        return self._report.continuity_errors(), self._report.sync_errors


def _read_packet(pid: Pid, number: int, packet: bytes, index: int) -> None:
    pid.packets += 1
    if number == 0x1FFF:
        return
    has_adaptation, has_payload = bool(packet[3] & 0x20), bool(packet[3] & 0x10)
    announced, payload = False, packet[4:]
    if has_adaptation:
        length = packet[4]
        announced = _read_adaptation(pid, packet[5 : 5 + length], index)
        payload = packet[5 + length :]
    _follow_counter(pid, packet, index, has_payload=has_payload, announced=announced)
    if not has_payload or packet[3] & 0xC0 or not payload:
        return
    starts = bool(packet[1] & 0x40)
    if number < 0x20 or pid.sections or (starts and payload[:3] != b"\0\0\1" and not pid._pes):
        _read_section(pid, payload, starts)
    elif starts:
        _close_pes(pid)
        pid._pes, pid._pes_at = bytearray(payload), index
    elif len(pid._pes) < 64:
        pid._pes += payload


def _read_adaptation(pid: Pid, field_: bytes, index: int) -> bool:
    if not field_:
        return False
    flags, at = field_[0], 1
    if flags & 0x10:
        pid.pcrs.append((index, _clock(field_[at : at + 6])))
        at += 6
    if flags & 0x08:
        pid.opcrs.append(_clock(field_[at : at + 6]))
    if flags & 0x80:
        pid.discontinuities += 1
    return bool(flags & 0x80)


def _clock(six: bytes) -> int:
    base = six[0] << 25 | six[1] << 17 | six[2] << 9 | six[3] << 1 | six[4] >> 7
    extension = (six[4] & 1) << 8 | six[5]
    assert extension < 300, "a PCR extension is below 300"
    return base * 300 + extension


def _follow_counter(pid: Pid, packet: bytes, index: int, *, has_payload: bool, announced: bool) -> None:
    counter, before = packet[3] & 0x0F, pid._counter
    pid._counter = counter
    twin, pid._twin = pid._twin, _without_pcr(packet)
    if before is None or announced:
        return
    if not has_payload:
        if counter != before:
            pid.continuity_errors.append(index)
        return
    if counter == before and pid._twin == twin and pid._twins == 0:
        pid._twins = 1  # one duplicate is allowed, and its PCR may differ
        return
    pid._twins = 0
    if counter != (before + 1) & 0x0F:
        pid.continuity_errors.append(index)


def _without_pcr(packet: bytes) -> bytes:
    if packet[3] & 0x20 and packet[4] >= 7 and packet[5] & 0x10:
        return packet[:6] + packet[12:]
    return packet


def _close_pes(pid: Pid) -> None:
    pes, pid._pes = bytes(pid._pes), bytearray()
    if len(pes) < 9 or pes[:3] != b"\0\0\1" or pes[3] in (0xBC, 0xBE, 0xBF, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF):
        return
    pts = _time(pes[9:14], pes[7] >> 6) if pes[7] & 0x80 and len(pes) >= 14 else None
    dts = _time(pes[14:19], 1) if pes[7] & 0xC0 == 0xC0 and len(pes) >= 19 else None
    if pts is not None:
        pid.units.append((pid._pes_at, pts, dts))


def _time(five: bytes, prefix: int) -> int:
    assert five[0] >> 4 == prefix, "the prefix before a PTS or DTS follows its flags"
    assert five[0] & 1, "a marker bit is 1"
    assert five[2] & 1, "a marker bit is 1"
    assert five[4] & 1, "a marker bit is 1"
    return (five[0] >> 1 & 7) << 30 | five[1] << 22 | five[2] >> 1 << 15 | five[3] << 7 | five[4] >> 1


def _read_section(pid: Pid, payload: bytes, starts: bool) -> None:
    if starts:
        pointer = payload[0]
        if pid._section:
            _take_section(pid, payload[1 : 1 + pointer])
        pid._section.clear()
        _take_section(pid, payload[1 + pointer :])
    elif pid._section:
        _take_section(pid, payload)


def _take_section(pid: Pid, data: bytes) -> None:
    pid._section += data
    while len(pid._section) >= 3 and pid._section[0] != 0xFF:
        length = 3 + ((pid._section[1] & 0x0F) << 8 | pid._section[2])
        if len(pid._section) < length:
            return
        section = bytes(pid._section[:length])
        del pid._section[:length]
        pid.sections.append(section)
        has_crc = section[1] & 0x80 or section[0] == 0x73  # a TOT has a CRC without the long header
        if has_crc and slow_crc32(section):
            pid.section_errors += 1
    if pid._section[:1] == b"\xff":
        pid._section.clear()


def slow_crc32(data: bytes) -> int:
    """Return the CRC-32/MPEG-2, computed bit by bit as in the standard. It is 0 over a section with a correct CRC."""
    register = 0xFFFFFFFF
    for byte in data:
        for bit in range(7, -1, -1):
            feedback = (register >> 31) ^ (byte >> bit & 1)
            register = register << 1 & 0xFFFFFFFF
            if feedback:
                register ^= 0x04C11DB7
    return register
