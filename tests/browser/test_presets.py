"""Presets and the address book by mouse: saved from a form, loaded into one, renamed, deleted, imported."""

from __future__ import annotations

import json
from pathlib import Path

from app.domain.presets import parse_far_end, parse_preset
from tests.browser.chrome import PHONE, Browser
from tests.instruments.waiting import wait_for
from tests.web.fake_manager import FakeManager


def value(page: Browser, selector: str) -> str:
    return str(page.js("return document.querySelector(arguments[0]).value", selector))


def choose(page: Browser, selector: str, words: str) -> None:
    """Choose the option of a select that says `words`."""
    page.js(
        """
        const [selector, words] = arguments;
        const select = document.querySelector(selector);
        select.value = [...select.options].find((option) => option.text === words).value;
        select.dispatchEvent(new Event("change", {bubbles: true}));
        """,
        selector,
        words,
    )


def names(manager: FakeManager) -> list[str]:
    return [preset.name for _, preset in manager.book().presets.list()]


def test_a_form_is_saved_once_more_after_a_question_and_loaded_without_its_passphrase(
    page: Browser, manager: FakeManager
) -> None:
    page.open("/caller")
    page.type("#host", "192.0.2.77")
    page.type("#far_port", "9007")
    page.type("#latency_ms", "450")
    page.click("#generate-passphrase")
    page.click("#save-preset")
    page.wait_shown("#preset-name")
    page.type("#preset-name", "Saturday")
    page.click("#preset-yes")
    page.wait_text("#toasts", "Saved as preset: Saturday")
    page.wait_gone("#preset-dialog")

    page.type("#latency_ms", "500")
    page.click("#save-preset")
    page.wait_shown("#preset-name")
    page.click("#preset-yes")
    page.wait_text("#preset-name-fault", "there is a preset “Saturday” already")
    page.wait_text("#preset-yes", "Replace it")
    page.click("#preset-yes")
    page.wait_gone("#preset-dialog")
    assert names(manager) == ["Saturday"]
    assert all("409" in complaint for complaint in page.complaints())

    page.open("/")
    choose(page, "#load-preset", "Saturday")
    page.wait_text("#preset-note", "Loaded from the preset “Saturday”. Enter the passphrase")
    page.find("#stream-form[data-ready]")
    assert [value(page, field) for field in ("#host", "#far_port", "#latency_ms")] == ["192.0.2.77", "9007", "500"]
    assert value(page, "#passphrase") == ""
    assert page.violations() == []


def test_a_form_with_a_fault_is_not_saved_and_shows_it_next_to_its_field(page: Browser, manager: FakeManager) -> None:
    page.open("/caller")
    page.type("#name", "No host")
    page.click("#save-preset")
    page.wait_shown("#preset-name")
    assert value(page, "#preset-name") == "No host"
    page.click("#preset-yes")
    page.wait_gone("#preset-dialog")
    page.wait_shown("#host-fault")
    assert names(manager) == []
    assert all("400" in complaint for complaint in page.complaints())


def test_a_far_end_is_added_and_fills_the_form_of_a_caller(page: Browser, manager: FakeManager) -> None:
    page.open("/presets")
    page.wait_text("#far-ends-empty", "No far ends yet.")
    page.click("#add-far-end")
    page.wait_shown("#entry-name")
    page.type("#entry-name", "Umeå")
    page.type("#entry-host", "two words")
    page.type("#entry-port", "9001")
    page.type("#entry-notes", "Call first")
    page.click("#entry-yes")
    page.wait_text("#entry-host-fault", "a host is an IP address, or a name")
    assert all("400" in complaint for complaint in page.complaints())
    page.type("#entry-host", "umea.example.net")
    page.type("#entry-stream_id", "umea/main")
    page.click("#entry-yes")
    page.wait_text("#far-ends", "umea.example.net:9001")

    page.open("/caller")
    choose(page, "#far_end", "Umeå")
    assert (value(page, "#host"), value(page, "#far_port")) == ("umea.example.net", "9001")
    assert value(page, "#stream_id") == "umea/main"
    page.wait_text("#far_end-hint", "Call first")

    page.open("/receive")
    page.click("label[for=mode-1]")
    choose(page, "#far_end", "Umeå")
    assert [value(page, field) for field in ("#host", "#port", "#stream_id")] == [
        "umea.example.net",
        "9001",
        "umea/main",
    ]
    assert page.violations() == []


def test_a_receive_form_is_saved_and_loaded_on_its_own_page(page: Browser, manager: FakeManager) -> None:
    page.open("/receive")
    page.type("#name", "OB van")
    page.type("#latency_ms", "450")
    page.click("#is_forwarded")
    page.type("#forward_address", "239.1.1.9")
    page.type("#forward_port", "x")
    page.click("#save-preset")
    page.wait_shown("#preset-name")
    assert value(page, "#preset-name") == "OB van"
    page.click("#preset-yes")
    page.wait_text("#forward_port-fault", "enter a whole number")
    page.wait_gone("#preset-dialog")
    assert all("400" in complaint for complaint in page.complaints())
    page.type("#forward_port", "1234")
    page.click("#save-preset")
    page.wait_shown("#preset-name")
    page.click("#preset-yes")
    page.wait_text("#toasts", "Saved as preset: OB van")

    page.open("/presets")
    page.wait_text("#presets", "receive: listener on port")
    page.click("#presets a[aria-label='Receive with OB van']")
    page.wait_text("#preset-note", "Loaded from the preset “OB van”.")
    assert [value(page, field) for field in ("#latency_ms", "#forward_address", "#forward_port")] == [
        "450",
        "239.1.1.9",
        "1234",
    ]
    assert page.is_shown("#forward_address")
    assert page.violations() == []


def test_entries_are_renamed_and_deleted_after_a_question(page: Browser, manager: FakeManager) -> None:
    spec = {"endpoint": {"mode": "listener", "port": 10009}, "source": {"kind": "bars"}}
    key = manager.book().presets.add(parse_preset({"name": "Old", "spec": spec}))
    manager.book().far_ends.add(parse_far_end({"name": "Gone", "host": "a", "port": 1}))
    page.open("/presets")
    page.click("#presets button[aria-label='Rename Old']")
    page.wait_shown("#entry-name")
    assert not page.is_shown("#entry-host")
    page.type("#entry-name", "New")
    page.click("#entry-yes")
    page.wait_text("#presets .name", "New")
    assert manager.book().presets.get(key).name == "New"

    page.wait_gone("#entry")
    page.click("#far-ends button[aria-label='Delete Gone']")
    page.wait_text("#confirm-title", "Delete the far end “Gone”?")
    page.wait_shown("#confirm-yes")
    page.click("#confirm-yes")
    page.wait_text("#far-ends-empty", "No far ends yet.")
    assert manager.book().far_ends.list() == []


def test_an_import_says_what_it_took_and_what_it_refused_and_why(
    page: Browser, manager: FakeManager, tmp_path: Path
) -> None:
    spec = {"endpoint": {"mode": "listener", "port": 10009}, "source": {"kind": "bars"}}
    entries = [{"name": "Good", "spec": spec}, {"name": "Bad", "spec": {**spec, "latency_ms": 1}}]
    file = tmp_path / "from elsewhere.json"
    file.write_text(json.dumps({"format": "mcr-presets", "version": 1, "presets": entries}))
    page.size(PHONE)
    page.open("/presets")
    page.find("#import-file").send_keys(str(file))
    page.wait_text("#import-text", "Imported from from elsewhere.json: 1 preset and 0 far ends.")
    assert page.text("#import-refused") == "Not imported: preset “Bad”. latency ms: 1 is outside 20 to 8000 ms"
    page.wait_text("#presets", "Good")
    assert names(manager) == ["Good"]
    assert page.scrolls_sideways() == []
    assert page.violations() == []

    file.write_text("no JSON")
    page.find("#import-file").send_keys(str(file))
    wait_for(lambda: "is not JSON" in page.text("#import-text"), deadline_s=10, what="the refusal of the file")
    assert page.text("#import-refused") == ""
