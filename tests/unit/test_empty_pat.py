"""Hiding PATs that name no programme from engines that lose their clock on one."""

from __future__ import annotations

from app.mpegts.loop.empty_pat import EmptyPatFilter
from tests.instruments.ts_maker import NULL_PACKET, Packetizer, Programme, Recipe, make_ts, pat, section
from tests.instruments.ts_reader import read_ts

EMPTY = section(0x00, 1, b"", version=1)
NETWORK_ONLY = section(0x00, 1, bytes.fromhex("0000e010"), version=1)
FULL = pat([Programme()])


def on_pid_0(*sections: bytes) -> bytearray:
    """Return one packet for each section."""
    packetizer = Packetizer(0, 4)
    return bytearray(b"".join(packet for each in sections for packet in packetizer.sections([each])))


def filtered(*blocks: bytearray) -> list[bytes]:
    """Return the blocks after one filter."""
    one = EmptyPatFilter()
    for block in blocks:
        one.filter(block)
    return [bytes(block) for block in blocks]


def test_a_table_that_names_a_programme_passes() -> None:
    block = on_pid_0(FULL, FULL)
    assert filtered(bytearray(block)) == [bytes(block)]


def test_an_empty_table_becomes_the_latest_one_that_names_a_programme() -> None:
    for empty in (EMPTY, NETWORK_ONLY):
        assert filtered(on_pid_0(FULL), on_pid_0(FULL, empty))[1] == bytes(on_pid_0(FULL, FULL))


def test_before_the_first_full_table_an_empty_one_becomes_stuffing_with_its_counter() -> None:
    (packet,) = filtered(on_pid_0(EMPTY))
    assert packet == bytes([0x47, 0x00, 0x00, 0x15]) + b"\xff" * 184


def test_other_pids_and_null_packets_pass() -> None:
    block = bytearray(make_ts(Recipe(seconds=0.5)) + NULL_PACKET)
    assert filtered(bytearray(block)) == [bytes(block)]


def test_no_counter_is_broken() -> None:
    before = on_pid_0(EMPTY, EMPTY, FULL, EMPTY, FULL)
    (after,) = filtered(bytearray(before))
    assert read_ts(after).continuity_errors() == read_ts(bytes(before)).continuity_errors() == 0


def test_damaged_tables_and_tables_of_several_packets_pass() -> None:
    damaged = bytearray(EMPTY)
    damaged[-1] ^= 1
    long = pat([Programme(number=number) for number in range(1, 60)])
    several = bytearray(EMPTY)
    several[7] = 1
    for table in (bytes(damaged), long, bytes(several)):
        block = on_pid_0(FULL, table)
        assert filtered(bytearray(block)) == [bytes(block)]


def test_a_packet_without_room_for_a_table_passes() -> None:
    block = bytearray(bytes([0x47, 0x40, 0, 0x30, 183]) + bytes(183) + bytes([0x47, 0x40, 0, 0x10, 200]) + bytes(183))
    assert filtered(bytearray(block)) == [bytes(block)]
