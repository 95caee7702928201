"""The configuration file by mouse: compared, then applied exactly as compared; a fault names its line."""

from __future__ import annotations

from tests.browser.chrome import Browser
from tests.web.fake_manager import FakeManager

FILE = """\
version: 1
streams:
  - name: Studio A
    endpoint: {mode: listener, port: 10009}
    source: {kind: file, path: bars.ts}
"""


def write(page: Browser, text: str) -> None:
    """Put a text into the form as pasting does."""
    page.js(
        "const field = document.getElementById('document'); field.value = arguments[0];"
        "field.dispatchEvent(new Event('input', {bubbles: true}));",
        text,
    )


def test_a_file_is_compared_then_applied_and_then_changes_nothing(page: Browser, manager: FakeManager) -> None:
    page.open("/configuration")
    page.find("#overview i")
    write(page, FILE)
    page.click("#configuration [type=submit]")
    page.wait_text("#plan", "+ add Studio A")
    assert [spec.name for spec in manager.started] == [], "a comparison orders nothing"
    page.click("#apply")
    page.wait_shown("#confirm-yes")
    page.click("#confirm-yes")
    page.wait_text("#result-title", "Applied")
    assert [spec.name for spec in manager.started] == ["Studio A"]
    page.click("#configuration [type=submit]")
    page.wait_text("#plan", "Nothing to change")
    assert page.find("#apply").get_attribute("disabled"), "there is nothing to apply"


def test_a_changed_text_must_be_compared_again(page: Browser, manager: FakeManager) -> None:
    page.open("/configuration")
    page.find("#overview i")
    write(page, FILE)
    page.click("#configuration [type=submit]")
    page.wait_text("#plan", "+ add Studio A")
    assert not page.find("#apply").get_attribute("disabled")
    write(page, FILE.replace("Studio A", "Studio B"))
    assert page.find("#apply").get_attribute("disabled")
    assert manager.started == []


def test_a_fault_names_its_line_and_the_text_stays(page: Browser) -> None:
    page.open("/configuration")
    page.find("#overview i")
    write(page, FILE.replace("10009", "9"))
    page.click("#configuration [type=submit]")
    page.wait_text("#problems", "line 4, streams.0.endpoint.port")
    assert "Studio A" in str(page.js("return document.getElementById('document').value"))
    # Chromium itself notes the answer 400.
    assert all("400" in complaint for complaint in page.complaints())
