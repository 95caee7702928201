"""Generates transport streams that a loop or a check must handle. Independent of the product's code.

All slots have the same duration. A PCR is the time of its slot. Access units arrive before they are decoded. A stream
with a variable bitrate is the same multiplex without its null packets.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.instruments.ts_reader import WRAP_27, WRAP_90, slow_crc32

NULL_PACKET = bytes([0x47, 0x1F, 0xFF, 0x10]) + bytes(184)
AUDIO_TICKS = 1920  # an AAC frame at 48 kHz
FRAME_TICKS = 3600  # a picture at 25 Hz


@dataclass
class Programme:
    """One programme of a multiplex. Its clock starts at `start_pcr` (27 MHz) and is fast by `ppm` parts per million."""

    number: int = 1
    start_pcr: int = 27_000_000 * 10
    ppm: float = 0.0
    video_kbps: int = 1000
    video_pid: int = 0
    audio_pid: int = 0
    pcr_pid: int = 0
    pmt_pid: int = 0
    delay_ms: tuple[float, float] = (200.0, 200.0)  # from arrival to decoding, at the file's start and end
    scrambled: bool = False
    # The time of its first PCR, and the time after which it has no more PCRs.
    pcr_phase_ms: float = 4.0
    pcr_until_s: float = 1e9

    def __post_init__(self) -> None:
        base = 0x100 * self.number
        self.pmt_pid = self.pmt_pid or base
        self.video_pid = self.video_pid or base + 1
        self.audio_pid = self.audio_pid or base + 2
        self.pcr_pid = self.pcr_pid or self.video_pid

    def pcr_at(self, seconds: float) -> int:
        """Return the value of the clock after `seconds`, in 27 MHz ticks modulo its wrap."""
        return round(self.start_pcr + seconds * 27_000_000 * (1 + self.ppm / 1e6)) % WRAP_27


@dataclass
class Recipe:
    """The description of a stream to generate. Units are in the names; `pmt_change_at` is in seconds."""

    seconds: float = 3.0
    bitrate_bps: int = 3_000_000
    constant: bool = True
    pcr_ms: float = 30.0
    psi_ms: float = 100.0
    programmes: list[Programme] = field(default_factory=lambda: [Programme()])
    tdt: bool = False
    sdt_names: dict[int, str] = field(default_factory=dict)
    scte35_pid: int | None = None
    split_headers: bool = False
    start_counter: int = 5
    seed: int = 1
    pmt_change_at: float | None = None


def section(table: int, extension: int, body: bytes, *, version: int = 0) -> bytes:
    """Return a section with the long header and its CRC."""
    head = bytes([table, 0xB0 | (len(body) + 9) >> 8, (len(body) + 9) & 0xFF, extension >> 8, extension & 0xFF])
    whole = head + bytes([0xC1 | version << 1, 0, 0]) + body
    return whole + slow_crc32(whole).to_bytes(4, "big")


def pat(programmes: list[Programme]) -> bytes:
    """Return the programme association section."""
    body = b"".join(p.number.to_bytes(2, "big") + (0xE000 | p.pmt_pid).to_bytes(2, "big") for p in programmes)
    return section(0x00, 1, body)


def pmt(programme: Programme, *, version: int = 0, extra: tuple[tuple[int, int], ...] = ()) -> bytes:
    """Return the programme map section: H.264, AAC, and the (stream type, PID) pairs of `extra`."""
    streams = ((0x1B, programme.video_pid), (0x0F, programme.audio_pid), *extra)
    body = (0xE000 | programme.pcr_pid).to_bytes(2, "big") + b"\xf0\x00"
    body += b"".join(bytes([kind]) + (0xE000 | pid).to_bytes(2, "big") + b"\xf0\x00" for kind, pid in streams)
    return section(0x02, programme.number, body, version=version)


def sdt(names: dict[int, str]) -> bytes:
    """Return the service description section. Names are UTF-8; the provider is `Test`."""
    body = b"\x00\x01\xff"
    for number, name in names.items():
        text = b"\x15" + name.encode()
        service = bytes([1, 5]) + b"\x15Test" + bytes([len(text)]) + text
        descriptor = bytes([0x48, len(service)]) + service
        body += number.to_bytes(2, "big") + b"\xfc" + (0x8000 | len(descriptor)).to_bytes(2, "big") + descriptor
    return section(0x42, 1, body)


def tdt_and_tot() -> list[bytes]:
    """Return a TDT and a TOT of 13 October 1993, 12:45:00, the example of EN 300 468 annex C."""
    utc = bytes.fromhex("C079124500")
    tot = bytes([0x73, 0x70, 0x0B]) + utc + b"\xf0\x00"
    return [bytes([0x70, 0x70, 0x05]) + utc, tot + slow_crc32(tot).to_bytes(4, "big")]


def splice_null(pts_adjustment: int = 0) -> bytes:
    """Return an SCTE-35 splice_null section."""
    body = bytes([0, pts_adjustment >> 32 & 1]) + (pts_adjustment & 0xFFFFFFFF).to_bytes(4, "big")
    body += bytes([0, 0xFF, 0xF0, 0x00, 0x00]) + b"\x00\x00"
    whole = bytes([0xFC, 0x30, len(body) + 4]) + body
    return whole + slow_crc32(whole).to_bytes(4, "big")


def timestamp(prefix: int, ticks: int) -> bytes:
    """Return the five bytes of a PTS or DTS."""
    ticks %= WRAP_90
    return bytes(
        [
            prefix << 4 | ticks >> 29 & 0x0E | 1,
            ticks >> 22 & 0xFF,
            ticks >> 14 & 0xFE | 1,
            ticks >> 7 & 0xFF,
            ticks << 1 & 0xFE | 1,
        ]
    )


def pes(stream_id: int, payload: bytes, pts: int, dts: int | None = None) -> bytes:
    """Return a PES packet with a PTS, and with a DTS if it is given."""
    if dts is None:
        times, flags = timestamp(2, pts), 0x80
    else:
        times, flags = timestamp(3, pts) + timestamp(1, dts), 0xC0
    length = 3 + len(times) + len(payload)
    length = length if stream_id < 0xE0 and length < 65536 else 0
    header = b"\0\0\1" + bytes([stream_id]) + length.to_bytes(2, "big") + bytes([0x80, flags, len(times)])
    return header + times + payload


def pcr_bytes(pcr: int) -> bytes:
    """Return the six bytes of a PCR."""
    base, extension = divmod(pcr % WRAP_27, 300)
    return (base << 15 | 0x7E00 | extension).to_bytes(6, "big")


class Packetizer:
    """Builds the packets of one PID and sets their continuity counters."""

    def __init__(self, pid: int, counter: int, *, scrambled: bool = False) -> None:
        self.pid, self._counter, self._scrambled = pid, counter & 0x0F, 0x80 if scrambled else 0

    def packet(
        self, payload: bytes, *, start: bool, pcr: int | None = None, fill: int | None = None, announce: bool = False
    ) -> bytes:
        """Return a packet with all of `payload`, padded by an adaptation field. Without payload, keep the counter."""
        adaptation = b""
        if pcr is not None or announce:
            flags = (0x10 if pcr is not None else 0) | (0x80 if announce else 0)
            adaptation = bytes([flags]) + (pcr_bytes(pcr) if pcr is not None else b"")
        room = 184 - len(payload)
        if fill is not None or adaptation or room:
            adaptation = (adaptation or (b"\0" if room > 1 else b"")).ljust(room - 1, b"\xff")
            body = bytes([len(adaptation)]) + adaptation + payload
            control = 0x30 if payload else 0x20
        else:
            body, control = payload, 0x10
        if payload:
            self._counter = (self._counter + 1) & 0x0F
        head = bytes([0x47, (0x40 if start else 0) | self.pid >> 8, self.pid & 0xFF])
        packet = head + bytes([control | self._scrambled | self._counter]) + body
        assert len(packet) == 188, (len(packet), len(payload))
        return packet

    def sections(self, sections: list[bytes]) -> Iterator[bytes]:
        """Return the packets of successive sections."""
        data = b"\0" + b"".join(sections)
        for at in range(0, len(data), 184):
            part = data[at : at + 184]
            self._counter = (self._counter + 1) & 0x0F
            head = bytes([0x47, (0x40 if at == 0 else 0) | self.pid >> 8, self.pid & 0xFF, 0x10 | self._counter])
            yield head + part.ljust(184, b"\xff")


class _Unit:
    """The bytes of one elementary stream that wait for slots."""

    def __init__(self, recipe: Recipe, pid: int, *, scrambled: bool) -> None:
        self.packets = Packetizer(pid, recipe.start_counter + pid, scrambled=scrambled)
        self.waiting: deque[bytes] = deque()
        self._split = recipe.split_headers
        self._left = b""
        self._fresh = False

    def add(self, data: bytes) -> None:
        self.waiting.append(data)

    def has_data(self) -> bool:
        return bool(self._left or self.waiting)

    def take(self, pcr: int | None = None) -> bytes:
        """Return the next packet. It has only an adaptation field if no bytes wait."""
        if not self._left and self.waiting:
            self._left, self._fresh = self.waiting.popleft(), True
        start, self._fresh = self._fresh and bool(self._left), False
        room = 176 if pcr is not None else 184
        if start and self._split:
            room = 11  # the cut is in the middle of the PTS
        payload, self._left = self._left[:room], self._left[room:]
        return self.packets.packet(payload, start=start, pcr=pcr)


def make_ts(recipe: Recipe) -> bytes:
    """Return the stream of a recipe as bytes of whole packets."""
    return b"".join(_slots(recipe))


def _slots(recipe: Recipe) -> Iterator[bytes]:
    slot_s = 188 * 8 / recipe.bitrate_bps
    streams: dict[int, _Unit] = {}
    for programme in recipe.programmes:
        for pid in (programme.video_pid, programme.audio_pid, programme.pcr_pid):
            streams.setdefault(pid, _Unit(recipe, pid, scrambled=programme.scrambled))
    arrivals = deque(sorted(_arrivals(recipe), key=lambda arrival: arrival[0]))
    tables = _Tables(recipe)
    next_pcr = {p.pcr_pid: p.pcr_phase_ms / 1000 for p in recipe.programmes}
    clock_of = {p.pcr_pid: p for p in recipe.programmes}
    for index in range(int(recipe.seconds / slot_s)):
        now = index * slot_s
        while arrivals and arrivals[0][0] <= now:
            _, pid, data = arrivals.popleft()
            streams[pid].add(data)
        due = next((pid for pid, at in next_pcr.items() if at <= now <= clock_of[pid].pcr_until_s), None)
        if due is not None:
            next_pcr[due] += recipe.pcr_ms / 1000
            yield streams[due].take(clock_of[due].pcr_at(now))
        elif (packet := tables.due(now)) is not None:
            yield packet
        elif (ready := next((s for s in streams.values() if s.has_data()), None)) is not None:
            yield ready.take()
        elif recipe.constant:
            yield NULL_PACKET


class _Tables:
    """The repeated tables of a recipe."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._waiting: deque[bytes] = deque()
        self._next = 0.0
        self._next_tdt = 0.05
        pids = (0, 0x11, 0x14, recipe.scte35_pid or 0x1FFE, *(p.pmt_pid for p in recipe.programmes))
        self._packets = {pid: Packetizer(pid, recipe.start_counter) for pid in pids}

    def due(self, now: float) -> bytes | None:
        recipe = self._recipe
        if now >= self._next:
            self._next += recipe.psi_ms / 1000
            self._waiting.extend(self._packets[0].sections([pat(recipe.programmes)]))
            for programme in recipe.programmes:
                self._waiting.extend(self._packets[programme.pmt_pid].sections([self._pmt(programme, now)]))
            if recipe.sdt_names:
                self._waiting.extend(self._packets[0x11].sections([sdt(recipe.sdt_names)]))
        if now >= self._next_tdt:
            self._next_tdt += 0.5
            if recipe.tdt:
                self._waiting.extend(self._packets[0x14].sections(tdt_and_tot()))
            if recipe.scte35_pid:
                self._waiting.extend(self._packets[recipe.scte35_pid].sections([splice_null(1000)]))
        return self._waiting.popleft() if self._waiting else None

    def _pmt(self, programme: Programme, now: float) -> bytes:
        changed = self._recipe.pmt_change_at is not None and now >= self._recipe.pmt_change_at
        extra = ((0x86, self._recipe.scte35_pid),) if self._recipe.scte35_pid else ()
        return pmt(programme, version=int(changed), extra=extra)


def _arrivals(recipe: Recipe) -> Iterator[tuple[float, int, bytes]]:
    """Return each access unit: its time of arrival in seconds, its PID, and its PES packet."""
    dice = random.Random(recipe.seed)
    for programme in recipe.programmes:
        rate = 1 + programme.ppm / 1e6
        early_s, late_s = programme.delay_ms[0] / 1000, programme.delay_ms[1] / 1000
        # If the delay grows over the file, units arrive faster than they are decoded.
        stretch = 1 + (late_s - early_s) / recipe.seconds
        for index in range(int(recipe.seconds * stretch * 25) + 1):
            came = index / 25 / stretch
            dts = int(programme.start_pcr // 300 + (index / 25 + early_s) * 90_000 * rate)
            size = int(programme.video_kbps * 125 / 25 * (4 if index % 12 == 0 else dice.uniform(0.3, 1.2)))
            kind = index % 3
            pts = dts + (2 * FRAME_TICKS if kind == 0 else FRAME_TICKS)
            data = dice.randbytes(size).replace(b"\0\0\1", b"\0\0\2")
            yield came, programme.video_pid, pes(0xE0, data, pts, dts) if kind != 2 else pes(0xE0, data, dts)
        for index in range(int(recipe.seconds * stretch * 90_000 / AUDIO_TICKS) + 1):
            came = index * AUDIO_TICKS / 90_000 / stretch
            pts = int(programme.start_pcr // 300 + (index * AUDIO_TICKS / 90_000 + early_s) * 90_000 * rate)
            yield came, programme.audio_pid, pes(0xC0, dice.randbytes(250).replace(b"\0\0\1", b"\0\0\2"), pts)
