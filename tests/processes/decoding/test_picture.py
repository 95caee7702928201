"""The picture: key frames as JPEG, black and frozen spells of generated streams."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.domain.events import NoticeCode
from app.engines.receiver.decoding.picture import PictureWatch
from app.protocol import Notice, PeerEvent
from tests.instruments.waiting import wait_for
from tests.processes.decoding.streams import feed, make_stream, pictures


class NoticeList(list[Notice]):
    """The notices of the watch."""

    def texts(self, code: NoticeCode) -> list[str]:
        """Return the texts of one kind, ends included."""
        return [notice.text for notice in self if notice.code is code]


@pytest.fixture
def notices() -> NoticeList:
    return NoticeList()


def noted_in(notices: list[Notice]) -> Callable[[PeerEvent | Notice], None]:
    """Keep what the watch reports, which is a notice each time."""

    def note(reported: PeerEvent | Notice) -> None:
        assert isinstance(reported, Notice)
        notices.append(reported)

    return note


@pytest.fixture
def watch(notices: NoticeList) -> Iterator[PictureWatch]:
    made = PictureWatch(noted_in(notices))
    wait_for(lambda: made.report().decoder.is_running, deadline_s=10, what="a decoder")
    yield made
    made.stop()


def seen(watch: PictureWatch, notices: NoticeList, code: NoticeCode, count: int) -> list[str]:
    return wait_for(
        lambda: found if len(found := notices.texts(code)) >= count else [],
        deadline_s=30,
        what=f"{count} notices of {code}; the decoder is {watch.report()}",
    )


def test_a_black_spell_is_reported_with_its_end_and_is_not_frozen_as_well(
    watch: PictureWatch, notices: NoticeList, tmp_path: Path
) -> None:
    feed(watch, make_stream(tmp_path / "b.ts", picture=pictures(("testsrc2", 6), ("color=black", 13), ("testsrc2", 6))))
    black = seen(watch, notices, NoticeCode.PICTURE_BLACK, 3)
    assert black[0] == "The picture has been black for 10 s"
    assert black[1].startswith("The picture is no longer black after ")
    assert black[2] == ""
    assert watch.report().black.spells == 1
    assert notices.texts(NoticeCode.PICTURE_FROZEN) == []


def test_a_frozen_spell_is_reported_with_its_end(watch: PictureWatch, notices: NoticeList, tmp_path: Path) -> None:
    feed(watch, make_stream(tmp_path / "f.ts", picture=pictures(("testsrc2", 5), ("smptebars", 14), ("testsrc2", 6))))
    frozen = seen(watch, notices, NoticeCode.PICTURE_FROZEN, 3)
    assert frozen[0] == "The picture has not moved for 10 s"
    assert frozen[1].startswith("The picture moves again after ")
    assert watch.report().frozen.since is None
    assert notices.texts(NoticeCode.PICTURE_BLACK) == []


def test_spells_below_ten_seconds_and_dark_moving_pictures_are_no_matter(
    watch: PictureWatch, notices: NoticeList, tmp_path: Path
) -> None:
    kinds = (("color=black", 8), ("testsrc2", 3), ("smptebars", 8), ("testsrc2", 12))
    feed(watch, make_stream(tmp_path / "s.ts", picture=pictures(*kinds)))
    wait_for(lambda: (watch.newest() is not None) and watch.report().taken_at, deadline_s=30, what="a picture")
    assert notices == []


def test_the_newest_key_frame_is_a_small_jpeg(watch: PictureWatch, tmp_path: Path) -> None:
    feed(watch, make_stream(tmp_path / "m.ts", picture="testsrc2=size=320x180:rate=25:duration=12"))
    picture = wait_for(watch.newest, deadline_s=30, what="a picture")
    path = tmp_path / "picture.jpg"
    path.write_bytes(picture.jpeg)
    argv = ("ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", str(path))
    found = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout.strip()
    assert found == "mjpeg,480,270"
    assert len(picture.jpeg) < 100_000
    assert watch.report().pid == 256


def test_pieces_of_pictures_are_joined_and_endless_ones_dropped(watch: PictureWatch) -> None:
    watch.see(b"\xff\xd8\xff" + b"x" * 400_000)
    watch.see(b"\xff\xd9")
    assert watch.newest() is None
    watch.see(b"\xff\xd8\xffab")
    watch.see(b"cd\xff\xd9\xff\xd8\xff")
    newest = watch.newest()
    assert newest is not None
    assert newest.jpeg == b"\xff\xd8\xffabcd\xff\xd9"
