"""Counts packets that some programs discard: scrambled ones, and ones with the transport error indicator."""

from __future__ import annotations

from itertools import compress
from typing import Final

from app.mpegts.packets import PACKET_BYTES, Block, pids

_IS_ERRORED: Final = bytes(1 if value & 0x80 else 0 for value in range(256))
_IS_SCRAMBLED: Final = bytes(1 if value & 0xC0 else 0 for value in range(256))
_PIDS_MAX: Final = 64


class MarkedPackets:
    """Counts packets with marks.

    A packet with both marks counts as errored: its other header bits cannot be trusted.
    """

    def __init__(self) -> None:
        self.scrambled_total = 0
        self.errored_total = 0
        self.scrambled_pids: set[int] = set()

    def check(self, packets: Block) -> None:
        """Count the marks in the next whole packets."""
        size = len(packets) // PACKET_BYTES
        if not size:
            return
        errored = packets[1 : size * PACKET_BYTES : PACKET_BYTES].translate(_IS_ERRORED)
        scrambled = packets[3 : size * PACKET_BYTES : PACKET_BYTES].translate(_IS_SCRAMBLED)
        if errors := errored.count(1):
            self.errored_total += errors
            scrambled = bytes(is_scrambled and not bad for is_scrambled, bad in zip(scrambled, errored, strict=True))
        if found := scrambled.count(1):
            self.scrambled_total += found
            if len(self.scrambled_pids) < _PIDS_MAX:
                whole = packets[: size * PACKET_BYTES]
                self.scrambled_pids.update(compress(pids(whole).tolist(), scrambled))

    @property
    def total(self) -> int:
        """Return the number of packets with either mark."""
        return self.scrambled_total + self.errored_total
