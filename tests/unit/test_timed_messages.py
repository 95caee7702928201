"""Messages and their times on the way from a source to libsrt: none lost, none moved, whatever the blocks are."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.constants import SRT_PAYLOAD_BYTES
from app.engines.direct.group_feed import arrival_us, batches, unix_ahead_us
from app.sources.looping_file import LoopingReader
from app.sources.timed_file import TimedBlock, TimedFile
from app.srt.messages import MessageBuffer
from tests.instruments.ts_maker import Recipe, make_ts

RATE = 3_000_000
MESSAGE_US = SRT_PAYLOAD_BYTES * 8e6 / RATE


def blocks_of(path: Path) -> list[TimedBlock]:
    """Return a file played once, block by block."""
    reader = LoopingReader(str(path), loop=False)
    return list(TimedFile(reader, bitrate_bps=RATE, clock_pid=None, notify=lambda _notice: None).blocks())


@pytest.mark.parametrize("cut_packets", [0, 1, 6], ids=["whole", "one packet less", "six packets less"])
def test_a_file_comes_out_byte_by_byte_with_a_time_for_each_message(tmp_path: Path, cut_packets: int) -> None:
    data = make_ts(Recipe(seconds=2, bitrate_bps=RATE, pcr_ms=20))
    data = data[: len(data) // SRT_PAYLOAD_BYTES * SRT_PAYLOAD_BYTES - cut_packets * 188]
    path = tmp_path / "once.ts"
    path.write_bytes(data)
    blocks = blocks_of(path)
    assert b"".join(block.data for block in blocks) == data
    assert all(len(block.due_us) == -(-len(block.data) // SRT_PAYLOAD_BYTES) for block in blocks)
    assert all(len(block.data) % SRT_PAYLOAD_BYTES == 0 for block in blocks[:-1])
    due_us = [due for block in blocks for due in block.due_us]
    assert due_us == pytest.approx([number * MESSAGE_US for number in range(len(due_us))], abs=1)


def test_a_shorter_message_of_a_group_keeps_its_length_its_time_and_its_place() -> None:
    sizes = [1316, 1316, 188, 1316, 376]
    made = batches([(1000.4 * number, bytes([number]) * size) for number, size in enumerate(sizes)])
    assert [len(batch) for batch in made] == [3, 2]
    assert batches([]) == []


def test_a_buffer_counts_its_bytes_and_takes_new_times() -> None:
    buffer = MessageBuffer(bytearray(2 * 1316 + 188), 1316, [1, 2, 3])
    assert (buffer.bytes_of(0, 2), buffer.bytes_of(0, 3), buffer.bytes_of(2, 3), buffer.bytes_of(3, 3)) == (
        2632,
        2820,
        188,
        0,
    )
    buffer.stamp([11, 12, 13])
    assert list(buffer.times_us) == [11, 12, 13]


def test_the_distance_between_two_clocks_is_steady_to_some_microseconds() -> None:
    readings = sorted(unix_ahead_us() for _ in range(99))
    assert readings[-10] - readings[9] < 50


@pytest.mark.parametrize("step_us", [-3_600_000_000, -2_000_000, 2_000_000, 3_600_000_000])
def test_a_datagram_that_waits_while_the_clock_is_set_is_due_now(step_us: int) -> None:
    assert arrival_us(5_000_000 - step_us, 5_000_000) == 5_000_000


@pytest.mark.parametrize("age_us", [-5_000, 0, 10_000, 900_000])
def test_a_datagram_keeps_its_own_time_while_the_clock_runs_evenly(age_us: int) -> None:
    assert arrival_us(5_000_000 - age_us, 5_000_000) == 5_000_000 - age_us
