"""Names and tiles on every screen, from a small phone to a large monitor: all can be read, none is cut off."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from app import create_app
from app.settings import Settings
from tests.browser.chrome import WIDTHS, Browser
from tests.browser.conftest import Server
from tests.instruments.waiting import wait_for
from tests.web.fake_manager import FakeManager
from tests.web.fake_receptions import KEY, make_reception
from tests.web.mixed_streams import mixed_streams

NAME_REM = 12
# The names that are narrower than 12 rem in a row that is still a table row.
_NARROW_NAMES = """
const least = arguments[1] * parseFloat(getComputedStyle(document.documentElement).fontSize);
return [...document.querySelectorAll(arguments[0])]
  .filter((name) => getComputedStyle(name.closest("tr")).display === "table-row")
  .map((name) => name.getBoundingClientRect().width).filter((width) => width < least);
"""
# Cells of the dashboard whose content needs more room than they have, so that it runs into the next one.
_FULL_CELLS = """
return [...document.querySelectorAll("#streams, #streams td")]
  .filter((cell) => cell.getClientRects().length && cell.scrollWidth > cell.clientWidth + 1)
  .map((cell) => [cell.className, cell.textContent, cell.scrollWidth, cell.clientWidth]);
"""
# Large figures, and the names above them, that need more room than they have.
_CUT_FIGURES = """
return [...document.querySelectorAll(".figures > div, .figures dt, .figures dd")]
  .filter((part) => part.getClientRects().length && part.scrollWidth > part.clientWidth + 1)
  .map((part) => [part.textContent, part.scrollWidth, part.clientWidth]);
"""
# Tiles that are not whole on the screen, that overlap the total line, or whose text needs more room than they have.
_BAD_TILES = """
const head = document.querySelector(".wall-head").getBoundingClientRect();
return [...document.querySelectorAll(".tile")].filter((tile) => {
  const box = tile.getBoundingClientRect();
  const outside = box.top < head.bottom || box.left < 0 || box.bottom > innerHeight || box.right > innerWidth;
  return outside || tile.scrollHeight > tile.clientHeight + 2 || tile.scrollWidth > tile.clientWidth;
}).map((tile) => [tile.textContent, tile.scrollHeight, tile.clientHeight, tile.scrollWidth, tile.clientWidth]);
"""


def test_no_figure_of_a_row_or_card_runs_into_the_next(page: Browser, manager: FakeManager) -> None:
    manager.streams = {**manager.streams, KEY: make_reception()}
    page.open("/")
    page.find("#streams tr:nth-child(11)")
    for width in WIDTHS:
        page.size((width, 900))
        assert page.js(_FULL_CELLS) == [], f"at {width} px"


@pytest.mark.parametrize("path", ["/", "/stream/parlmt", f"/stream/{KEY}"])
def test_figures_and_their_names_are_whole_at_every_width(page: Browser, manager: FakeManager, path: str) -> None:
    manager.streams = {**manager.streams, KEY: make_reception()}
    manager.pictures = {KEY: b"\xff\xd8\xff\xd9"}
    page.open(path)
    page.wait_text(".figures", "Mb/s")
    for width in WIDTHS:
        page.size((width, 900))
        assert page.scrolls_sideways() == [], f"at {width} px"
        assert page.js(_CUT_FIGURES) == [], f"at {width} px"


def test_names_are_wide_enough_wherever_rows_are_a_table(page: Browser) -> None:
    for path, row, names in (
        ("/", "#streams tr:nth-child(10)", "#streams .name"),
        ("/hosts", "#fleet tr:nth-child(10)", "#fleet td:nth-child(2)"),
    ):
        page.open(path)
        page.find(row)
        for width in WIDTHS:
            page.size((width, 900))
            assert page.js(_NARROW_NAMES, names, NAME_REM) == [], (path, width)


@pytest.mark.parametrize("number", [1, 10, 20])
def test_the_wall_shows_every_tile_whole(
    chrome: Browser, settings: Settings, serve: Callable[..., Server], number: int
) -> None:
    streams = (mixed_streams() + [msgspec.structs.replace(each, key=f"{each.key}2") for each in mixed_streams()])[
        :number
    ]
    chrome.start(serve(create_app(settings, manager=FakeManager(streams))).base)
    chrome.open("/?view=wall")
    wait_for(lambda: len(chrome.all(".tile")) == number, deadline_s=20, what="all tiles")

    for size in ((1920, 1080), (1280, 720), (3840, 2160)):
        chrome.size(size)
        wait_for(lambda: not chrome.js(_BAD_TILES), deadline_s=5, what="whole tiles")
        assert chrome.js("return document.scrollingElement.scrollHeight <= innerHeight"), size
    assert "on air" in chrome.text(".wall-head")
    assert "Mb/s" in chrome.text("#wall-sending")
