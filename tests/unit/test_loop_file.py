"""What a looped stream does when its file is damaged, changes or disappears while on air."""

from __future__ import annotations

import os
import random
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.endings import Finished
from app.domain.status import Reason
from app.sources.looping_file import LoopingReader
from app.sources.packet_file import Change, bytes_at_once, piece_bytes
from tests.instruments.playing import Playing, runs_on
from tests.instruments.ts_maker import NULL_PACKET, Programme, Recipe, make_ts
from tests.instruments.ts_reader import read_ts

SAMPLE = make_ts(Recipe(seconds=2.0))
OTHER = make_ts(Recipe(seconds=1.5, bitrate_bps=4_000_000, programmes=[Programme(start_pcr=27_000_000 * 777)], seed=2))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "air.ts"
    path.write_bytes(SAMPLE)
    return path


@pytest.fixture
def playing(file: Path) -> Iterator[Playing]:
    playing = Playing(file)
    yield playing
    playing.reader.close()


def test_played_once_a_file_is_sent_bit_by_bit_and_ends(file: Path) -> None:
    file.write_bytes(SAMPLE + b"\x47 a cut packet")
    playing = Playing(file, loop=False)
    while playing.play_block():
        pass
    assert bytes(playing.sent) == SAMPLE
    assert playing.reader.read() is None
    assert (playing.reader.laps, playing.reader.bytes_total) == (0, len(SAMPLE))


def test_blocks_are_whole_packets_and_counted(playing: Playing) -> None:
    playing.until_lap(3)
    assert playing.reader.bytes_total == len(playing.sent)
    assert len(playing.sent) % 188 == 0


def test_a_deleted_file_plays_on_and_says_so_once(playing: Playing, file: Path) -> None:
    playing.until_lap(1)
    file.unlink()
    assert playing.reader.check_file() is Change.DELETED
    playing.until_lap(4)
    assert runs_on(playing.sent)
    assert [notice.code for notice in playing.notices] == ["file_deleted"]


def test_the_file_may_be_looked_at_after_the_reader_was_closed(playing: Playing, file: Path) -> None:
    playing.reader.close()
    file.unlink()
    assert playing.reader.check_file() is Change.NONE


def test_a_link_in_the_files_place_is_not_followed(playing: Playing, file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")
    playing.until_lap(2)
    assert runs_on(playing.sent)
    assert playing.notices[0].code == "file_deleted"


def test_a_replaced_file_is_played_from_the_next_lap_on_without_a_seam(playing: Playing, file: Path) -> None:
    playing.until_lap(1)
    new = file.with_name("new.ts")
    new.write_bytes(OTHER)
    new.rename(file)
    playing.until_lap(4)
    assert runs_on(playing.sent)
    assert len(playing.sent) > 2 * len(SAMPLE) + 1.9 * len(OTHER)
    assert len(playing.sent) < 2 * len(SAMPLE) + 2.5 * len(OTHER)
    assert [notice.code for notice in playing.notices] == ["file_replaced"]


def test_a_file_rewritten_in_place_is_joined_at_the_next_seam(playing: Playing, file: Path) -> None:
    playing.until_lap(1)
    file.write_bytes(SAMPLE + SAMPLE[: 188 * 2000])
    playing.until_lap(2)
    assert [notice.code for notice in playing.notices] == ["file_rewritten"]
    playing.until_lap(3)
    assert read_ts(playing.sent).sync_errors == 0


def test_a_truncated_file_loops_what_is_left(playing: Playing, file: Path) -> None:
    playing.until_lap(1)
    os.truncate(file, 188 * 3000)
    playing.until_lap(5)
    assert runs_on(playing.sent)
    assert [notice.code for notice in playing.notices] == ["file_rewritten"]


def test_a_growing_recording_is_looped_as_far_as_it_is(playing: Playing, file: Path) -> None:
    full = make_ts(Recipe(seconds=4.0))
    for size in (188 * 3000, 188 * 4000, 188 * 5000):
        file.write_bytes(full[:size])
        playing.until_lap(playing.reader.laps + 1)
    playing.until_lap(playing.reader.laps + 2)
    assert runs_on(playing.sent)


def test_a_file_emptied_on_air_ends_the_stream_as_changed(playing: Playing, file: Path) -> None:
    os.truncate(file, 0)
    with pytest.raises(Finished) as caught:
        playing.until_lap(9)
    assert caught.value.reason is Reason.FILE_CHANGED


@pytest.mark.parametrize("contents", [bytes(100_000), NULL_PACKET * 1000, make_ts(Recipe(programmes=[Programme(5)]))])
def test_new_contents_that_cannot_be_joined_end_the_stream_as_changed(
    playing: Playing, file: Path, contents: bytes
) -> None:
    new = file.with_name("new.ts")
    new.write_bytes(contents)
    new.rename(file)
    with pytest.raises(Finished) as caught:
        playing.until_lap(9)
    assert caught.value.reason is Reason.FILE_CHANGED


def replace_by_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.unlink(), Reason.FILE_MISSING),
        (lambda path: path.write_bytes(b""), Reason.NOT_A_TRANSPORT_STREAM),
        (lambda path: path.write_bytes(bytes(50_000)), Reason.NOT_A_TRANSPORT_STREAM),
        (replace_by_fifo, Reason.FILE_UNREADABLE),
        (lambda path: (path.unlink(), path.mkdir()), Reason.FILE_UNREADABLE),
        (lambda path: (path.unlink(), path.symlink_to("/etc/passwd")), Reason.FILE_UNREADABLE),
    ],
)
def test_a_file_that_cannot_be_played_says_why_when_opened(file: Path, make: object, reason: Reason) -> None:
    assert callable(make)
    make(file)
    with pytest.raises(Finished) as caught:
        LoopingReader(str(file))
    assert caught.value.reason is reason


def test_a_great_hole_in_the_file_ends_the_stream_instead_of_holding_it_up(file: Path) -> None:
    with file.open("ab") as stream:
        stream.truncate(30 * 10**9)
    playing = Playing(file)
    with pytest.raises(Finished) as caught:
        playing.until_lap(1)
    assert caught.value.reason is Reason.NOT_A_TRANSPORT_STREAM


def test_garbage_between_packets_is_skipped(file: Path) -> None:
    file.write_bytes(b"x" * 100 + SAMPLE[: 188 * 1000] + b"garbage" * 30_000 + SAMPLE[188 * 1000 :])
    playing = Playing(file)
    playing.until_lap(3)
    assert runs_on(playing.sent)
    assert len(playing.sent) >= 3 * len(SAMPLE)


def test_a_packet_with_a_broken_sync_byte_is_left_out(file: Path) -> None:
    damaged = bytearray(SAMPLE)
    damaged[188 * 1000] = 0
    file.write_bytes(damaged)
    playing = Playing(file, loop=False)
    while playing.play_block():
        pass
    assert bytes(playing.sent) == SAMPLE[: 188 * 1000] + SAMPLE[188 * 1001 :]


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), flips=st.integers(1, 3000), header_only=st.booleans())
def test_no_bytes_make_the_loop_fail_in_any_other_way(
    tmp_path_factory: pytest.TempPathFactory, seed: int, flips: int, header_only: bool
) -> None:
    dice = random.Random(seed)
    data = bytearray(SAMPLE[: 188 * 1200])
    for _ in range(flips):
        at = dice.randrange(len(data))
        if header_only:
            at = at // 188 * 188 + dice.randrange(1, 24)
        data[at] = dice.randrange(256)
    path = tmp_path_factory.getbasetemp() / "mutated.ts"
    path.write_bytes(data)
    try:
        playing = Playing(path)
        while playing.reader.laps < 3:
            assert playing.play_block()
            # A seam may add two seconds of packets at a rate of 200 Mb/s, and no more.
            assert len(playing.sent) < 3 * len(data) + 3 * 50_000_000
    except Finished:
        return
    assert len(playing.sent) % 188 == 0


def test_a_file_of_20_gigabytes_starts_with_two_blocks_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.truncate(file, 20 * 10**9)
    reads: list[int] = []
    preadv = os.preadv

    def count(fd: int, buffers: list[bytearray], offset: int) -> int:
        reads.append(len(buffers[0]))
        return preadv(fd, buffers, offset)

    monkeypatch.setattr(os, "preadv", count)
    playing = Playing(file)
    playing.play_block()
    playing.reader.close()
    assert playing.sent == SAMPLE[: len(playing.sent)]
    assert sum(reads) <= 2 * 348 * 188


@pytest.mark.parametrize(
    ("bitrate_bps", "blocks"), [(None, 1), (100_000, 1), (5_000_000, 1), (8_000_000, 2), (80_000_000, 2)]
)
def test_a_fast_file_is_read_in_larger_parts(bitrate_bps: int | None, blocks: int) -> None:
    assert bytes_at_once(bitrate_bps) == blocks * 348 * 188


@pytest.mark.parametrize(
    ("bitrate_bps", "packets"), [(None, 348), (100_000, 13), (1_000_000, 116), (5_000_000, 348), (8_000_000, 696)]
)
def test_what_goes_in_at_once_is_an_equal_part_of_what_is_read_and_not_long(
    bitrate_bps: int | None, packets: int
) -> None:
    piece = piece_bytes(bitrate_bps)
    assert piece == packets * 188
    if bitrate_bps is not None:
        assert piece * 8 / bitrate_bps <= 0.2
        parts = [min(piece, bytes_at_once(bitrate_bps) - at) for at in range(0, bytes_at_once(bitrate_bps), piece)]
        assert min(parts) >= piece - len(parts) * 188


def test_what_is_sent_does_not_depend_on_how_much_is_read_at_once(file: Path) -> None:
    sent = []
    for bitrate_bps in (None, 80_000_000):
        reader = LoopingReader(str(file), bitrate_bps=bitrate_bps, clock=lambda: 1.0)
        blocks = []
        while reader.laps < 3:
            blocks.append(bytes(reader.read() or b""))
        reader.close()
        sent.append(b"".join(blocks))
        assert max(map(len, blocks)) == bytes_at_once(bitrate_bps)
    shorter = min(map(len, sent))
    assert shorter > 3 * len(SAMPLE)
    assert sent[0][:shorter] == sent[1][:shorter]


def test_memory_does_not_depend_on_the_size_of_the_file(file: Path) -> None:
    def peak(megabytes: int) -> int:
        file.write_bytes(make_ts(Recipe(seconds=3.0)) * megabytes)
        reader = LoopingReader(str(file))
        tracemalloc.start()
        while reader.laps < 1:
            reader.read()
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        reader.close()
        return used

    assert peak(12) < 1.2 * peak(2)
    assert peak(2) < 1_000_000
