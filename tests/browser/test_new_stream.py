"""The dialog of a new stream: what opens it, what one click starts, and that it fits and keeps the focus."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from app.domain.spec import BarsSource, ListenerEndpoint
from tests.browser.chrome import Browser
from tests.web.fake_manager import FakeManager

SIZES = ((320, 640), (390, 844), (1440, 900), (2560, 1440))
_MODE = "return document.querySelector('#stream-form').elements.mode.value"
_FOCUS_IS_INSIDE = "return document.querySelector('#new-stream').contains(document.activeElement)"
# The button that starts the stream is whole on the screen, at any scroll position of the dialog.
_BUTTON_IS_WHOLE = """
const box = document.querySelector("#start-stream").getBoundingClientRect();
return box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
"""


@pytest.mark.parametrize(("key", "mode"), [("n", "listener"), ("c", "caller")])
def test_a_key_opens_the_dialog_for_its_kind_of_stream(page: Browser, key: str, mode: str) -> None:
    page.open("/")
    assert not page.is_shown("#new-stream")
    page.press(key)
    page.wait_shown("#start-stream")

    assert page.js(_MODE) == mode
    assert page.focused() == "name"


def test_the_route_of_the_caller_opens_the_dialog_and_leaves_the_dashboard_when_it_closes(page: Browser) -> None:
    page.open("/caller")
    page.wait_shown("#start-stream")
    assert page.js(_MODE) == "caller"
    page.find("#streams tr:nth-child(10)")
    page.press(Keys.ESCAPE)
    page.wait_gone("#new-stream")

    assert page.js("return location.pathname") == "/"
    assert page.text("nav [aria-current]") == "Dashboard"


def test_the_dialog_as_it_opens_starts_bars_with_one_click(page: Browser, manager: FakeManager) -> None:
    page.open("/")
    page.open_new_stream()
    page.click("#start-stream")
    page.wait_gone("#new-stream")
    page.wait_text("#toasts", "On air: ")

    (spec,) = manager.started
    assert (type(spec.source), type(spec.endpoint)) == (BarsSource, ListenerEndpoint)


def test_the_dialog_fits_every_screen_with_its_button_in_view(page: Browser) -> None:
    page.open("/caller")
    for size in SIZES:
        page.size(size)
        assert page.scrolls_sideways() == [], size
        assert page.js(_BUTTON_IS_WHOLE), size
    assert page.violations() == []


def test_tab_stays_in_the_dialog_after_another_dialog_was_over_it(page: Browser) -> None:
    page.open("/")
    page.open_new_stream()
    page.click("label[for=source_kind-1]")
    page.click("#browse-media")
    page.wait_text("#media-list", "bars.ts")
    page.press(Keys.ESCAPE)
    page.wait_gone("#media-browser")
    assert page.focused() == "browse-media"
    page.js("document.querySelector('#start-stream').focus()")
    page.press(Keys.TAB)

    assert page.focused() not in ("show-help", "switch-theme")
    assert page.js(_FOCUS_IS_INSIDE) or page.js("return document.activeElement === document.body")
