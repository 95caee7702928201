"""Reads programmes, clock, bitrate and duration from the first and last megabytes of a file.

A file that cannot be streamed raises NotStreamable with a sentence for the operator.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import msgspec

from app.domain.carriage import Hindrance
from app.domain.constants import CBR_TOLERANCE, NULL_PID, PCR_INTERVAL_MS_DVB, PCR_INTERVAL_MS_MPEG
from app.domain.status import Reason
from app.mpegts.framing import find_framing, foreign_format, whole_packets
from app.mpegts.inspect.first_warnings import check_end, few_packets, why_no_pace, with_marks
from app.mpegts.inspect.hindrances import find_hindrances
from app.mpegts.inspect.media_check import MediaCheck as MediaCheck
from app.mpegts.inspect.media_check import NotStreamable as NotStreamable
from app.mpegts.loop.lap import JUMP_TICKS, Reading
from app.mpegts.packets import (
    HAS_PCR,
    PACKET_BYTES,
    PCR_HZ,
    PCR_OFFSET,
    PCR_WRAP,
    Block,
    clock_step,
    marked,
    marks,
    pids,
    read_pcr,
)
from app.mpegts.sections import SectionAssembler
from app.mpegts.tables import PAT_PID, Programme, read_pat, read_pmt

# A rate is measured over at least a fifth of a second, so that one packet more or less does not count as variation.
_WINDOW_TICKS: Final = PCR_HZ // 5
_CONSTANT_WITHIN_PACKETS: Final = 2


def align(head: Block) -> int:
    """Return the first byte of the first packet of a file. Raises NotStreamable without 188-byte packets."""
    framing = find_framing(head)
    if framing is None and (count := few_packets(head)):
        raise NotStreamable(
            Reason.NOT_A_TRANSPORT_STREAM,
            f"this transport stream is too short: {count} {'packet' if count == 1 else 'packets'}; record a longer one",
        )
    if framing is None:
        what = foreign_format(head)
        raise NotStreamable(
            Reason.NOT_A_TRANSPORT_STREAM,
            f"this is {what}, not an MPEG transport stream; convert it to one"
            if what
            else "this is not an MPEG transport stream: no five packets in a row begin with the sync byte 0x47",
        )
    if framing.packet_bytes != PACKET_BYTES:
        kind = "M2TS, with arrival times" if framing.packet_bytes == 192 else "with Reed-Solomon bytes"
        raise NotStreamable(
            Reason.NOT_A_TRANSPORT_STREAM,
            f"this file has packets of {framing.packet_bytes} bytes ({kind}); convert it to 188-byte packets,"
            " for example by remuxing it without re-encoding",
        )
    return framing.offset


def read_clocks(block: Block, first_packet: int = 0) -> dict[int, list[Reading]]:
    """Return all PCRs of a block per PID; packet indexes begin at `first_packet`."""
    clocks: dict[int, list[Reading]] = {}
    found, pid_of = marks(block), pids(block)
    for index in marked(found):
        if found[index] & HAS_PCR:
            pcr = read_pcr(block, index * PACKET_BYTES + PCR_OFFSET)
            clocks.setdefault(pid_of[index], []).append((first_packet + index, pcr))
    return clocks


def read_programmes(block: Block) -> tuple[dict[int, int], dict[int, Programme]]:
    """Return the first PAT of a block (programme number to PMT PID) and the first PMT of each programme."""
    pid_of = pids(block)
    pat: dict[int, int] = {}
    for section in _sections(block, pid_of, PAT_PID):
        if found := read_pat(section):
            pat = found
            break
    programmes: dict[int, Programme] = {}
    for pid in sorted(set(pat.values())):
        wanted = {number for number, pmt_pid in pat.items() if pmt_pid == pid}
        for section in _sections(block, pid_of, pid):
            programme = read_pmt(section)
            if programme and programme.number in wanted:
                programmes.setdefault(programme.number, programme)
                wanted.discard(programme.number)
            if not wanted:
                break
    return pat, {number: programmes[number] for number in pat if number in programmes}


def first_look(head: Block, tail: Block, *, size_bytes: int, tail_offset: int) -> MediaCheck:
    """Check a file by its first bytes and its last ones, which begin at byte `tail_offset` of the file.

    `tail` may be empty if `head` is the whole file. Raises NotStreamable.
    """
    offset = align(head)
    packet_count = (size_bytes - offset) // PACKET_BYTES
    head_block = _packets_of(head, offset)
    late = -(tail_offset - offset) % PACKET_BYTES
    tail_block = _packets_of(tail, late)
    check_end(head, tail)
    pat, programmes = read_programmes(head_block)
    clocks = read_clocks(head_block)
    pcr_pid = _choose_clock(clocks, programmes, len(head))
    early = clocks[pcr_pid]
    last = read_clocks(tail_block, (tail_offset + late - offset) // PACKET_BYTES).get(pcr_pid, [])
    check = _measure(early, last, packet_count, size_bytes, pcr_pid, _psi_warnings(pat, programmes), len(pat))
    hindrances = find_hindrances(head_block) | find_hindrances(tail_block)
    check = msgspec.structs.replace(check, hindrances=check.hindrances | hindrances)
    return with_marks(check, head_block, tail_block)


def _packets_of(data: Block, offset: int) -> Block:
    block = data[offset : offset + (len(data) - offset) // PACKET_BYTES * PACKET_BYTES] if data else b""
    return block[: whole_packets(block) * PACKET_BYTES]


def _sections(block: Block, pid_of: memoryview[int], pid: int) -> list[bytes]:
    assembler = SectionAssembler()
    return [
        section
        for index, its_pid in enumerate(pid_of)
        if its_pid == pid
        for section in assembler.feed(block, index * PACKET_BYTES)
    ]


def _choose_clock(clocks: dict[int, list[Reading]], programmes: dict[int, Programme], looked_at: int) -> int:
    """Return the first programme's clock if it runs, else the busiest one."""
    running = {pid: readings for pid, readings in clocks.items() if len(readings) > 1 and pid != NULL_PID}
    if not running:
        raise NotStreamable(
            Reason.NO_PCR,
            f"this transport stream has no clock (PCR) in its first {looked_at / 1e6:.3g} MB, so it is unknown how"
            " fast to send it; remux it with a tool that writes PCRs",
        )
    for programme in programmes.values():
        if programme.pcr_pid in running:
            return programme.pcr_pid
    return max(running, key=lambda pid: len(running[pid]))


class _Pace(msgspec.Struct):
    """What consecutive PCR readings show: valid ticks and packets, the longest step, window rates, jumps."""

    ticks: int = 0
    packets: int = 0
    longest: int = 0
    jumps: int = 0
    windows: list[tuple[int, int]] = msgspec.field(default_factory=list)


def _pace(readings: list[Reading]) -> _Pace:
    pace = _Pace()
    ticks = packets = 0
    for (packet_before, before), (packet_after, after) in pairwise(readings):
        step = clock_step(before, after)
        if not 0 < step <= JUMP_TICKS:
            pace.jumps += 1
            ticks = packets = 0
            continue
        pace.longest = max(pace.longest, step)
        ticks, packets = ticks + step, packets + packet_after - packet_before
        pace.ticks += step
        pace.packets += packet_after - packet_before
        if ticks >= _WINDOW_TICKS:
            pace.windows.append((packets, ticks))
            ticks = packets = 0
    return pace


def _measure(
    early: list[Reading],
    last: list[Reading],
    packet_count: int,
    size_bytes: int,
    pcr_pid: int,
    warnings: list[str],
    programme_count: int,
) -> MediaCheck:
    head, tail = _pace(early), _pace(last)
    ticks, packets = head.ticks + tail.ticks, head.packets + tail.packets
    if not ticks or not packets:
        raise NotStreamable(Reason.NO_PCR, why_no_pace(early))
    jumps = head.jumps + tail.jumps
    if last:
        # The mean over the whole file is exact, unless the clock jumps between head and tail.
        span, covered = (last[-1][1] - early[0][1]) % PCR_WRAP, last[-1][0] - early[0][0]
        expected = covered * ticks / packets
        if span and covered and not jumps and 1 / 20 < span / expected < 20:
            ticks, packets = span, covered
        elif covered:
            jumps = max(jumps, 1)
    if jumps:
        warnings.append("the clock (PCR) jumps inside the file; the picture may break there")
    longest_ms = max(head.longest, tail.longest) / PCR_HZ * 1000
    warnings.extend(_interval_warnings(longest_ms))
    packets_a_tick = packets / ticks
    return MediaCheck(
        bitrate_bps=round(packets_a_tick * PCR_HZ * PACKET_BYTES * 8),
        is_constant_bitrate=not jumps and _is_constant(head.windows + tail.windows, packets_a_tick),
        pcr_interval_ms=round(longest_ms, 3),
        pcr_pid=pcr_pid,
        duration_s=packet_count / packets_a_tick / PCR_HZ,
        packet_count=packet_count,
        size_bytes=size_bytes,
        programme_count=programme_count,
        warnings=tuple(warnings),
        hindrances=frozenset({Hindrance.CLOCK_JUMPS} if jumps else ()),
    )


def _interval_warnings(longest_ms: float) -> list[str]:
    if longest_ms <= PCR_INTERVAL_MS_MPEG:
        return []
    allowed = f"MPEG allows {PCR_INTERVAL_MS_MPEG} ms, DVB {PCR_INTERVAL_MS_DVB} ms"
    return [f"PCR come up to {longest_ms:.0f} ms apart; {allowed}"]


def _is_constant(windows: list[tuple[int, int]], packets_a_tick: float) -> bool:
    """Return whether every window has as many packets as the mean rate implies, within 1 % or two packets."""
    return bool(windows) and all(
        abs(packets - ticks * packets_a_tick) <= max(_CONSTANT_WITHIN_PACKETS, packets * CBR_TOLERANCE)
        for packets, ticks in windows
    )


def _psi_warnings(pat: dict[int, int], programmes: dict[int, Programme]) -> list[str]:
    if not pat:
        return ["no programme table (PAT) at the start of the file; receivers will find no programme"]
    missing = [str(number) for number in pat if number not in programmes]
    return [f"no map (PMT) of programme {', '.join(missing)} at the start of the file"] if missing else []
