"""The page of impaired paths: a relay from the form, a rehearsal in one click, all of it or nothing."""

from __future__ import annotations

from app.domain.spec import CallerEndpoint, ReceiveSpec, RelaySpec, SendSpec
from tests.browser.chrome import Browser
from tests.instruments.waiting import wait_for
from tests.web.fake_manager import FakeManager


def choose(page: Browser, selector: str, value: str) -> None:
    page.js(
        "const node = document.querySelector(arguments[0]); node.value = arguments[1];"
        "node.dispatchEvent(new Event('change', { bubbles: true }))",
        selector,
        value,
    )


def open_page(page: Browser) -> None:
    page.open("/impairment")
    page.wait_text("#relays-empty", "No relay yet")
    # The script has loaded the profiles when it has written what an empty field means.
    wait_for(
        lambda: page.js("return document.querySelector('#to_target-delay_ms').placeholder") == "0",
        deadline_s=15,
        what="the profiles",
    )


def test_a_relay_takes_the_profile_with_the_figures_of_the_form_over_it(page: Browser, manager: FakeManager) -> None:
    open_page(page)
    choose(page, "#profile", "g1050-d")
    page.wait_text("#citation", "ITU-T G.1050")
    page.type("#to_target-loss_percent", "2")
    page.type("#target-port", "9000")
    page.click("#start")
    page.wait_text("#relays", "Outage now")

    relay = manager.started[0]
    assert isinstance(relay, RelaySpec)
    assert (relay.target.host, relay.target.port) == ("127.0.0.1", 9000)
    to_target, to_caller = relay.impairment.to_target, relay.impairment.to_caller
    assert to_target is not None
    assert to_caller is not None
    assert (to_target.delay_ms, to_target.jitter_ms, to_target.loss_percent) == (32, 40, 2)
    assert (to_caller.delay_ms, to_caller.loss_percent) == (32, 0.04)
    page.click("#relays button")
    wait_for(lambda: manager.orders[-1][0] == "cut 400 both", deadline_s=15, what="the outage")


def test_a_wrong_figure_is_reported_at_its_field(page: Browser, manager: FakeManager) -> None:
    open_page(page)
    page.type("#to_target-loss_percent", "101")
    page.type("#target-port", "9000")
    page.click("#start")
    page.wait_text("[data-fault-of='impairment.to_target.loss_percent']", "100")

    assert manager.started == []
    # Chromium notes the refusal on its console.
    assert all("400" in complaint for complaint in page.complaints())


def test_a_rehearsal_starts_the_receiver_the_relay_and_the_sender_in_this_order(
    page: Browser, manager: FakeManager
) -> None:
    open_page(page)
    choose(page, "#rehearsed", "lineup")
    page.click("#rehearse")
    page.wait_text("#relays", "Outage now")
    wait_for(lambda: len(manager.started) == 3, deadline_s=15, what="three streams")

    receiver, relay, sender = manager.started
    assert isinstance(receiver, ReceiveSpec)
    assert isinstance(relay, RelaySpec)
    assert isinstance(sender, SendSpec)
    assert relay.target.port == receiver.endpoint.port
    assert sender.endpoint == CallerEndpoint("127.0.0.1", relay.listen_port)
    assert sender.source == manager.streams["lineup"].spec.source


def test_a_rehearsal_that_cannot_start_its_relay_leaves_nothing(page: Browser, manager: FakeManager) -> None:
    open_page(page)
    page.type("#to_target-delay_ms", "-5")
    before = set(manager.streams)
    page.click("#rehearse")
    page.wait_text("[data-fault-of='impairment.to_target.delay_ms']", "0")

    wait_for(lambda: set(manager.streams) == before, deadline_s=15, what="nothing left")
    assert [type(spec) for spec in manager.started] == [ReceiveSpec]
    assert all("400" in complaint for complaint in page.complaints())
