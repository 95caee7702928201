"""Finds packets in a block that GStreamer's pipeline would discard or could not handle."""

from __future__ import annotations

from app.domain.carriage import Hindrance
from app.domain.constants import NULL_PID
from app.mpegts.marked_packets import MarkedPackets
from app.mpegts.packets import PACKET_BYTES, Block, pids
from app.mpegts.sections import SectionAssembler
from app.mpegts.tables import PAT_PID, PAT_TABLE, read_pat


def find_hindrances(block: Block) -> set[Hindrance]:
    """Return the hindrances in whole packets: scrambling, damage, a PAT that is empty or changes.

    Clocks are not checked.
    """
    found = _of_tables(block, pids(block).tolist())
    marked = MarkedPackets()
    marked.check(block)
    if marked.scrambled_pids - {NULL_PID}:
        found.add(Hindrance.SCRAMBLED)
    if marked.errored_total:
        found.add(Hindrance.DAMAGED)
    return found


def _of_tables(block: Block, pid_of: list[int]) -> set[Hindrance]:
    found: set[Hindrance] = set()
    assembler, before = SectionAssembler(), None
    for index, pid in enumerate(pid_of):
        if pid != PAT_PID:
            continue
        for section in assembler.feed(block, index * PACKET_BYTES):
            if section[0] != PAT_TABLE:
                continue
            programmes = read_pat(section)
            if not programmes:
                found.add(Hindrance.EMPTY_PAT)
            elif before not in (None, programmes):
                found.add(Hindrance.PAT_CHANGES)
            before = programmes or before
    return found
