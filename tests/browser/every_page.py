"""The pages, and what holds for each of them: accessible, complete on any screen, with the worst state in its head."""

from __future__ import annotations

from tests.browser.chrome import PHONE, WIDE, WIDTHS, Browser
from tests.web.fake_rehearsals import REHEARSAL_ID

# Path of each page, and an element that it has when it is complete. Two halves, which two processes test side by side.
OPERATION = {
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
}
STREAMS_AND_DOCUMENTS = {
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


def check_in_both_themes(page: Browser, name: str, path: str, ready: str) -> None:
    """Check a page in both themes on a wide screen, for their colours, and in one on a phone, for its layout there."""
    open_page(page, path, ready, "dark")
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
    open_page(page, path, ready, "light")
    assert page.violations() == []
    page.size(PHONE)
    assert page.scrolls_sideways() == []
    accept_the_answer_404(page, name)


def check_on_a_phone_in_the_light(page: Browser, name: str, path: str, ready: str) -> None:
    """Check the other theme on a phone. It is for campaigns: axe takes as long as all the rest of a page."""
    open_page(page, path, ready, "light")
    page.size(PHONE)
    assert page.scrolls_sideways() == []
    assert page.violations() == []
    accept_the_answer_404(page, name)


def open_page(page: Browser, path: str, ready: str, theme: str) -> None:
    """Open a page and wait until it is complete."""
    page.open(path, theme=theme)
    page.find(ready)


def accept_the_answer_404(page: Browser, name: str) -> None:
    """Remove the 404 of the page itself from the console errors: Chromium reports each 404."""
    if name == "nothing there":
        assert all("404" in complaint for complaint in page.complaints())
