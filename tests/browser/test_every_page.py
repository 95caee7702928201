"""Every page in both themes: accessible, complete on any screen, no console errors, no requests to other hosts."""

from __future__ import annotations

import pytest

from tests.browser.chrome import PHONE, WIDE, WIDTHS, Browser
from tests.web.fake_rehearsals import REHEARSAL_ID
from tests.web.fake_streams import LONG_NAME, SCRIPT_NAME

PAGES = {
    "dashboard": ("/", "#streams tr:nth-child(10)"),
    "wall": ("/?view=wall", ".tile:nth-of-type(10)"),
    "caller": ("/caller", "#overview i"),
    "receive": ("/receive", "#start-receive"),
    "network test": ("/network_test", "#overview i"),
    "impairment": ("/impairment", "#relays-empty"),
    "rehearsal": (f"/impairment/rehearsals/{REHEARSAL_ID}", "#attempts tr:nth-child(4)"),
    "presets": ("/presets", "#far-ends-empty"),
    "configuration": ("/configuration", "#overview i"),
    "line-up test": ("/line-up", "#plan-form"),
    "hosts": ("/hosts", "#fleet tr:nth-child(10)"),
    "events": ("/events", "#log tr:nth-child(6)"),
    "stream": ("/stream/parlmt", "#peers .peer"),
    "stream that failed": ("/stream/failed", "#notes .note"),
    "stream with two peers": ("/stream/lineup", "#peers .peer"),
    "stream with a hostile name": ("/stream/evilxx", "#settings tr"),
    "stream with an endless name": ("/stream/longxx", "#peers .peer"),
    "media": ("/media_info/bars.ts", "#findings tr"),
    "about": ("/about", "#libraries[data-known=true]"),
    "documentation": ("/docs", ".doc-list"),
    "a document": ("/docs/api", ".doc table"),
    "a document with wide tables": ("/docs/configuration", ".doc table"),
    "the readme": ("/docs/readme", ".doc img"),
    "nothing there": ("/stream/unknown", ".empty"),
}


# Links of the navigation that are outside the screen, and buttons of the dashboard's rows that are.
_CUT_OFF = """
return [...document.querySelectorAll(".topbar a, .topbar button, #streams .btn")].filter((element) => {
  const box = element.getBoundingClientRect();
  return box.width && (box.left < 0 || box.right > innerWidth + 1);
}).map((element) => element.textContent.trim());
"""
# What has no head with the worst state and the clock.
_WITHOUT_HEAD = ("wall", "nothing there")


# Each day: both themes on a wide screen, for their colours, and one on a phone, for what stands elsewhere there. The
# other theme on a phone is a campaign: axe takes as long as all the rest of a page.
@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_wcag_and_its_width_and_its_head_shows_the_worst_state(page: Browser, name: str) -> None:
    open_page(page, name, "dark")
    if name not in _WITHOUT_HEAD:
        page.wait_text("#overview", "faults")
        page.wait_text("#clock", "UTC")
    assert page.violations() == []
    for width in WIDTHS:
        page.size((width, 900))
        assert page.scrolls_sideways() == [], width
        assert page.js(_CUT_OFF) == [], width
    page.size(PHONE)
    assert page.violations() == []
    page.size(WIDE)
    open_page(page, name, "light")
    assert page.violations() == []
    page.size(PHONE)
    assert page.scrolls_sideways() == []
    accept_the_answer_404(page, name)


@pytest.mark.campaign
@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_wcag_on_a_phone_in_the_light_theme_too(page: Browser, name: str) -> None:
    open_page(page, name, "light")
    page.size(PHONE)
    assert page.scrolls_sideways() == []
    assert page.violations() == []
    accept_the_answer_404(page, name)


def open_page(page: Browser, name: str, theme: str) -> None:
    path, ready = PAGES[name]
    page.open(path, theme=theme)
    page.find(ready)


def accept_the_answer_404(page: Browser, name: str) -> None:
    """Remove it from the console errors: the page itself is that answer, and Chromium reports each 404."""
    if name == "nothing there":
        assert all("404" in complaint for complaint in page.complaints())


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
