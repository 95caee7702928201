"""The page of impaired paths: a relay from the form, a rehearsal in one click, all of it or nothing."""

from __future__ import annotations

import time

import msgspec

from app.domain.figures.relay import DirectionFigures, RelayFigures
from app.domain.figures.sample import Input, Point, Sample
from app.domain.impairment.model import Bursts, RebindEvent
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

    assert set(manager.streams) == before
    assert manager.started == []
    assert all("400" in complaint for complaint in page.complaints())


def test_a_running_relay_is_changed_by_the_form_that_shows_what_it_does(page: Browser, manager: FakeManager) -> None:
    open_page(page)
    choose(page, "#profile", "g1050-d")
    page.type("#target-port", "9000")
    page.click("#start")
    page.wait_text("#relays", "Change")
    page.click("#relays button:nth-of-type(2)")
    page.wait_text("#change-text", "continues without interruption")
    assert page.js("return document.querySelector('#to_caller-delay_ms').value") == "32"
    page.js("for (const each of document.querySelectorAll('details')) each.open = true")
    page.js("for (const each of document.querySelectorAll('[data-figure^=\"route_flap\"]')) each.value = ''")
    page.type("#to_caller-bursts\\.loss_percent", "2")
    page.type("#to_caller-bursts\\.mean_burst", "5")
    page.type("#rebinds", "10 20")
    page.click("#change")
    wait_for(lambda: any(order[0] == "impair" for order in manager.orders), deadline_s=15, what="the change")

    (spec,) = [each.spec for each in manager.streams.values() if isinstance(each.spec, RelaySpec)]
    assert spec.impairment.to_caller is not None
    assert spec.impairment.to_caller.bursts == Bursts(2, 5)
    assert spec.impairment.to_caller.route_flap is None
    assert spec.impairment.events == [RebindEvent(10), RebindEvent(20)]


def test_a_fault_in_a_folded_field_opens_it(page: Browser, manager: FakeManager) -> None:
    open_page(page)
    page.js("for (const each of document.querySelectorAll('details')) each.open = true")
    page.type("#to_target-outage\\.for_ms", "100")
    page.type("#target-port", "9000")
    page.js("for (const each of document.querySelectorAll('details')) each.open = false")
    page.click("#start")
    page.wait_text("[data-fault-of='impairment.to_target.outage.every_s']", "missing")
    assert manager.started == []
    assert all("400" in complaint for complaint in page.complaints())


def test_reordered_datagrams_are_explained_where_they_are_counted(page: Browser, manager: FakeManager) -> None:
    open_page(page)
    page.type("#target-port", "9000")
    page.click("#start")
    page.wait_text("#relays", "Outage now")
    assert "requests the datagram again" not in page.text("#relays")

    (relay,) = [each for each in manager.streams.values() if isinstance(each.spec, RelaySpec)]
    figures = RelayFigures(DirectionFigures(datagrams=4000, reordered=1234), DirectionFigures(datagrams=300))
    sample = Sample(Point(at=time.time()), [], Input(), relay=figures)
    manager.streams[relay.key] = msgspec.structs.replace(relay, sample=sample)
    page.wait_text("#relays", "1234 datagrams were reordered, not lost")
    page.wait_text("#relays", "requests the datagram again")
    assert page.violations() == []


def test_a_rehearsal_has_a_page_with_its_table(page: Browser, manager: FakeManager) -> None:
    open_page(page)
    choose(page, "#rehearsed", "lineup")
    page.type("#latencies", "100 200")
    page.click("#rehearse-latencies")
    page.wait_text("#attempts", "100 ms")
    page.wait_text("#attempts", "200 ms")
    page.wait_text("#run-title", "Rehearsal of")
    page.wait_text("#clock", "UTC")
    page.click("#cancel")
    page.wait_text("#remaining", "Cancelled")
