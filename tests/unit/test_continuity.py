"""Packets missing in a live input, found by continuity counters and RTP sequence numbers."""

from __future__ import annotations

import struct

import pytest

from app.mpegts.continuity import ContinuityCheck, RtpGaps
from tests.instruments.ts_maker import NULL_PACKET, pcr_bytes


def packet(counter: int, *, pid: int = 0x100, fill: int = 0, head: int = 0) -> bytes:
    """Return a packet with payload; `head` are bits of its second byte."""
    return bytes([0x47, head | pid >> 8, pid & 0xFF, 0x10 | counter & 0x0F]) + bytes([fill]) * 184


def with_adaptation(counter: int, field: bytes, *, payload: bool = True) -> bytes:
    """Return a packet with an adaptation field."""
    control = 0x30 if payload else 0x20
    return (bytes([0x47, 1, 0, control | counter & 0x0F, len(field)]) + field).ljust(188, b"\0")


def errors_in(*packets: bytes) -> int:
    """Errors of packets that come in one datagram each."""
    check = ContinuityCheck()
    for one in packets:
        check.check(one)
    return check.errors_total


def test_counters_that_run_on_are_no_error_across_datagrams_and_within() -> None:
    run = [packet(counter) for counter in range(40)]
    assert errors_in(*run) == 0
    assert errors_in(b"".join(run[:7]), b"".join(run[7:])) == 0


@pytest.mark.parametrize("lost", [1, 2, 7, 14])
def test_a_gap_is_one_error(lost: int) -> None:
    assert errors_in(packet(3, fill=1), packet(4 + lost, fill=2), packet(5 + lost, fill=3)) == 1


def test_fifteen_lost_packets_are_not_taken_for_a_repetition() -> None:
    assert errors_in(packet(3, fill=1), packet(3, fill=2)) == 1


def test_a_packet_may_come_twice_and_not_thrice() -> None:
    assert errors_in(packet(3), packet(3), packet(4)) == 0
    assert errors_in(packet(3), packet(3), packet(3), packet(4)) == 1


def test_a_repetition_may_have_another_clock() -> None:
    first, second = (with_adaptation(3, b"\x10" + pcr_bytes(ticks)) for ticks in (27_000_000, 28_000_000))
    assert errors_in(first, second, packet(4)) == 0


def test_each_pid_counts_for_itself() -> None:
    assert errors_in(packet(3), packet(9, pid=0x200), packet(4), packet(10, pid=0x200)) == 0
    assert errors_in(packet(3), packet(9, pid=0x200), packet(5), packet(10, pid=0x200)) == 1


def test_packets_without_payload_and_null_packets_do_not_count_on() -> None:
    assert errors_in(packet(3), with_adaptation(3, b"\0", payload=False), NULL_PACKET, NULL_PACKET, packet(4)) == 0


def test_a_jump_that_is_announced_is_no_error() -> None:
    assert errors_in(packet(3), with_adaptation(9, b"\x80"), packet(10)) == 0
    assert errors_in(packet(3), with_adaptation(9, b"\x00"), packet(10)) == 1


def test_a_packet_marked_as_damaged_proves_nothing() -> None:
    assert errors_in(packet(3), packet(12, head=0x80), packet(4)) == 0


@pytest.mark.parametrize("noise", [b"x" * 1316, b"G", packet(0)[:-1], packet(0) + b"G", packet(0) + b"\0" * 188])
def test_bytes_out_of_step_are_one_error_a_datagram(noise: bytes) -> None:
    assert errors_in(packet(3), noise, packet(4)) == 1


def test_an_empty_datagram_is_nothing() -> None:
    assert errors_in(packet(3), b"", packet(4)) == 0


def rtp(number: int, *, first: int = 0x80, more: bytes = b"", payload: bytes = b"payload") -> bytes:
    """Return an RTP packet; `first` is its first byte, `more` what stands between header and payload."""
    return struct.pack(">BBHII", first, 33, number & 0xFFFF, 0, 1) + more + payload


def gaps_in(*numbers: int) -> int:
    """Gaps after packets of these numbers."""
    gaps = RtpGaps()
    for number in numbers:
        gaps.payload(rtp(number))
    return gaps.gaps_total


def test_numbers_that_run_on_have_no_gap_across_their_wrap() -> None:
    assert gaps_in(65_534, 65_535, 0, 1) == 0


def test_missing_numbers_are_counted_across_the_wrap_too() -> None:
    assert gaps_in(5, 8) == 2
    assert gaps_in(65_534, 2) == 3


def test_a_packet_that_comes_late_takes_its_gap_back() -> None:
    assert gaps_in(1, 3, 2, 4) == 0


def test_the_first_number_is_taken_as_it_is() -> None:
    assert gaps_in(40_000) == 0


def test_the_payload_is_found_behind_everything_a_header_may_have() -> None:
    gaps = RtpGaps()
    assert gaps.payload(rtp(1)) == b"payload"
    assert gaps.payload(rtp(2, first=0x82, more=bytes(8))) == b"payload"
    assert gaps.payload(rtp(3, first=0x90, more=b"\0\0\0\1" + bytes(4))) == b"payload"
    assert gaps.payload(rtp(4, first=0xA0, payload=b"payload\0\0\3")) == b"payload"


@pytest.mark.parametrize("noise", [b"", b"G" * 11, b"G" * 1316, bytes(12)])
def test_what_is_no_rtp_packet_has_no_payload_and_no_number(noise: bytes) -> None:
    gaps = RtpGaps()
    gaps.payload(rtp(1))
    assert gaps.payload(noise) == b""
    gaps.payload(rtp(2))
    assert gaps.gaps_total == 0
