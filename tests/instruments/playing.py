"""Plays a looping file block by block, and checks that the result is one continuous stream."""

from __future__ import annotations

from pathlib import Path

from app.protocol import Notice
from app.sources.looping_file import LoopingReader
from tests.instruments.ts_reader import read_ts


class Playing:
    """A reader of a file, the packets that it has read, and its notices."""

    def __init__(self, path: Path, *, loop: bool = True) -> None:
        self.notices: list[Notice] = []
        self.reader = LoopingReader(str(path), loop=loop, clock=lambda: 1.0, notify=self.notices.append)
        self.sent = bytearray()

    def until_lap(self, lap: int) -> None:
        """Play until the reader has reached that lap."""
        while self.reader.laps < lap:
            self.play_block()

    def play_block(self) -> bool:
        block = self.reader.read()
        self.sent += block or b""
        return block is not None


def runs_on(sent: bytes | bytearray) -> bool:
    report = read_ts(sent)
    steps = report.pids[0x101].pcr_steps_ms()
    return (
        report.continuity_errors() == report.sync_errors == 0
        and 0 < min(steps) <= max(steps) <= 31.1
        and all(step > 0 for pid in (0x101, 0x102) for step in report.pids[pid].decode_steps())
    )
