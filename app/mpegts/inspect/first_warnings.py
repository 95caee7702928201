"""Warnings and refusals of a first look: short files, incomplete copies, discarded packets."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import msgspec

from app.domain.constants import PCR_INTERVAL_MS_MPEG
from app.domain.status import Reason
from app.mpegts.framing import SYNCS_IN_A_ROW, find_sync, whole_packets
from app.mpegts.inspect.media_check import SCRAMBLED_CLOCK, MediaCheck, NotStreamable
from app.mpegts.loop.lap import JUMP_TICKS, Reading
from app.mpegts.marked_packets import MarkedPackets
from app.mpegts.packets import HAS_PCR, PACKET_BYTES, PCR_HZ, Block, clock_step, is_scrambled, marked, marks, pids

_SHORT_S: Final = 1.0
_END_BYTES_JUDGED: Final = 64 * PACKET_BYTES


def few_packets(head: Block) -> int:
    """Return the number of packets of a file that is too short to recognise; 0 for any other file."""
    count = len(head) // PACKET_BYTES
    return count if 0 < count < SYNCS_IN_A_ROW and whole_packets(head) == count else 0


def check_end(head: Block, tail: Block) -> None:
    """Refuse a file without packets at its end: a copy in progress, or one that stopped in a preallocated file."""
    end = tail or head[len(head) * 3 // 4 :]
    if len(end) > _END_BYTES_JUDGED and find_sync(end) < 0:
        raise NotStreamable(
            Reason.NOT_A_TRANSPORT_STREAM,
            "the end of this file has no packets; the copy may be incomplete: wait for it, or copy it again",
        )


def with_marks(check: MediaCheck, head_block: Block, tail_block: Block) -> MediaCheck:
    """Add the packets that GStreamer discards, with their warnings."""
    found = MarkedPackets()
    for block in (head_block, tail_block):
        found.check(block)
    looked_at = (len(head_block) + len(tail_block)) // PACKET_BYTES
    warnings = [*check.warnings]
    if check.duration_s < _SHORT_S:
        warnings.append(f"only {check.duration_s:.2g} s long; receivers may not keep up with so short a loop")
    is_clock_scrambled = _is_clock_scrambled(head_block, check.pcr_pid)
    if is_clock_scrambled:
        warnings.append(SCRAMBLED_CLOCK)
    elif found.scrambled_total:
        warnings.append(
            f"{found.scrambled_total} of {looked_at} checked packets are scrambled; GStreamer discards them, so no"
            " receiver gets them; the engine Direct carries them"
        )
    if found.errored_total:
        warnings.append(
            f"{found.errored_total} of {looked_at} checked packets carry the transport error indicator; GStreamer"
            " discards them"
        )
    return msgspec.structs.replace(
        check,
        warnings=tuple(warnings),
        packets_looked_at=looked_at,
        packets_scrambled=found.scrambled_total,
        packets_errored=found.errored_total,
        is_clock_scrambled=is_clock_scrambled,
    )


def _is_clock_scrambled(block: Block, pcr_pid: int) -> bool:
    """Whether most packets with a PCR of that PID are scrambled."""
    found, pid_of = marks(block), pids(block)
    clocked = [index for index in marked(found) if found[index] & HAS_PCR and pid_of[index] == pcr_pid]
    return 2 * sum(is_scrambled(block, index * PACKET_BYTES) for index in clocked) > len(clocked)


def why_no_pace(readings: list[Reading]) -> str:
    """Explain why a clock with readings yields no rate, with the remedy."""
    steps = [clock_step(before, after) for (_, before), (_, after) in pairwise(readings)]
    if all(step > JUMP_TICKS for step in steps):
        return (
            f"PCR come {min(steps) / PCR_HZ * 1000:.0f} ms apart or more, too rarely to determine how fast to send this"
            f" file; MPEG allows {PCR_INTERVAL_MS_MPEG} ms; remux it"
        )
    return (
        "the clock (PCR) of this transport stream does not run forward, so its sending rate is unknown; remux it with"
        " a tool that writes new PCRs"
    )
