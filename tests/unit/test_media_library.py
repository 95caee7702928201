"""Which files of the media folder can be used, which are refused, and the sentences for it."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.media import library as library_module
from app.media.library import HEAD_BYTES, MediaLibrary
from tests.instruments.ts_maker import NULL_PACKET, Programme, Recipe, make_ts
from tests.instruments.ts_reader import WRAP_27

SAMPLE = make_ts(Recipe(seconds=2.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    media = tmp_path / "media"
    media.mkdir()
    (media / "bars.ts").write_bytes(SAMPLE)
    return media


@pytest.fixture
def library(folder: Path) -> MediaLibrary:
    return MediaLibrary(folder)


def refusal(call: Callable[[str], object], path: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        call(path)
    assert list(caught.value.fields) == ["source.path"]
    return caught.value.fields["source.path"]


def test_a_file_of_the_folder_is_resolved_to_its_real_path(library: MediaLibrary, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "Ä b.TS").write_bytes(SAMPLE)
    assert library.resolve("bars.ts") == folder.resolve() / "bars.ts"
    assert library.resolve("sub/Ä b.TS") == folder.resolve() / "sub" / "Ä b.TS"


def test_a_link_inside_the_folder_leads_to_the_real_file(library: MediaLibrary, folder: Path) -> None:
    (folder / "link.ts").symlink_to("bars.ts")
    assert library.resolve("link.ts") == folder.resolve() / "bars.ts"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "choose a file"),
        ("missing.ts", "no such file"),
        ("bars.ts/x.ts", "no such file"),
        ("../outside.ts", "inside the media folder"),
        ("/etc/passwd.ts", "inside the media folder"),
        ("a\nb.ts", "control characters"),
        ("a\0b.ts", "control characters"),
        ('"a".ts', "no such file"),
        ("\udcff.ts", "control characters"),
        ("bars.mp4", "ending in .ts"),
        ("x" * 1100 + ".ts", "1024 bytes"),
        ("x" * 300 + ".ts", "no such file"),
        ("outside.ts", "points outside the media folder"),
        ("out/outside.ts", "points outside the media folder"),
        ("circle.ts", "link to itself"),
        ("dangling.ts", "no such file"),
        ("folder.ts", "not a file"),
        ("fifo.ts", "not a file"),
        ("device.ts", "points outside the media folder"),
        ("empty.ts", "empty"),
    ],
)
def test_what_is_no_streamable_file_is_refused_with_the_remedy(
    library: MediaLibrary, folder: Path, path: str, words: str
) -> None:
    outside = folder.parent / "elsewhere"
    outside.mkdir()
    (outside / "outside.ts").write_bytes(SAMPLE)
    (folder / "outside.ts").symlink_to(outside / "outside.ts")
    (folder / "out").symlink_to(outside)
    (folder / "circle.ts").symlink_to("circle.ts")
    (folder / "dangling.ts").symlink_to("nowhere.ts")
    (folder / "device.ts").symlink_to("/dev/zero")
    (folder / "folder.ts").mkdir()
    (folder / "empty.ts").touch()
    os.mkfifo(folder / "fifo.ts")
    assert words in refusal(library.resolve, path)
    assert words in refusal(library.check, path)


def test_a_file_that_may_not_be_read_says_whose_right_is_missing(
    library: MediaLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    # Root, who runs the tests in containers, may read everything: so the system call says no.
    monkeypatch.setattr(library_module, "open_straight", refuse)
    assert "change its permissions" in refusal(library.resolve, "bars.ts")


def test_a_missing_media_folder_is_named(tmp_path: Path) -> None:
    assert "media folder is missing" in refusal(MediaLibrary(tmp_path / "none").resolve, "bars.ts")


def write(folder: Path, data: bytes, name: str = "new.ts") -> str:
    (folder / name).write_bytes(data)
    return name


def test_a_constant_bitrate_file_is_measured(library: MediaLibrary) -> None:
    check = library.check("bars.ts")
    assert check.bitrate_bps == pytest.approx(3_000_000, rel=1e-4)
    assert check.is_constant_bitrate
    assert check.duration_s == pytest.approx(2.0, abs=0.01)
    assert check.pcr_interval_ms == pytest.approx(30, abs=0.6)
    assert (check.pcr_pid, check.programme_count) == (0x101, 1)
    assert check.packet_count * 188 == check.size_bytes == len(SAMPLE)
    assert check.warnings == ()


def test_a_variable_bitrate_file_is_told_apart(library: MediaLibrary, folder: Path) -> None:
    check = library.check(write(folder, make_ts(Recipe(seconds=4, constant=False))))
    assert not check.is_constant_bitrate
    assert check.duration_s == pytest.approx(4.0, abs=0.1)


def test_a_file_larger_than_the_look_is_measured_from_head_and_tail(library: MediaLibrary, folder: Path) -> None:
    recipe = Recipe(seconds=4.0, bitrate_bps=16_000_000, programmes=[Programme(start_pcr=WRAP_27 - 27_000_000)])
    data = make_ts(recipe)
    assert len(data) > HEAD_BYTES + 1024 * 1024
    check = library.check(write(folder, data))
    assert check.bitrate_bps == pytest.approx(16_000_000, rel=1e-4)
    assert check.is_constant_bitrate
    assert check.duration_s == pytest.approx(4.0, abs=0.01)


def test_a_sparse_file_of_20_gigabytes_is_checked_by_its_ends_only(library: MediaLibrary, folder: Path) -> None:
    data = make_ts(Recipe(seconds=4.0, bitrate_bps=9_000_000))
    with (folder / "large.ts").open("wb") as file:
        file.write(data)
        file.seek(20 * 10**9 // 188 * 188 - len(data))
        file.write(data)
    check = library.check("large.ts")
    assert check.bitrate_bps == pytest.approx(9_000_000, rel=0.01)
    assert check.packet_count == 20 * 10**9 // 188


def test_several_programmes_are_counted_and_the_first_ones_clock_is_used(library: MediaLibrary, folder: Path) -> None:
    recipe = Recipe(programmes=[Programme(3), Programme(7, video_kbps=300)])
    check = library.check(write(folder, make_ts(recipe)))
    assert (check.programme_count, check.pcr_pid) == (2, 0x301)


def test_a_file_that_begins_inside_a_packet_is_read_from_the_next_one_on(library: MediaLibrary, folder: Path) -> None:
    check = library.check(write(folder, SAMPLE[100:] + b"rest"))
    assert check.bitrate_bps == pytest.approx(3_000_000, rel=1e-4)
    assert check.packet_count == len(SAMPLE) // 188 - 1


def spread(data: bytes, before: int, after: int) -> bytes:
    return b"".join(bytes(before) + data[at : at + 188] + bytes(after) for at in range(0, len(data), 188))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (spread(SAMPLE, 4, 0), "192 bytes (M2TS"),
        (spread(SAMPLE, 0, 16), "204 bytes"),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n" * 30, "playlist"),
        (b"\0\0\0\x18ftypisom" + bytes(5000), "MP4"),
        (bytes(100_000), "not an MPEG transport stream"),
        (SAMPLE[: 188 * 4], "too short: 4 packets"),
        (b"G", "not an MPEG transport stream"),
        (NULL_PACKET * 1000, "no clock (PCR) in its first 0.188 MB"),
        (make_ts(Recipe(pcr_ms=9_000_000)), "no clock (PCR)"),
    ],
)
def test_what_cannot_be_streamed_is_called_by_its_name(
    library: MediaLibrary, folder: Path, data: bytes, words: str
) -> None:
    assert words in refusal(library.check, write(folder, data))


def test_a_clock_that_stands_still_is_refused(library: MediaLibrary, folder: Path) -> None:
    assert "does not run forward" in refusal(library.check, write(folder, _first_packet_with_pcr() * 50))


def _first_packet_with_pcr() -> bytes:
    at = next(at for at in range(0, len(SAMPLE), 188) if SAMPLE[at + 3] & 0x20 and SAMPLE[at + 5] & 0x10)
    return SAMPLE[at : at + 188]


def test_a_jump_of_the_clock_is_a_warning(library: MediaLibrary, folder: Path) -> None:
    other = make_ts(Recipe(programmes=[Programme(start_pcr=27_000_000 * 5000)]))
    check = library.check(write(folder, SAMPLE + other))
    assert any("jumps" in warning for warning in check.warnings)
    assert check.bitrate_bps == pytest.approx(3_000_000, rel=1e-3)


def test_rare_pcrs_and_missing_tables_are_warnings(library: MediaLibrary, folder: Path) -> None:
    check = library.check(write(folder, make_ts(Recipe(pcr_ms=150))))
    assert any("150 ms apart" in warning for warning in check.warnings)
    without_psi = b"".join(
        SAMPLE[at : at + 188] for at in range(0, len(SAMPLE), 188) if SAMPLE[at + 1] & 0x1F or SAMPLE[at + 2]
    )
    assert any("PAT" in warning for warning in library.check(write(folder, without_psi)).warnings)


def test_a_changed_file_is_checked_anew(library: MediaLibrary, folder: Path) -> None:
    before = library.check("bars.ts")
    write(folder, make_ts(Recipe(bitrate_bps=5_000_000)), "bars.ts")
    assert library.check("bars.ts").bitrate_bps > before.bitrate_bps


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), flips=st.integers(1, 4000), header_only=st.booleans())
def test_no_bytes_make_a_check_fail_in_any_other_way(
    tmp_path_factory: pytest.TempPathFactory, seed: int, flips: int, header_only: bool
) -> None:
    dice = random.Random(seed)
    data = bytearray(SAMPLE[: 188 * 800])
    for _ in range(flips):
        at = dice.randrange(len(data))
        if header_only:
            at = at // 188 * 188 + dice.randrange(1, 24)
        data[at] = dice.randrange(256)
    folder = tmp_path_factory.getbasetemp() / "mutated"
    folder.mkdir(exist_ok=True)
    (folder / "x.ts").write_bytes(data)
    try:
        check = MediaLibrary(folder).check("x.ts")
    except InvalidInput:
        return
    assert check.bitrate_bps > 0
    assert check.duration_s > 0
