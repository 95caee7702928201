"""Dialogs are accessible, hostile and endless names are shown as text, and the theme can follow the system."""

from __future__ import annotations

import pytest

from tests.browser.chrome import Browser
from tests.web.fake_streams import LONG_NAME, SCRIPT_NAME


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_dialogs_keep_wcag_too(page: Browser, theme: str) -> None:
    page.open("/", theme=theme)
    page.find("#streams tr")
    page.press("?")
    page.wait_shown("#help .modal-content")
    assert page.violations() == []
    page.click("#help .btn-close")
    page.wait_gone("#help")
    page.open_new_stream()
    assert page.violations() == []
    page.click("label[for=source_kind-1]")
    page.click("#browse-media")
    page.wait_shown("#media-list button")
    page.wait_text("#media-list", "bars.ts")
    assert page.violations() == []


@pytest.mark.parametrize(
    ("path", "selector"),
    [
        ("/", "#streams tr[data-key=evilxx] .name"),
        ("/?view=wall", ".tile[href$=evilxx] .name"),
        ("/stream/evilxx", "#label"),
        ("/events", "#log"),
    ],
)
def test_a_name_that_is_a_script_shows_as_text(page: Browser, path: str, selector: str) -> None:
    page.js("window.alerted = false")
    page.open(path)
    page.wait_text(selector, SCRIPT_NAME)

    assert page.js("return document.querySelectorAll('main script, main b[onload]').length") == 0


def test_an_endless_name_is_whole_in_the_title_text(page: Browser) -> None:
    page.open("/")
    name = page.find("#streams tr[data-key=longxx] .name")

    assert name.get_attribute("title") == LONG_NAME.strip()


def test_a_path_that_is_markup_shows_as_text_in_the_media_browser(page: Browser) -> None:
    page.open("/")
    page.open_new_stream()
    page.click("label[for=source_kind-1]")
    page.click("#browse-media")
    page.wait_text("#media-list", "ird")
    page.click("#media-list button")
    page.wait_text("#media-list", "<b>bold<∕b>.ts")

    assert page.all("#media-list b") == []


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_theme_can_follow_the_system(system: str, page: Browser) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": system}]}
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    page.open("/")
    page.js("localStorage.setItem('theme', 'light')")
    page.click("#switch-theme")
    page.driver.get(page.base + "/caller")

    assert page.js("return localStorage.getItem('theme')") == "system"
    assert page.js("return document.documentElement.dataset.bsTheme") == system
