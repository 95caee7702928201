"""A folder of the path that is replaced by a link is not followed: neither at the start nor at a seam."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.domain.endings import Finished
from app.machine import straight_open
from app.machine.straight_open import open_straight
from app.media.analysis import AnalysisPhase, MediaAnalyst
from app.media.library import MediaLibrary
from app.sources.looping_file import LoopingReader
from app.sources.packet_file import Change, PacketFile
from tests.instruments.ts_maker import Recipe, make_ts
from tests.instruments.waiting import wait_for

INSIDE, OUTSIDE = make_ts(Recipe(seconds=1.0)), make_ts(Recipe(seconds=1.0, seed=9))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    for name, data in (("media/sub", INSIDE), ("outside", OUTSIDE)):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "clip.ts").write_bytes(data)
    return tmp_path / "media" / "sub" / "clip.ts"


def turn_into_link(clip: Path) -> None:
    """The attack: the folder that holds the clip becomes a link that leads out."""
    clip.parent.rename(clip.parent.with_name("sub.real"))
    clip.parent.symlink_to(clip.parent.parent.parent / "outside")


@pytest.mark.parametrize("has_openat2", [True, False])
def test_a_link_on_the_way_is_not_followed(clip: Path, has_openat2: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_openat2:
        monkeypatch.setattr(straight_open, "_SYS_OPENAT2", 9999)
    os.close(open_straight(clip, os.O_RDONLY))
    turn_into_link(clip)
    with pytest.raises(OSError) as caught:
        open_straight(clip, os.O_RDONLY)
    assert caught.value.errno == errno.ELOOP
    with pytest.raises(Finished):
        PacketFile(str(clip))


def test_what_is_outside_is_never_sent_when_a_folder_becomes_a_link_on_air(clip: Path) -> None:
    reader = LoopingReader(str(clip))
    sent = bytearray(reader.read() or b"")
    turn_into_link(clip)
    assert reader.check_file() is Change.DELETED
    while reader.laps < 3:
        sent += reader.read() or b""
    reader.close()
    payloads = {OUTSIDE[at + 60 : at + 188] for at in range(0, len(OUTSIDE), 188) if OUTSIDE[at + 1] & 0x1F != 0x1F}
    payloads -= {INSIDE[at + 60 : at + 188] for at in range(0, len(INSIDE), 188)}
    assert len(payloads) > 100
    assert not [payload for payload in payloads if payload in sent]


def test_neither_analysis_nor_tools_read_what_is_outside_when_a_folder_becomes_a_link(clip: Path) -> None:
    checked = MediaLibrary(clip.parents[1]).identify("sub/clip.ts")
    turn_into_link(clip)
    analyst = MediaAnalyst(Mock(identify=lambda _path: checked))
    try:
        wait_for(lambda: analyst.look("sub/clip.ts").phase is AnalysisPhase.FAILED, deadline_s=30, what="a failure")
        state = analyst.look("sub/clip.ts")
    finally:
        analyst.close()
    assert state.details is None
    assert state.details_problem == state.problem == f"the file cannot be read: {os.strerror(errno.ELOOP)}"
