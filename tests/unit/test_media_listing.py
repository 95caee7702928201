"""What a listing of the media folder shows, and what it leaves out."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from app.domain.errors import InvalidInput
from app.media.library import DEPTH_MAX, ENTRIES_MAX, HEAD_BYTES, MediaLibrary
from tests.instruments.ts_maker import Recipe, make_ts

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


def write(folder: Path, data: bytes, name: str) -> None:
    (folder / name).write_bytes(data)


def test_a_listing_is_in_natural_order_with_folders_apart(library: MediaLibrary, folder: Path) -> None:
    for name in ("Clip 10.ts", "clip 2.ts", "b.TS", ".hidden.ts", "notes.txt"):
        (folder / name).write_bytes(SAMPLE)
    for name in ("Sub", "another", ".git"):
        (folder / name).mkdir()
    listing = library.list()
    assert [file.name for file in listing.files] == ["b.TS", "bars.ts", "clip 2.ts", "Clip 10.ts"]
    assert [sub.path for sub in listing.folders] == ["another", "Sub"]
    assert (listing.path, listing.parent, listing.left_out) == ("", None, 0)


def test_a_listing_shows_what_is_known_of_each_file(library: MediaLibrary, folder: Path) -> None:
    write(folder, bytes(1000), "broken.ts")
    write(folder, b"", "empty.ts")
    bars, broken, empty = library.list().files
    assert bars.check == library.check("bars.ts")
    assert (bars.size_bytes, bars.problem) == (len(SAMPLE), None)
    assert broken.problem is not None
    assert "not an MPEG transport stream" in broken.problem
    assert empty.problem is not None
    assert "empty" in empty.problem


def test_a_listing_leaves_checks_over_its_time_to_the_next_one(folder: Path) -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += 0.2
        return now[0]

    for index in range(6):
        write(folder, SAMPLE + bytes(index), f"{index}.ts")
    library = MediaLibrary(folder, clock=clock)
    known = [sum(file.check is not None for file in library.list().files) for _ in range(5)]
    assert known[0] < 7
    assert known == sorted(known)
    assert known[-1] == 7


def test_a_sub_folder_is_listed_with_its_way_back(library: MediaLibrary, folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    write(folder, SAMPLE, "a/b/x.ts")
    listing = library.list("a/b")
    assert (listing.path, listing.parent) == ("a/b", "a")
    assert [file.path for file in listing.files] == ["a/b/x.ts"]
    assert library.list("a").parent == ""


@pytest.mark.parametrize(
    "path", ["..", "a/../..", "/etc", "missing", "bars.ts", "out", "a\nb", "/".join(["d"] * (DEPTH_MAX + 1))]
)
def test_a_listing_never_leaves_the_media_folder(library: MediaLibrary, folder: Path, path: str) -> None:
    (folder / "out").symlink_to("/etc")
    with pytest.raises(InvalidInput) as caught:
        library.list(path)
    assert list(caught.value.fields) == ["source.path"]


def test_links_out_of_the_folder_and_dead_ones_are_left_out(library: MediaLibrary, folder: Path) -> None:
    (folder / "etc").symlink_to("/etc")
    (folder / "zero.ts").symlink_to("/dev/zero")
    (folder / "dead.ts").symlink_to("nowhere")
    (folder / "same.ts").symlink_to("bars.ts")
    listing = library.list()
    assert [file.name for file in listing.files] == ["bars.ts", "same.ts"]
    assert listing.folders == ()


def test_names_that_cannot_be_used_are_shown_with_the_reason(library: MediaLibrary, folder: Path) -> None:
    for name in (b"it's.ts", b"new\nline.ts", b"latin\xe9.ts", b"<script>alert(1)<|script>.ts"):
        (folder / os.fsdecode(name)).write_bytes(SAMPLE)
    files = {file.name: file.problem for file in library.list().files}
    assert files["it's.ts"] is None
    assert "control characters" in (files["new\nline.ts"] or "")
    assert files["latin�.ts"] is not None
    assert files["<script>alert(1)<|script>.ts"] is None


def test_a_folder_with_very_many_files_is_listed_up_to_a_limit(folder: Path) -> None:
    for index in range(ENTRIES_MAX + 5):
        (folder / f"{index:05}.ts").touch()
    listing = MediaLibrary(folder).list()
    assert len(listing.files) == ENTRIES_MAX
    assert listing.left_out == 6


def test_a_file_that_cannot_be_sent_leaves_its_verdict_in_memory_and_not_its_contents(folder: Path) -> None:
    (folder / "broken.ts").write_bytes(bytes(HEAD_BYTES))
    library = MediaLibrary(folder)
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput):
            library.check("broken.ts")
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept_bytes < HEAD_BYTES / 4
