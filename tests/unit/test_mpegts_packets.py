"""The bits of transport packets: clocks, times, sections, tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mpegts import packets, pes, sections, tables, times
from app.mpegts.framing import find_framing, find_sync, foreign_format, whole_packets
from tests.instruments import ts_maker
from tests.instruments.ts_reader import WRAP_27, WRAP_90, read_ts, slow_crc32


@given(st.integers(0, WRAP_27 - 1), st.binary(min_size=6, max_size=6))
def test_a_pcr_is_read_back_as_it_was_written_and_reserved_bits_stay(pcr: int, before: bytes) -> None:
    block = bytearray(before)
    packets.write_pcr(block, 0, pcr)
    assert packets.read_pcr(block, 0) == pcr
    assert block[4] & 0x7E == before[4] & 0x7E


@given(st.integers(0, WRAP_27 - 1))
def test_a_pcr_is_written_as_the_independent_maker_writes_it(pcr: int) -> None:
    block = bytearray(b"\0\0\0\0\x7e\0")
    packets.write_pcr(block, 0, pcr)
    assert bytes(block) == ts_maker.pcr_bytes(pcr)


@given(st.integers(-WRAP_90, 2 * WRAP_90), st.sampled_from((1, 2, 3)))
def test_a_time_is_written_as_the_independent_maker_writes_it(ticks: int, prefix: int) -> None:
    block = bytearray(ts_maker.timestamp(prefix, 0))
    pes.write_time(block, 0, ticks)
    assert bytes(block) == ts_maker.timestamp(prefix, ticks)
    assert pes.read_time(block, 0) == ticks % WRAP_90


@pytest.mark.parametrize(
    ("before", "after", "step"), [(0, 27, 27), (WRAP_27 - 10, 17, 27), (27, 0, -27), (5, WRAP_27 - 5, -10)]
)
def test_a_step_of_the_clock_follows_its_wrap(before: int, after: int, step: int) -> None:
    assert packets.clock_step(before, after) == step


@given(st.binary(max_size=300))
def test_the_crc_is_that_of_the_standard_bit_by_bit(data: bytes) -> None:
    assert sections.crc32_mpeg(data) == slow_crc32(data)


def test_the_header_fields_of_a_block_are_those_of_its_packets() -> None:
    stream = ts_maker.make_ts(ts_maker.Recipe(seconds=0.5, tdt=True))
    witness = read_ts(stream)
    found, pid_of = packets.marks(stream), packets.pids(stream)
    clocked = [index for index in packets.marked(found) if found[index] & packets.HAS_PCR]
    assert [(i, packets.read_pcr(stream, i * 188 + packets.PCR_OFFSET)) for i in clocked] == witness.pids[0x101].pcrs
    assert {pid: list(pid_of).count(pid) for pid in set(pid_of)} == {n: p.packets for n, p in witness.pids.items()}
    starts = [i for i in packets.marked(found) if found[i] & packets.UNIT_START and pid_of[i] == 0x102]
    assert starts == [at for at, _, _ in witness.pids[0x102].units]


def test_an_adaptation_field_too_short_for_a_pcr_has_none() -> None:
    packet = bytearray(188)
    packet[:6] = bytes((0x47, 0x01, 0x00, 0x30, 6, 0x10))
    assert packets.marks(packet) == b"\0"
    packet[4] = 7
    assert packets.marks(packet) == bytes((packets.HAS_PCR,))


def test_a_packet_with_the_error_indicator_starts_nothing() -> None:
    packet = bytearray(ts_maker.NULL_PACKET)
    packet[1] = 0xC1
    assert packets.marks(packet) == b"\0"


@given(st.integers(0, 183), st.sampled_from((0x00, 0x10, 0x20, 0x30)))
def test_a_payload_never_begins_outside_its_packet(length: int, control: int) -> None:
    packet = bytes((0x47, 0, 0, control, length)) + bytes(183)
    assert 4 <= packets.payload_offset(packet, 0) <= 188


def _section_packets(pid: int, parts: list[bytes]) -> bytes:
    return b"".join(ts_maker.Packetizer(pid, 3).sections(parts))


def test_a_long_section_is_put_together_from_its_packets() -> None:
    long = ts_maker.section(0x42, 1, bytes(900))
    short = ts_maker.section(0x46, 1, b"abc")
    stream = _section_packets(0x11, [long, short])
    assembler = sections.SectionAssembler()
    found = [part for at in range(0, len(stream), 188) for part in assembler.feed(stream, at)]
    assert found == [long, short]


def test_a_lost_packet_drops_its_section_and_no_other() -> None:
    long = ts_maker.section(0x42, 1, bytes(900))
    maker = ts_maker.Packetizer(0x11, 3)
    first, second = list(maker.sections([long])), list(maker.sections([long]))
    stream = b"".join(first[:2] + first[3:] + second)
    assembler = sections.SectionAssembler()
    assert [part for at in range(0, len(stream), 188) for part in assembler.feed(stream, at)] == [long]


@given(st.binary(max_size=188 * 6))
def test_no_bytes_upset_the_section_assembler(data: bytes) -> None:
    stream = data.ljust(-(-len(data) // 188) * 188, b"\xff")
    assembler = sections.SectionAssembler()
    for at in range(0, len(stream), 188):
        for part in assembler.feed(stream, at):
            assert len(part) <= sections.SECTION_BYTES_MAX
            for read in (tables.read_pat, tables.read_pmt, tables.read_sdt):
                read(part)


@given(st.binary(max_size=80), st.sampled_from((0x00, 0x02, 0x42)))
def test_a_section_with_a_right_crc_and_a_senseless_body_is_read_without_error(body: bytes, table: int) -> None:
    part = ts_maker.section(table, 1, body)
    tables.read_pat(part)
    tables.read_pmt(part)
    tables.read_sdt(part)


def test_the_tables_say_programmes_clocks_streams_and_names() -> None:
    one, two = ts_maker.Programme(1), ts_maker.Programme(2)
    assert tables.read_pat(ts_maker.pat([one, two])) == {1: 0x100, 2: 0x200}
    programme = tables.read_pmt(ts_maker.pmt(two, version=7, extra=((0x86, 0x1F0),)))
    assert programme is not None
    assert (programme.number, programme.pcr_pid, programme.version) == (2, 0x201, 7)
    assert [(s.stream_type, s.pid) for s in programme.streams] == [(0x1B, 0x201), (0x0F, 0x202), (0x86, 0x1F0)]
    assert tables.read_sdt(ts_maker.sdt({1: "Kanal Ö"})) == [tables.Service(1, "Kanal Ö", "Test")]


def test_a_section_with_a_wrong_crc_is_no_table() -> None:
    broken = bytearray(ts_maker.pat([ts_maker.Programme()]))
    broken[8] ^= 1
    assert tables.read_pat(bytes(broken)) is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"SVT1", "SVT1"),
        (b"\x05\xc7", "Ç"),  # ISO 8859-9
        (b"\x10\x00\x05\xbf", "П"),  # ISO 8859-5
        (b"\x11\x00A", "A"),
        (b"\x15\xc3\xb6", "ö"),
        (b"\x15a\x00\x1b[31mb", "a[31mb"),
        (b"\x1f\x01a", "a"),
        (b"\x08abc", "abc"),
    ],
)
def test_a_dvb_text_is_read_in_its_code_and_is_safe_to_print(data: bytes, text: str) -> None:
    assert tables.read_dvb_text(data) == text


@given(st.binary(max_size=40))
def test_every_dvb_text_can_be_printed(data: bytes) -> None:
    assert tables.read_dvb_text(data).isprintable()


def test_the_time_of_the_standards_example_is_written_as_in_the_standard() -> None:
    # EN 300 468 annex C: 93/10/13 12:45:00 is C079124500.
    assert times.dvb_time(750_516_300.9).hex() == "c079124500"


def test_the_date_begins_again_when_its_sixteen_bits_are_used_up() -> None:
    days = 2**16 - 40_587  # from 1970 to 23 April 2038
    assert times.dvb_time(days * 86_400 - 1).hex() == "ffff235959"
    assert times.dvb_time(days * 86_400).hex() == "0000000000"


@pytest.mark.parametrize(("size", "lead"), [(188, 0), (188, 100), (192, 4), (204, 0), (204, 57)])
def test_the_framing_is_found_wherever_the_first_packet_begins(size: int, lead: int) -> None:
    packet = b"\x47\x1f\xff\x10" + bytes(size - 4)
    framing = find_framing(bytes(lead) + packet * 6)
    assert framing is not None
    assert (framing.packet_bytes, framing.offset) == (size, lead)


def test_four_sync_bytes_in_a_row_are_no_transport_stream() -> None:
    assert find_framing(ts_maker.NULL_PACKET * 4) is None


def test_packets_are_found_again_after_garbage() -> None:
    stream = b"\x47" * 50 + b"x" * 77 + ts_maker.NULL_PACKET * 6
    assert find_sync(stream) == 127
    assert find_sync(bytes(1000)) == -1
    assert whole_packets(ts_maker.NULL_PACKET * 3 + bytes(188)) == 3


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"\0\0\0\x20ftypisom", "an MP4 file"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n", "a playlist"),
        (b"ffconcat version 1.0\nfile 'x'", "a playlist"),
        (b"\x1aE\xdf\xa3\x01", "a Matroska or WebM file"),
        (b"export const x = 1;\n", "a text file"),
        (bytes(64), None),
    ],
)
def test_well_known_other_formats_are_called_by_their_name(head: bytes, what: str | None) -> None:
    assert foreign_format(head) == what
