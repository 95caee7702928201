"""Reads a transport stream file packet by packet, in blocks that begin with a sync byte, and detects changes of it."""

from __future__ import annotations

import os
import stat
from enum import StrEnum
from math import ceil
from typing import Final

import msgspec

from app.domain.constants import TS_PACKETS_PER_SRT_PACKET
from app.domain.endings import Finished
from app.domain.status import Reason
from app.machine.straight_open import open_straight
from app.mpegts.framing import find_sync, whole_packets
from app.mpegts.loop.filler import BLOCK_PACKETS
from app.mpegts.packets import PACKET_BYTES

BLOCK_BYTES: Final = BLOCK_PACKETS * PACKET_BYTES
_BLOCKS_READ_AT_ONCE_MAX: Final = 2
_READ_AT_ONCE_S: Final = 0.2
# After this many bytes without a packet, the file is not usable; further reading would only delay the stream.
_GARBAGE_BYTES_MAX: Final = 16 * 1024 * 1024


class Change(StrEnum):
    """What happened to a file since it was opened, or since `adopt_change`."""

    NONE = "none"
    DELETED = "deleted"
    REPLACED = "replaced"
    REWRITTEN = "rewritten"


class _Identity(msgspec.Struct, frozen=True):
    device: int
    inode: int
    size_bytes: int
    modified_ns: int


def bytes_at_once(bitrate_bps: int | None) -> int:
    """Return how many bytes of a file to read and handle at once: 0.2 s at its rate, one block or two.

    Each wake-up of Python costs twice as much as the block itself, so a fast file is read in larger parts. A slow file
    is not: its packets, including the clock (TDT), are rewritten when they are read, and must not wait for long.
    """
    wanted = round((bitrate_bps or 0) / 8 * _READ_AT_ONCE_S) // BLOCK_BYTES
    return min(max(1, wanted), _BLOCKS_READ_AT_ONCE_MAX) * BLOCK_BYTES


def piece_bytes(bitrate_bps: int | None) -> int:
    """Return how many bytes go into the pipeline at once: what is read at once, in equal parts of 0.2 s.

    Bytes that wait in the pipeline count as input: for a slow file, a block would be seconds.
    """
    read_packets = bytes_at_once(bitrate_bps) // PACKET_BYTES
    if bitrate_bps is None:
        return read_packets * PACKET_BYTES
    wanted = max(round(bitrate_bps / 8 * _READ_AT_ONCE_S) // PACKET_BYTES, TS_PACKETS_PER_SRT_PACKET)
    pieces = ceil(read_packets / wanted)
    return ceil(read_packets / pieces) * PACKET_BYTES


class PacketFile:
    """An open file. Constant memory, whatever its size. Raises Finished when it cannot be opened or read."""

    def __init__(self, path: str, *, bytes_at_once: int = BLOCK_BYTES) -> None:
        self.path = path
        self._bytes_at_once = bytes_at_once
        self.bytes_skipped = 0
        try:
            # NONBLOCK: a FIFO put in the file's place must not block the stream. Straight: `path` is already real.
            self._fd = open_straight(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            reason = Reason.FILE_MISSING if isinstance(error, FileNotFoundError) else Reason.FILE_UNREADABLE
            raise Finished(reason, f"cannot open the file: {error.strerror}") from None
        status = os.fstat(self._fd)
        self._identity = _identity(status)
        self._position = 0
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise Finished(Reason.FILE_UNREADABLE, "not a regular file")

    def read_block(self) -> bytearray | None:
        """Return the next whole packets, `bytes_at_once` at most; None at the end.

        Bytes outside of packets are skipped.
        """
        skipped = 0
        while True:
            block = self._read(self._bytes_at_once)
            del block[len(block) // PACKET_BYTES * PACKET_BYTES :]
            if not block:
                return None
            if good := whole_packets(block):
                del block[good * PACKET_BYTES :]
                self._position += len(block)
                return block
            skipped += self._skip()
            if skipped > _GARBAGE_BYTES_MAX:
                raise Finished(Reason.NOT_A_TRANSPORT_STREAM, f"no packet in {skipped} bytes of the file")

    def rewind(self) -> None:
        """Begin again at the start of the file."""
        self._position = 0

    def change(self) -> Change:
        """Check the file at its path. A link in its place counts as deleted: it is not followed."""
        if self._fd < 0:
            return Change.NONE
        now = _identity(os.fstat(self._fd))
        try:
            there = _status_of(self.path)
        except OSError:
            return Change.DELETED
        if (there.st_dev, there.st_ino) != (now.device, now.inode):
            return Change.REPLACED if stat.S_ISREG(there.st_mode) else Change.DELETED
        return Change.NONE if now == self._identity else Change.REWRITTEN

    def adopt_change(self) -> None:
        """Accept the file as it is now as unchanged."""
        self._identity = _identity(os.fstat(self._fd))

    def close(self) -> None:
        """Close the file; may be called twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _read(self, size: int) -> bytearray:
        block = bytearray(size)
        try:
            del block[os.preadv(self._fd, [block], self._position) :]
        except OSError as error:
            raise Finished(Reason.FILE_UNREADABLE, f"cannot read the file: {error.strerror}") from None
        return block

    def _skip(self) -> int:
        """Move to the next place where packets begin. Return how many bytes were skipped."""
        block = self._read(BLOCK_BYTES)
        found = find_sync(block, 1)
        if found < 0:
            # The last bytes may be the start of packets that only the next block confirms.
            short = len(block) < BLOCK_BYTES
            found = len(block) if short else len(block) - 5 * PACKET_BYTES
        self._position += found
        self.bytes_skipped += found
        return found


def _status_of(path: str) -> os.stat_result:
    """Return the status of the file at a path without links. Raises OSError."""
    descriptor = open_straight(path, os.O_PATH)
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _identity(status: os.stat_result) -> _Identity:
    return _Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
