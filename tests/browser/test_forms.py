"""The forms: what is typed stays, faults are next to their fields, media and passphrases are at hand."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chrome import Browser
from tests.instruments.waiting import wait_for
from tests.web.fake_manager import FakeManager


def value(page: Browser, selector: str) -> str:
    return str(page.js("return document.querySelector(arguments[0]).value", selector))


def choose_file(page: Browser) -> None:
    """Bars are the source until another is chosen."""
    page.click("label[for=source_kind-1]")


def test_a_listener_is_started_from_a_file_of_the_browser(page: Browser, manager: FakeManager) -> None:
    page.open("/")
    page.find("#streams tr:nth-child(10)")
    page.open_new_stream()
    choose_file(page)
    page.click("#browse-media")
    page.wait_text("#media-list", "bars.ts")
    page.click("#media-list li[data-name='bars.ts'] button")
    page.wait_gone("#media-browser")
    page.wait_text("#path-hint", "3.00 Mb/s constant")
    page.wait_text("#budget", "Needs 3.88 Mb/s.")
    page.type("#name", "From the page")
    page.click("#start-stream")
    page.wait_text("#streams", "From the page")

    spec = manager.started[0]
    assert (spec.name, spec.source.path, spec.source.loop, spec.latency_ms) == ("From the page", "bars.ts", True, 200)
    assert spec.endpoint.port == 10003
    wait_for(
        lambda: value(page, "#port") == "10006" or value(page, "#port") != "10003",
        deadline_s=15,
        what="another free port",
    )


def test_a_listener_is_started_with_keys_alone(page: Browser, manager: FakeManager) -> None:
    page.open("/")
    page.find("#streams tr:nth-child(10)")
    page.press("n")
    assert page.focused() == "name"
    page.tab_to("#source_kind-0")
    page.press(Keys.ARROW_DOWN)
    page.tab_to("#browse-media")
    page.press(Keys.ENTER)
    page.wait_text("#media-list", "ird")
    wait_for(lambda: "ird" in page.focused(), deadline_s=15, what="the first folder to have the focus")
    page.press(Keys.ENTER)
    page.wait_text("#media-list", "arena.ts")
    wait_for(
        lambda: "bold" in page.focused() or "arena" in page.focused(), deadline_s=15, what="a file to have the focus"
    )
    page.press(Keys.ARROW_DOWN)
    wait_for(lambda: "arena" in page.focused() or "bold" in page.focused(), deadline_s=15, what="the next file")
    chosen = page.focused()
    page.press(Keys.ENTER)
    page.wait_gone("#media-browser")
    page.wait_text("#path-hint", "Mb/s")
    page.tab_to("#start-stream")
    page.press(Keys.ENTER)
    wait_for(lambda: manager.started, deadline_s=15, what="a stream")

    assert manager.started[0].source.path.removeprefix("ird/") in chosen


def test_faults_stand_beside_their_fields_and_nothing_typed_is_lost(page: Browser, manager: FakeManager) -> None:
    page.open("/caller")
    choose_file(page)
    page.type("#path", "bars.ts")
    page.type("#host", "-evil")
    page.type("#far_port", "70000")
    page.type("#latency_ms", "soon")
    page.type("#name", "Kept as typed")
    page.js("const s = document.querySelector('#key_bits'); s.value = '256'; s.dispatchEvent(new Event('change'))")
    page.type("#passphrase", "nine byte")
    page.click("#start-stream")
    page.wait_text("#latency_ms-fault", "enter a whole number")

    assert "hyphen" in page.text("#host-fault")
    assert "1 to 65535" in page.text("#far_port-fault")
    assert "10 to 79 bytes" in page.text("#passphrase-fault")
    assert page.find("#host").get_attribute("aria-invalid") == "true"
    assert page.focused() == "host"
    assert value(page, "#name") == "Kept as typed"
    assert value(page, "#passphrase") == "nine byte"
    assert value(page, "#latency_ms") == "soon"
    assert manager.started == []
    assert all("400" in complaint for complaint in page.complaints())


def test_a_caller_is_started_with_a_channel_of_the_list(page: Browser, manager: FakeManager) -> None:
    page.open("/caller")
    page.click("label[for=source_kind-2]")
    page.wait_text("#channel", "Example 1 HD")
    page.js("const s = document.querySelector('#channel'); s.value = '1'; s.dispatchEvent(new Event('change'))")
    assert (value(page, "#address"), value(page, "#protocol")) == ("239.255.10.2", "rtp")
    page.type("#host", "192.0.2.77")
    page.type("#far_port", "9000")
    page.click("#start-stream")
    page.wait_text("#streams", "Example 2 HD")
    page.wait_gone("#new-stream")

    spec = manager.started[0]
    assert (spec.endpoint.host, spec.source.address, spec.source.protocol) == ("192.0.2.77", "239.255.10.2", "rtp")


def test_a_good_passphrase_is_one_click_away(page: Browser, manager: FakeManager) -> None:
    page.open("/caller")
    page.wait_shown("#stream-form[data-ready]")
    page.click("#generate-passphrase")
    made = value(page, "#passphrase")
    page.click("#generate-passphrase")

    assert len(made) == 23
    assert made != value(page, "#passphrase")
    assert value(page, "#key_bits") == "256"
    assert page.find("#passphrase").get_attribute("type") == "text"
    page.click("#reveal-passphrase")
    assert page.find("#passphrase").get_attribute("type") == "password"
    page.wait_text("#passphrase-hint", "23 now")


def test_only_the_fields_of_the_chosen_source_are_there(page: Browser) -> None:
    page.open("/")
    page.open_new_stream()
    for number, kind in enumerate(("bars", "file", "multicast")):
        page.click(f"label[for=source_kind-{number}]")
        shown = [box.get_attribute("data-source") for box in page.all("[data-source]") if box.is_displayed()]
        assert shown == [kind]


@pytest.mark.parametrize(("path", "words"), [("letter.ts", "not an MPEG transport stream"), ("nowhere.ts", "")])
def test_a_file_that_cannot_be_sent_says_so_at_once(page: Browser, path: str, words: str) -> None:
    page.open("/")
    page.open_new_stream()
    choose_file(page)
    page.type("#path", path)
    page.press(Keys.TAB)
    wait_for(lambda: page.text("#path-fault"), deadline_s=15, what="a fault next to the file")

    assert words in page.text("#path-fault")
    assert all("400" in complaint for complaint in page.complaints())


def test_a_link_with_settings_fills_the_form_in(page: Browser) -> None:
    page.open("/?latency_ms=340&overhead_percent=26&source_kind=multicast&address=239.9.9.9")

    assert (value(page, "#latency_ms"), value(page, "#overhead_percent")) == ("340", "26")
    assert value(page, "#address") == "239.9.9.9"
    assert page.is_shown("#address")


def test_what_is_wrong_with_the_file_stays_when_other_fields_are_wrong_too(page: Browser, manager: FakeManager) -> None:
    page.open("/")
    page.open_new_stream()
    choose_file(page)
    page.type("#path", "nowhere.ts")
    page.type("#latency_ms", "5")
    page.click("#start-stream")
    page.wait_text("#latency_ms-fault", "outside")
    wait_for(lambda: page.text("#path-fault"), deadline_s=20, what="the fault of the file")

    assert manager.started == []
    assert all("400" in complaint for complaint in page.complaints())


@pytest.mark.parametrize(
    ("path", "words"), [("/", "anyone who reaches the port"), ("/caller", "not encrypted on the network")]
)
def test_what_is_lacking_without_encryption_is_said_for_this_kind_of_stream(
    page: Browser, path: str, words: str
) -> None:
    page.open(path)
    page.wait_text("#passphrase-hint", words)
