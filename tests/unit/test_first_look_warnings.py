"""What a first look says of files that are short, cut off, scrambled or damaged."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from app.domain.errors import InvalidInput
from app.domain.spec import FileSource, ListenerEndpoint, SendSpec
from app.media.library import MediaLibrary
from app.media.patience import PatientLibrary
from app.mpegts.marked_packets import MarkedPackets
from app.settings import read_settings
from app.streams.jobs import JobMaker
from tests.instruments.ts_maker import Programme, Recipe, make_ts

CLEAR = make_ts(Recipe(seconds=2.0))
HALF_SCRAMBLED = make_ts(Recipe(seconds=2.0, programmes=[Programme(1), Programme(2, scrambled=True)]))
SCRAMBLED = make_ts(Recipe(seconds=2.0, programmes=[Programme(scrambled=True)]))


@pytest.fixture
def library(tmp_path: Path) -> MediaLibrary:
    return MediaLibrary(tmp_path)


def put(library: MediaLibrary, data: bytes) -> str:
    (library.folder / "a.ts").write_bytes(data)
    return "a.ts"


def refusal(library: MediaLibrary, data: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        library.check(put(library, data))
    return caught.value.fields["source.path"]


def packets(data: bytes) -> list[bytes]:
    return [data[at : at + 188] for at in range(0, len(data), 188)]


def with_errors(data: bytes, every: int) -> bytes:
    """Return the packets, with the transport error indicator in every n-th one."""
    return b"".join(
        packet if index % every else packet[:1] + bytes([packet[1] | 0x80]) + packet[2:]
        for index, packet in enumerate(packets(data))
    )


def test_a_sound_file_has_no_warning(library: MediaLibrary) -> None:
    check = library.check(put(library, CLEAR))
    assert (check.warnings, check.packets_scrambled, check.packets_errored) == ((), 0, 0)
    assert (check.is_clock_scrambled, check.packets_looked_at) == (False, len(CLEAR) // 188)


def test_scrambled_packets_are_counted_and_nobody_is_promised_them(library: MediaLibrary) -> None:
    check = library.check(put(library, HALF_SCRAMBLED))
    expected = sum(bool(packet[3] & 0xC0) for packet in packets(HALF_SCRAMBLED))
    assert check.packets_scrambled == expected > 100
    (warning,) = check.warnings
    assert f"{expected} of {len(HALF_SCRAMBLED) // 188} checked packets" in warning
    assert "no receiver gets them" in warning


def test_a_scrambled_clock_is_known_before_the_start(library: MediaLibrary, tmp_path: Path) -> None:
    check = library.check(put(library, SCRAMBLED))
    assert check.is_clock_scrambled
    assert "GStreamer discards scrambled packets" in check.warnings[0]
    settings = read_settings({"SECRET_KEY": "s" * 32, "DATA_FOLDER": str(tmp_path)})
    spec = SendSpec(ListenerEndpoint(10001), FileSource("a.ts"), engine="gstreamer")
    with pytest.raises(InvalidInput) as caught:
        JobMaker(settings, PatientLibrary(library)).job_for("abc", spec)
    assert "choose the engine Direct" in caught.value.fields["source.path"]
    direct = msgspec.structs.replace(spec, engine="direct")
    assert JobMaker(settings, PatientLibrary(library)).job_for("abc", direct).bitrate_bps is not None


def test_packets_with_the_transport_error_indicator_are_counted(library: MediaLibrary) -> None:
    check = library.check(put(library, with_errors(CLEAR, 100)))
    assert check.packets_errored == -(-len(CLEAR) // 188 // 100)
    assert "transport error indicator" in check.warnings[0]


@pytest.mark.parametrize(("count", "words"), [(1, "too short: 1 packet;"), (4, "too short: 4 packets;")])
def test_a_file_of_a_few_whole_packets_is_too_short_and_still_a_transport_stream(
    library: MediaLibrary, count: int, words: str
) -> None:
    assert words in refusal(library, CLEAR[: count * 188])


def test_a_short_file_is_accepted_with_a_word_about_it(library: MediaLibrary) -> None:
    assert "only 0.5 s long" in library.check(put(library, make_ts(Recipe(seconds=0.5)))).warnings[0]


@pytest.mark.parametrize("size", [1_500_000, 6_000_000, 20_000_000_000])
def test_a_copy_in_progress_is_refused(library: MediaLibrary, size: int) -> None:
    path = library.folder / put(library, CLEAR)
    with path.open("r+b") as file:
        file.truncate(size)
    with pytest.raises(InvalidInput, match="copy may be incomplete"):
        library.check("a.ts")


def test_damage_between_head_and_end_does_not_make_a_copy_incomplete(library: MediaLibrary) -> None:
    data = make_ts(Recipe(seconds=14.0))
    assert library.check(put(library, data[:3_000_000] + b"damage" + data[3_000_000:])).bitrate_bps > 0


def test_rare_clocks_are_refused_with_their_interval(library: MediaLibrary) -> None:
    assert "PCR come 1500 ms apart" in refusal(library, make_ts(Recipe(seconds=7.0, pcr_ms=1500.0)))


def test_a_packet_with_both_marks_counts_as_errored_and_parts_of_packets_do_not_count() -> None:
    both, scrambled = bytes([0x47, 0x81, 0x00, 0xD0]) + bytes(184), bytes([0x47, 0x01, 0x02, 0x90]) + bytes(184)
    marked = MarkedPackets()
    marked.check(both + scrambled + b"\x47\xff")
    assert (marked.errored_total, marked.scrambled_total, marked.scrambled_pids) == (1, 1, {0x102})
    marked.check(b"")
    marked.check(b"\x47\xff")
    assert marked.total == 2
