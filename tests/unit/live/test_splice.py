"""SCTE-35 sections in words. The values of the samples were decoded by another program (threefive)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.mpegts.splice import describe_splice
from tests.instruments.live_feed import Feed
from tests.instruments.ts_maker import Recipe, make_ts, splice_null
from tests.instruments.ts_reader import slow_crc32

INSERT = bytes.fromhex(
    "fc302f000000000000fffff014054800008f7feffe7369c02efe0052ccf500000000000a0008435545490000013562dba30a"
)


def signed(section: bytes) -> bytes:
    """Return the section with a right CRC in its last four bytes."""
    return section[:-4] + slow_crc32(section[:-4]).to_bytes(4, "big")


def test_a_splice_insert_is_described_with_its_event_its_time_and_its_duration() -> None:
    text = "splice insert, event 1207959695, out of network, at 21514.559 s, for 60.294 s"
    assert describe_splice(INSERT) == text


def test_the_adjustment_of_a_remultiplexer_moves_the_time() -> None:
    moved = signed(INSERT[:4] + (90_000).to_bytes(5, "big") + INSERT[9:])
    assert "at 21515.559 s" in describe_splice(moved)


def test_a_time_signal_names_its_segmentation() -> None:
    body = b"CUEI" + (9).to_bytes(4, "big") + bytes([0x7F, 0xBF]) + bytes([0, 0]) + bytes([0x34, 1, 1])
    descriptor = bytes([2, len(body)]) + body
    command = bytes([0xFE]) + (90_000 * 12).to_bytes(4, "big")
    rest = bytes([0]) + bytes(5) + bytes([0, 0xFF, 0xF0, len(command), 6]) + command
    rest += len(descriptor).to_bytes(2, "big") + descriptor
    section = bytes([0xFC, 0x30, len(rest) + 4]) + rest + bytes(4)
    assert describe_splice(signed(section)) == "time signal, at 12.000 s, provider placement opportunity start"


def test_a_splice_null_and_what_cannot_be_read_have_words_too() -> None:
    assert describe_splice(splice_null()) == "splice null"
    assert describe_splice(INSERT[:-1]) == describe_splice(b"") == "not readable"
    assert describe_splice(signed(INSERT[:4] + b"\x80" + INSERT[5:])) == "encrypted"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(3, len(INSERT) - 5), st.integers(0, 255)), max_size=8), st.integers(9, 50))
def test_damaged_sections_with_a_right_crc_raise_nothing(changes: list[tuple[int, int]], size: int) -> None:
    section = bytearray(INSERT)
    for at, value in changes:
        section[at] = value
    assert describe_splice(signed(bytes(section[:size])))


def test_the_analysis_keeps_the_section_as_it_came() -> None:
    report = Feed(3_000_000).take(make_ts(Recipe(scte35_pid=0x300))).report()
    assert report.last_cue is not None
    assert describe_splice(bytes.fromhex(report.last_cue.section)) == "splice null"
