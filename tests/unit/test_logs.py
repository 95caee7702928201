"""The log's file, its fallback, and its lines."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.machine.logs import start_logging
from app.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """Whatever the test adds to the root logger goes again."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def settings_in(folder: Path, log_file: Path) -> Settings:
    (folder / "data").mkdir()
    return read_settings({"SECRET_KEY": "k" * 32, "DATA_FOLDER": str(folder / "data"), "LOG_FILE": str(log_file)})


def test_the_log_goes_where_it_was_asked_to(tmp_path: Path) -> None:
    wanted = tmp_path / "deep" / "log.txt"

    assert start_logging(settings_in(tmp_path, wanted)) == wanted
    logging.getLogger("test").info("stream key=%s", "k7m2xq")
    assert "INFO test stream key=k7m2xq" in wanted.read_text()


def test_a_place_that_cannot_be_written_moves_the_log_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")

    used = start_logging(settings_in(tmp_path, blocked / "log.txt"))

    assert used == tmp_path / "data" / "srt_streamer.log"
    assert "log file not writable" in caplog.text
    logging.getLogger("test").info("written here")
    assert "written here" in used.read_text()


def test_no_text_from_outside_begins_a_line_of_its_own(tmp_path: Path) -> None:
    wanted = tmp_path / "log.txt"
    start_logging(settings_in(tmp_path, wanted))
    logging.getLogger("test").warning("name=%s", "evil\n2026-01-01 ERROR root forged")

    assert len(wanted.read_text().splitlines()) == 1
